//! `Handle`, `On`, `After` and `Catch` for the states.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use super::{at, edge_key, group_probe, where_part, where_shared};
use crate::model::{Due, Fails, Handler, Machine, ReplyModel, Target, Trigger};

// #[state] async fn fulfilling(&self, cx: &Cx, s: Fulfilling) -> Result<Next<(Shipped, Cancelled)>>
//
// impl<B: Bank> Handle<Fulfilment<B>> for Fulfilling {
//     const PURE: bool = false;
//     fn handle(workflow: &Fulfilment<B>, cx: &Cx, state: Self) -> impl Future<Output = Handled<Fulfilment<B>>> + Send {
//         let handled = SendProbe::<(Fulfilling, &Fulfilment<B>)>::hold(workflow.fulfilling(cx, state));
//         async move { … }
//     }
// }
//
// #[on] fn paid(&self, s: PendingPayment, payment: Payment) -> Fulfilling
//
// impl<B: Bank> On<Fulfilment<B>, Payment> for PendingPayment {
//     fn decide<A: Answers>(
//         workflow: &Fulfilment<B>, state: Self, payment: Payment, answers: &mut A,
//     ) -> Handled<Fulfilment<B>> { … }
// }
pub(crate) fn expand_handlers(machine: &Machine, part: bool) -> TokenStream {
    let own = machine.handlers.iter().filter(|handler| !handler.broken && !handler.is_included());
    let where_clause = if part { where_part(machine) } else { where_shared(machine, false) };
    own.map(|handler| expand_handler(machine, handler, &where_clause)).collect()
}

