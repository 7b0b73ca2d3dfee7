//! `impl Workflow` and `impl Accepts`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;

use super::pure::{expand_pure, expand_take_once};
use super::saved::expand_saved;
use super::undo::expand_undo;
use super::versions::expand_versions;
use super::{at, edge_key, generated_ident, group_probe, source_read, state_probe, where_shared};
use crate::model::{Due, EventModel, Handler, Machine, Trigger, TypeRef};
use crate::parse::types::is_named;

pub(crate) fn expand_workflow(machine: &Machine) -> TokenStream {
    let (runtime, self_ty, name) = (&machine.runtime, &machine.self_ty, machine.persisted_name());
    let Some(start) = &machine.start else { return TokenStream::new() };
    let (impl_generics, _, _) = machine.generics.split_for_impl();
    let (where_shared, where_clause) = (where_shared(machine, false), where_shared(machine, true));
    let state = generated_ident(machine, "State");
    let outcome = generated_ident(machine, "Outcome");
    let event = generated_ident(machine, "Event");
    let transition = generated_ident(machine, "Transition");
    let runs = machine.handlers.iter().filter(|handler| !handler.broken).map(|handler| expand_run(machine, handler));
    let (undo, saved) = (expand_undo(machine), expand_saved(machine));
    let versions = expand_versions(machine);
    // Those of the state go before those of a group, and that before those of any state.
    let any = generated_ident(machine, "Live");
    let (any, groups): (Vec<_>, Vec<_>) = machine.groups.iter().partition(|group| group.ty.name == any);
    let sources = machine.states.iter().chain(groups).chain(any);
    let catches = sources.map(|source| expand_catch(machine, &source.ty));
    let timers: Vec<_> = machine.handlers.iter().filter_map(|handler| expand_timer(machine, handler)).collect();
    let timer = (!timers.is_empty()).then(|| {
        quote! {
            fn timer(
                &self,
                __handler: &::core::primitive::str,
                __state: &::core::primitive::str,
                __data: &#runtime::Json,
            ) -> __Result<::core::option::Option<#runtime::Timer>, #runtime::Error> {
                match __handler {
                    #(#timers,)*
                    _ => __Ok(::core::option::Option::None),
                }
            }
        }
    });
    let accepts = machine.events.iter().map(|event| {
        let take_once = expand_take_once(machine, event);
        let (cfg, event) = (&event.cfg, &event.ty);
        quote! {
            #cfg
            #[automatically_derived]
            impl #impl_generics #runtime::Accepts<#event> for #self_ty #where_shared {
                fn event_name() -> &'static ::core::primitive::str {
                    __private::EventProbe::<#event>::NAME
                }
                fn event_key(__event: &#event) -> ::core::option::Option<__private::Text> {
                    __private::EventProbe::<#event>::key(__event)
                }
                fn encode_event(__event: &#event) -> __Result<#runtime::Json, #runtime::JsonError> {
                    __private::EventProbe::<#event>::encode(__event)
                }
                #take_once
            }
        }
    });
    let (pure, helpers) = expand_pure(machine);
    let asks = machine.events.iter().filter_map(|event| expand_asks(machine, event));
    quote! {
        #[automatically_derived]
        impl #impl_generics #runtime::Workflow for #self_ty #where_clause {
            const NAME: &'static ::core::primitive::str = #name;
            const GRAPH: &'static #runtime::Graph = #state::GRAPH;
            #versions
            type Start = #start;
            type State = #state;
            type Outcome = #outcome;
            type Event = #event;
            type Transition = #transition;
            fn run<'__a>(
                &'__a self,
                __cx: &'__a #runtime::Cx,
                __call: &'__a #runtime::HandlerCall,
            ) -> #runtime::HandlerRun<'__a> {
                match __private::handler_name(__call) {
                    #(#runs,)*
                    _ => __private::run_unknown(__call),
                }
            }
            #undo
            fn catch(
                &self,
                __state: &::core::primitive::str,
                __error: &#runtime::Error,
            ) -> ::core::option::Option<(&'static ::core::primitive::str, #runtime::Json)> {
                #(#catches)*
                ::core::option::Option::None
            }
            #timer
            #saved
            #pure
        }
        #helpers
        #(#accepts)*
        #(#asks)*
    }
}

