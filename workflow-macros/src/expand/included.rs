//! What the main impl knows of handlers that are written in parts, and what a part says of them.

use proc_macro2::TokenStream;
use quote::quote;

use super::graph::handler_info;
use super::{at, edge_key, state_probe};
use crate::model::{Handler, Machine, Trigger};

/// What is known of a handler in a part, whether it exists or not.
pub(crate) fn handler_probe(machine: &Machine, handler: &Handler) -> TokenStream {
    let (state, key) = (&handler.state, edge_key(machine, &handler.name()));
    quote!(__private::HandlerProbe::<#state, #key>)
}

/// In the main impl: each included handler exists and is what it is said to be.
pub(crate) fn expand_included(machine: &Machine) -> TokenStream {
    machine
        .handlers
        .iter()
        .filter(|handler| handler.is_included())
        .map(|handler| expand_one(machine, handler))
        .collect()
}

fn expand_one(machine: &Machine, handler: &Handler) -> TokenStream {
    let span = handler.ident.span();
    let (state, name) = (&handler.state, handler.name());
    let probe = handler_probe(machine, handler);
    let key = edge_key(machine, &name);
    let exists = at(
        span,
        quote!(
            const _: () = __private::assert_described::<__State, __Key>();
        ),
    );
    let kind = match &handler.trigger {
        Trigger::Entry => "state",
        Trigger::On { .. } => "on",
        Trigger::After { .. } => "after",
        Trigger::Catch { .. } => "catch",
    };
    let payload = match &handler.trigger {
        Trigger::On { event } => quote!(__private::EventProbe::<#event>::NAME),
        Trigger::Catch { error, .. } => {
            let error = super::type_text(error);
            quote!(#error)
        }
        Trigger::Entry | Trigger::After { .. } => quote!(""),
    };
    let to = handler.output.states().map(state_probe);
    let waits = handler.output.waits().is_some();
    let message = format!(
        "`{name}` is another handler in its part: write its kind, its state, its payload and its targets here as they are there, in the same order"
    );
    let mismatch = at(span, quote!(__private::refuse(#message)));
    quote! {
        const _: () = {
            type __State = #state;
            type __Key = #key;
            #exists
        };
        const _: () = if __private::differs(#probe::KNOWN, #kind, #payload, &[#(#to::NAME),*], #waits) {
            #mismatch
        };
    }
}

/// In the main impl: what a part asks, so that none of its handlers is forgotten.
pub(crate) fn expand_lists(machine: &Machine) -> TokenStream {
    let (impl_generics, _, where_clause) = machine.generics.split_for_impl();
    let self_ty = &machine.self_ty;
    let lists = machine.handlers.iter().filter(|handler| handler.is_included()).map(|handler| {
        let name = handler.name();
        quote! {
            #[automatically_derived]
            impl #impl_generics __private::Lists<{ __private::name_digest(#name) }> for #self_ty #where_clause {}
        }
    });
    lists.collect()
}

/// In a part: what the graph says of its handlers.
pub(crate) fn expand_described(machine: &Machine) -> TokenStream {
    let runtime = &machine.runtime;
    let described = machine.handlers.iter().filter(|handler| !handler.broken).map(|handler| {
        let (cfg, state, info) = (&handler.cfg, &handler.state, handler_info(machine, handler));
        let key = edge_key(machine, &handler.name());
        quote! {
            #cfg
            #[automatically_derived]
            #[doc(hidden)]
            impl #runtime::Described<#key> for #state {
                const HANDLER: #runtime::HandlerInfo = #info;
            }
        }
    });
    described.collect()
}
