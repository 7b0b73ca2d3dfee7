//! `Workflow::undo`: from the persisted name of a step to what undoes it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::step::{assertions_of, policy};
use super::{at, edge_key, where_part};
use crate::model::{Jitter, Machine, Policy, Retry, Undo, unraw};

use std::time::Duration;

/// How an undo is retried that is no step itself. It takes some minutes, as there is nobody else to do it.
const DEFAULT: Retry = Retry {
    max: 16,
    base: Duration::from_millis(200),
    cap: Duration::from_secs(60),
    jitter: Jitter::Full,
    variants: None,
};

// #[step(retry(max = 5), undo = release)]
// async fn reserve(&self, cx: &Cx, order: &Order) -> Result<Reservation, StockError> { … }
// async fn release(&self, cx: &Cx, reservation: Reservation) -> Result<(), StockError> { … }
//
// fn undo<'a>(&'a self, cx: &'a Cx, undo: &'a UndoRecord) -> Option<HandlerRun<'a>> {
//     match &*undo.step {
//         "reserve" => return Some(run_undo(cx, undo,
//             move |cx, args| async move {
//                 let order = undo_argument(JsonProbe::<Order>::decode, &cx, &args, 0).await;
//                 self.reserve(&cx, &order).await
//             },
//             move |output| async move {
//                 let undone = StepProbe::<Result<(), StockError>>::retried(call_undo(cx, &POLICY, undo), move |cx| {
//                     let output = output.clone();
//                     async move {
//                         let output = undo_output(JsonProbe::<Reservation>::decode, &cx, &output).await;
//                         self.release(&cx, UndoProbe::<Reservation, Reservation>::take(output).await).await
//                     }
//                 });
//                 UndoneProbe::<Result<(), StockError>>::undone(undone.await)
//             },
//         )),
//         _ => {}
//     }
//     None
// }
pub(crate) fn expand_undo(machine: &Machine) -> TokenStream {
    let (runtime, self_ty) = (&machine.runtime, &machine.self_ty);
    let included = machine.handlers.iter().filter(|handler| handler.is_included() && !handler.broken);
    let parts = included.map(|handler| {
        let (state, key) = (&handler.state, edge_key(machine, &handler.name()));
        quote! {
            if let ::core::option::Option::Some(__run) = __private::PartProbe::<#self_ty, #state, #key>::undo(self, __cx, __undo) {
                return ::core::option::Option::Some(__run);
            }
        }
    });
    let parts: Vec<TokenStream> = parts.collect();
    if machine.undos.is_empty() && parts.is_empty() {
        return TokenStream::new();
    }
    let body = body(machine, &quote!(self));
    quote! {
        fn undo<'__a>(
            &'__a self,
            __cx: &'__a #runtime::Cx,
            __undo: &'__a #runtime::UndoRecord,
        ) -> ::core::option::Option<#runtime::HandlerRun<'__a>> {
            #body
            #(#parts)*
            ::core::option::Option::None
        }
    }
}

/// In a part: the same, to be found by way of one of its handlers.
pub(crate) fn expand_part_undo(machine: &Machine) -> TokenStream {
    if machine.undos.is_empty() {
        return TokenStream::new();
    }
    let (runtime, self_ty) = (&machine.runtime, &machine.self_ty);
    let (impl_generics, _, _) = machine.generics.split_for_impl();
    let where_clause = where_part(machine);
    let body = body(machine, &quote!(__workflow));
    let mut handlers = machine.handlers.iter().filter(|handler| !handler.broken);
    let always = handlers.clone().find(|handler| handler.cfg.is_always());
    let Some(handler) = always.or_else(|| handlers.next()) else { return TokenStream::new() };
    let (cfg, state, key) = (&handler.cfg, &handler.state, edge_key(machine, &handler.name()));
    quote! {
        #cfg
        #[automatically_derived]
        #[doc(hidden)]
        impl #impl_generics __private::PartUndo<#self_ty, #key> for #state #where_clause {
            fn undo<'__a>(
                __workflow: &'__a #self_ty,
                __cx: &'__a #runtime::Cx,
                __undo: &'__a #runtime::UndoRecord,
            ) -> ::core::option::Option<#runtime::HandlerRun<'__a>> {
                #body
                ::core::option::Option::None
            }
        }
    }
}