/// `impl Asks`, where the edges of an event answer it.
fn expand_asks(machine: &Machine, event: &EventModel) -> Option<TokenStream> {
    let (runtime, self_ty, cfg, ty) = (&machine.runtime, &machine.self_ty, &event.cfg, &event.ty);
    let takes = |handler: &&Handler| matches!(&handler.trigger, Trigger::On { event } if event == ty);
    // Also those with mistakes, as the user may ask elsewhere.
    let handlers = machine.handlers.iter().filter(takes);
    let replies: Vec<_> = handlers.filter_map(|handler| handler.output.reply.as_ref()).collect();
    let reply = &replies.first()?.reply;
    let refusal = match replies.iter().find_map(|reply| reply.refusal.as_ref()) {
        Some(refusal) => quote!(#refusal),
        None => quote!(#runtime::NoRefusal),
    };
    let demand = |ty: &Type| {
        let function = quote_spanned!(syn::spanned::Spanned::span(ty)=> __private::assert_answer);
        quote!(#function::<#ty>();)
    };
    let demands = (demand(reply), replies.iter().find_map(|reply| reply.refusal.as_ref()).map(demand));
    let (demand_reply, demand_refusal) = demands;
    let (impl_generics, where_shared) = (machine.generics.split_for_impl().0, where_shared(machine, false));
    Some(quote! {
        #cfg
        #[automatically_derived]
        impl #impl_generics #runtime::Asks<#ty> for #self_ty #where_shared {
            type Reply = #reply;
            type Refusal = #refusal;
            fn decode_reply(
                __json: &#runtime::Json,
            ) -> __Result<#reply, #runtime::JsonError> {
                #demand_reply
                __private::JsonProbe::<#reply>::decode(__json)
            }
            fn decode_refusal(
                __json: &#runtime::Json,
            ) -> __Result<#refusal, #runtime::JsonError> {
                #demand_refusal
                __private::JsonProbe::<#refusal>::decode(__json)
            }
        }
    })
}

fn expand_run(machine: &Machine, handler: &Handler) -> TokenStream {
    let (self_ty, name, state, cfg) = (&machine.self_ty, handler.name(), &handler.state, &handler.cfg);
    let read = source_read(machine, state);
    // By probes, as a handler in a part may be missing, which is reported elsewhere.
    let run = match &handler.trigger {
        Trigger::Entry => quote!(__EntryProbe::<#self_ty, #state>::run(self, __cx, __call, #read)),
        Trigger::On { event } => {
            let event_decode = quote!(__Event::<#event>::decode);
            quote!(__OnProbe::<#self_ty, #state, #event>::run(self, __cx, __call, #read, #event_decode))
        }
        Trigger::After { .. } => {
            let key = edge_key(machine, &name);
            quote!(__AfterProbe::<#self_ty, #state, #key>::run(self, __cx, __call, #read))
        }
        Trigger::Catch { error, .. } => {
            let restore = quote!(__private::CatchErrorProbe::<#error>::restore);
            quote!(__CatchProbe::<#self_ty, #state, #error>::run(self, __cx, __call, #read, #restore))
        }
    };
    quote!(#cfg #name => #run)
}

/// An edge whose time stands in the data, or in a part, where nobody knows.
fn expand_timer(machine: &Machine, handler: &Handler) -> Option<TokenStream> {
    let (self_ty, name, state, cfg) = (&machine.self_ty, handler.name(), &handler.state, &handler.cfg);
    let Trigger::After { due: Due::Function { .. } | Due::At(_) | Due::Elsewhere("after" | "at") } = &handler.trigger
    else {
        return None;
    };
    let (key, read) = (edge_key(machine, &name), source_read(machine, state));
    let timer = quote!(__private::AfterProbe::<#self_ty, #state, #key>::timer);
    (!handler.broken).then(|| quote!(#cfg #name => #timer(self, __state, __data, #read)))
}

fn expand_catch(machine: &Machine, state: &TypeRef) -> TokenStream {
    let errors = machine.handlers_of(state).filter_map(|handler| match &handler.trigger {
        Trigger::Catch { error, .. } => Some((handler, error)),
        Trigger::Entry | Trigger::On { .. } | Trigger::After { .. } => None,
    });
    // The boxed error takes everything, so it is asked last.
    let (boxed, typed): (Vec<_>, Vec<_>) = errors.partition(|(_, error)| is_boxed_error(error));
    let catches: Vec<_> = typed.into_iter().chain(boxed).collect();
    if catches.is_empty() {
        return TokenStream::new();
    }
    let probe = state_probe(state);
    let is_meant = if machine.is_group(state) {
        let group = group_probe(state);
        quote!(#group::has(__state))
    } else {
        quote!(__private::is_name(__state, #probe::NAME, #probe::WAS) || __private::is_old_name(__state, #probe::NAME, #probe::WAS))
    };
    let assertions = catches.iter().map(|(handler, error)| {
        let (cfg, function) = (&handler.cfg, quote!(__private::assert_catch_error));
        let function = at(syn::spanned::Spanned::span(error), function);
        quote!(#cfg { #function::<#error>(); })
    });
    let finds = catches.iter().map(|(handler, error)| {
        let (cfg, name) = (&handler.cfg, handler.name());
        quote!(#cfg (#name, __private::CatchErrorProbe::<#error>::find))
    });
    quote! {
        #(#assertions)*
        if #is_meant {
            let __found = __private::find_catch(__error, &[#(#finds),*]);
            if ::core::option::Option::is_some(&__found) {
                return __found;
            }
        }
    }
}

/// Whether it is the runtime's own `Error`, by its name.
pub(crate) fn is_boxed_error(error: &Type) -> bool {
    is_named(error, "Error")
}