fn expand_handler(machine: &Machine, handler: &Handler, where_clause: &TokenStream) -> TokenStream {
    let (runtime, self_ty, state, cfg) = (&machine.runtime, &machine.self_ty, &handler.state, &handler.cfg);
    let (impl_generics, _, _) = machine.generics.split_for_impl();
    let has_effects = has_effects(handler);
    let payload = match &handler.trigger {
        Trigger::On { event } => Some(quote!(#event)),
        Trigger::Catch { error, .. } => Some(quote!(#error)),
        Trigger::Entry | Trigger::After { .. } => None,
    };
    let (bound, method) = match &handler.trigger {
        Trigger::Entry => (quote!(Handle<#self_ty>), quote!(handle)),
        Trigger::On { event } => (quote!(On<#self_ty, #event>), quote!(on)),
        Trigger::After { .. } => {
            let key = edge_key(machine, &handler.name());
            (quote!(After<#self_ty, #key>), quote!(after))
        }
        Trigger::Catch { error, .. } => (quote!(Catch<#self_ty, #error>), quote!(catch)),
    };
    let timer = expand_timer(machine, handler);
    let span = handler.ident.span();
    let payload_argument = payload.as_ref().map(|_| quote_spanned!(span=> , __payload));
    let ident = &handler.ident;
    let call = if handler.effects {
        quote_spanned!(span=> __workflow.#ident(__cx, __state #payload_argument))
    } else {
        quote_spanned!(span=> __workflow.#ident(__state #payload_argument))
    };
    let [workflow_parameter, context, state_parameter] =
        ["__workflow", "__cx", "__state"].map(|name| Ident::new(name, span));
    let payload_parameter = payload.as_ref().map(|payload| {
        let name = Ident::new("__payload", span);
        quote!(, #name: #payload)
    });
    let held = payload.as_ref().map(|payload| quote!(, #payload));
    let hold = Ident::new("hold", span);
    let body = if handler.effects {
        let decide = decide(machine, handler, &quote!(__handled.await));
        // One lifetime for several arguments has to be found inside of a future: what holds it may not name it.
        let call = if handler.lifetimes { quote!(async move { #call.await }) } else { call };
        quote! {
            let __handled = __private::SendProbe::<(#state #held, &#self_ty)>::#hold(#call);
            async move { #decide }
        }
    } else {
        decide(machine, handler, &call)
    };
    let parameters = match handler.effects {
        true => {
            quote!(#workflow_parameter: &#self_ty, #context: &__Cx, #state_parameter: Self #payload_parameter)
        }
        false => quote!(#workflow_parameter: &#self_ty, #state_parameter: Self #payload_parameter),
    };
    let handled = quote!(__Handled<#self_ty>);
    let signature = match &handler.trigger {
        _ if handler.effects => quote! {
            fn #method(#parameters)
                -> impl __Future<Output = #handled> + __Send
        },
        Trigger::On { .. } => {
            quote!(fn decide<__A: __private::Answers>(#parameters, __answers: &mut __A) -> #handled)
        }
        _ => quote!(fn decide(#parameters) -> #handled),
    };
    quote! {
        #cfg
        #[automatically_derived]
        #[doc(hidden)]
        impl #impl_generics #runtime::#bound for #state #where_clause {
            #has_effects
            #signature { #body }
            #timer
        }
    }
}

/// That it has effects. Most handlers have none, and say nothing.
pub(crate) fn has_effects(handler: &Handler) -> Option<TokenStream> {
    handler.effects.then(|| {
        quote!(
            const PURE: ::core::primitive::bool = false;
        )
    })
}

// #[after(Self::delay)]  →  delay_of(Fulfilment::delay, workflow, state)
// #[at(order.deadline)]  →  at_field(&state.order.deadline)
fn expand_timer(machine: &Machine, handler: &Handler) -> Option<TokenStream> {
    let (runtime, self_ty) = (&machine.runtime, &machine.self_ty);
    let due = match &handler.trigger {
        Trigger::After { due: Due::Function { path, span, text: _ } } => {
            at(*span, quote!(__private::delay_of::<#self_ty, Self, _, _>(#path, __workflow, __state)))
        }
        Trigger::After { due: Due::At(field) } => {
            let span = field.first().map_or(handler.ident.span(), syn::spanned::Spanned::span);
            at(span, quote!(__private::at_field(&__state.#(#field).*)))
        }
        _ => return None,
    };
    Some(quote! {
        fn timer(
            __workflow: &#self_ty,
            __state: &Self,
        ) -> ::core::option::Option<#runtime::Timer> {
            #due
        }
    })
}

/// The decision of a handler without effects that answers, or refuses to.
fn answering(runtime: &crate::model::Runtime, reply: &ReplyModel, decision: &TokenStream) -> TokenStream {
    let answer = &reply.reply;
    let refusal = match &reply.refusal {
        Some(refusal) => quote!(#refusal),
        None => quote!(#runtime::NoRefusal),
    };
    quote! {
        match #runtime::Reply::into_parts(__returned) {
            __Ok((__reply, __returned)) => {
                __private::Answers::reply(__answers, __reply, __private::JsonProbe::<#answer>::encode);
                #decision
            }
            __Err(__refusal) => {
                __private::Answers::refuse(__answers, __refusal, __private::JsonProbe::<#refusal>::encode);
                #runtime::Decision::Wait
            }
        }
    }
}

/// The decision of a handler with effects that answers, or refuses to.
fn answered(runtime: &crate::model::Runtime, reply: &ReplyModel, decision: &TokenStream) -> TokenStream {
    let answer = &reply.reply;
    let refusal = match &reply.refusal {
        Some(refusal) => quote!(#refusal),
        None => quote!(#runtime::NoRefusal),
    };
    quote! {
        match #runtime::Reply::into_parts(__returned) {
            __Ok((__reply, __returned)) => #runtime::Decision::Reply {
                reply: __private::JsonProbe::<#answer>::encode(&__reply),
                then: __private::boxed(#decision),
            },
            __Err(__refusal) => #runtime::Decision::Refuse {
                refusal: __private::JsonProbe::<#refusal>::encode(&__refusal),
            },
        }
    }
}

/// What a handler returned, as a decision.
pub(crate) fn decide(machine: &Machine, handler: &Handler, value: &TokenStream) -> TokenStream {
    decide_for(&machine.runtime, &machine.self_ty, handler, value)
}

/// The same for any workflow.
pub(crate) fn decide_for(
    runtime: &crate::model::Runtime,
    workflow: &impl quote::ToTokens,
    handler: &Handler,
    value: &TokenStream,
) -> TokenStream {
    let output = &handler.output;
    let one = |target: &Target| match target {
        Target::State(state) => {
            let pattern = quote!(__target);
            (pattern, quote!(__Goto::<#workflow, #state>::goto(__target)))
        }
        Target::Unwind(state) => {
            let pattern = quote!(#runtime::Unwind(__target));
            (pattern, quote!(__Goto::<#workflow, #state>::unwind(__target)))
        }
        Target::Stay(_) => {
            let state = &handler.state;
            let group = group_probe(state);
            let stay = quote! {
                if #group::IS_GROUP {
                    #group::stay::<#workflow>(__target)
                } else {
                    __Goto::<#workflow, #state>::stay(__target)
                }
            };
            (quote!(#runtime::Stay(__target)), stay)
        }
        Target::Wait(_) => (quote!(#runtime::Wait), quote!(__Decision::Wait)),
    };
    let arms: Vec<TokenStream> = if output.next {
        let union = format_ident!("__Union{}", output.targets.len(), span = Span::call_site());
        let arms = output.targets.iter().enumerate().map(|(place, target)| {
            let variant = format_ident!("V{}", place, span = Span::call_site());
            let (pattern, decision) = one(target);
            quote!(#union::#variant(#pattern) => #decision)
        });
        arms.collect()
    } else {
        let arms = output.targets.iter().map(|target| {
            let (pattern, decision) = one(target);
            quote!(#pattern => #decision)
        });
        arms.collect()
    };
    let scrutinee = if output.next { quote!(__returned.into_union()) } else { quote!(__returned) };
    let mut decision = quote!(match #scrutinee { #(#arms,)* });
    if let ([Target::State(state)], false) = (output.targets.as_slice(), output.next) {
        decision = quote!(__Goto::<#workflow, #state>::goto(__returned));
    }
    let decision = match &output.reply {
        Some(reply) if handler.effects => answered(runtime, reply, &decision),
        Some(reply) => answering(runtime, reply, &decision),
        None => decision,
    };
    match &output.fails {
        Fails::Never => {
            quote! {
                let __returned = #value;
                __Ok(#decision)
            }
        }
        fails => {
            let span = match fails {
                Fails::With(error) => syn::spanned::Spanned::span(error),
                Fails::Boxed(span) => *span,
                Fails::Never => Span::call_site(),
            };
            let error = quote_spanned!(span=> __error);
            let boxed = quote_spanned!(span=> __private::handler_error(__error));
            quote! {
                match #value {
                    __Ok(__returned) =>
                        __Ok(#decision),
                    __Err(#error) => __Err(#boxed),
                }
            }
        }
    }
}