fn body(machine: &Machine, workflow: &TokenStream) -> TokenStream {
    let arms = machine.undos.iter().map(|undo| expand_one(machine, undo));
    if machine.undos.is_empty() {
        return TokenStream::new();
    }
    quote! {
        let __workflow = #workflow;
        match &*__undo.step {
            #(#arms)*
            _ => {}
        }
    }
}

fn expand_one(machine: &Machine, undo: &Undo) -> TokenStream {
    let runtime = &machine.runtime;
    let (cfg, step, name) = (&undo.cfg, &undo.step, unraw(&undo.step));
    let was =
        machine.steps.iter().find(|known| known.ident == undo.step).map_or(&[] as &[String], |step| &step.policy.was);
    let (method, output, takes, returns) = (&undo.method, &undo.output, &undo.takes, &undo.returns);
    let value = quote!(<#output as __private::StepResult>::Value);
    let asserted = undo.arguments.iter().map(|argument| {
        let ty = &argument.ty;
        let function = quote_spanned!(ty.span()=> __private::assert_undo_argument);
        quote!(#function::<#ty>();)
    });
    let fits = at(method.span(), quote!(__private::assert_undoes::<#takes, #value>();));
    let locals: Vec<_> =
        (0..undo.arguments.len()).map(|place| format_ident!("__argument{}", place, span = Span::call_site())).collect();
    let decoded = undo.arguments.iter().zip(&locals).enumerate().map(|(place, (argument, local))| {
        let ty = &argument.ty;
        quote!(let #local = __private::undo_argument(__private::JsonProbe::<#ty>::decode, &__cx, &__args, #place).await;)
    });
    let handed = undo.arguments.iter().zip(&locals).map(|(argument, local)| match argument.by_reference {
        true => quote!(&#local),
        false => quote!(#local),
    });
    let reference = undo.by_reference.then(|| quote!(&));
    let released = quote!(__workflow.#method(&__cx, #reference __output).await);
    let read = quote! {
        let __output = __private::undo_output(__private::JsonProbe::<#value>::decode, &__cx, &__output).await;
        let __output = __private::UndoProbe::<#value, #takes>::take(__output).await;
    };
    let released = if undo.is_step {
        quote! {
            let __cx = ::core::clone::Clone::clone(__cx);
            #read
            let __undone = #released;
        }
    } else {
        let policy = policy(method, &Policy { retry: Some(DEFAULT), ..Policy::default() });
        quote! {
            const __POLICY: __private::StepPolicy = #policy;
            let __call = __private::call_undo(__cx, &__POLICY, __undo);
            let __undone = __private::StepProbe::<#returns>::retried(__call, move |__cx| {
                let __output = ::core::clone::Clone::clone(&__output);
                async move {
                    #read
                    #released
                }
            }).await;
        }
    };
    // At the place of the undo's return type; a step says it of itself.
    let returned = (!undo.is_step).then(|| assertions_of(returns));
    // With the place of the name at the step, where a future that is not `Send` is reported.
    let run = at(
        method.span().resolved_at(Span::call_site()),
        quote! {
            __private::run_undo(
                __cx,
                __undo,
                move |__cx: #runtime::Cx, __args: ::std::vec::Vec<#runtime::Json>| async move {
                    #(#decoded)*
                    __workflow.#step(&__cx #(, #handed)*).await
                },
                move |__output: #runtime::Json| async move {
                    #released
                    __private::UndoneProbe::<#returns>::undone(__undone)
                },
            )
        },
    );
    quote! {
        #cfg
        #name #(| #was)* => {
            #(#asserted)*
            #fits
            #returned
            return ::core::option::Option::Some(#run);
        }
    }
}
