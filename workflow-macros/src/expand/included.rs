//! What the main impl knows of handlers that are written in parts, and what a part says of them.

use proc_macro2::TokenStream;
use quote::quote;

use super::graph::{file, handler_info};
use super::{at, edge_key, name_digest, state_probe};
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
        .filter(|handler| handler.is_included() && !handler.broken)
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
        Trigger::After { due } => due.kind(),
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
    let to: Vec<_> = handler.output.states().map(state_probe).collect();
    let waits = handler.output.waits().is_some();
    let unwound = handler.output.unwound().map(state_probe);
    let reply = handler.output.reply.as_ref().map(|reply| super::type_text(&reply.reply)).unwrap_or_default();
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
        const _: () = if #(#to::IS_STATE &&)* __private::differs(#probe::KNOWN, #kind, #payload, &[#(#to::NAME),*], #waits, #reply, &[#(#unwound::NAME),*]) {
            #mismatch
        };
    }
}

/// In the main impl: what a part asks, so that none of its handlers is forgotten.
pub(crate) fn expand_lists(machine: &Machine) -> TokenStream {
    let (impl_generics, _, where_clause) = machine.generics.split_for_impl();
    let self_ty = &machine.self_ty;
    if machine.include_broken {
        // Any of them may be meant by what could not be read.
        let parameters = &machine.generics.params;
        let comma = (!parameters.is_empty() && !parameters.trailing_punct()).then(|| quote!(,));
        return quote! {
            #[automatically_derived]
            impl<#parameters #comma const __HANDLER: ::core::primitive::u64> __private::Lists<__HANDLER> for #self_ty
            #where_clause {}
        };
    }
    let mut names: Vec<String> =
        machine.handlers.iter().filter(|handler| handler.is_included()).map(Handler::name).collect();
    names.sort_unstable();
    names.dedup();
    let lists = names.iter().map(|name| {
        let digest = name_digest(name);
        quote! {
            #[automatically_derived]
            #[doc(hidden)]
            impl #impl_generics __private::Lists<#digest> for #self_ty #where_clause {}
        }
    });
    lists.collect()
}

/// In a part: it is one of a workflow, and the main impl lists its handlers.
pub(crate) fn expand_listed(machine: &Machine) -> TokenStream {
    let (impl_generics, _, where_clause) = machine.generics.split_for_impl();
    let self_ty = &machine.self_ty;
    let exists = at(machine.ident.span(), quote!(__private::assert_workflow::<#self_ty>();));
    let listed = machine.handlers.iter().filter(|handler| !handler.broken).map(|handler| {
        let (cfg, digest) = (&handler.cfg, name_digest(&handler.name()));
        let assertion = quote!(__private::ListedOf::<#self_ty>::assert_listed::<#digest>(););
        let assertion = at(handler.ident.span(), assertion);
        quote!(#cfg #assertion)
    });
    quote! {
        fn __part #impl_generics () #where_clause {
            #exists
            #(#listed)*
        }
    }
}

/// In a part: what the graph says of its handlers.
pub(crate) fn expand_described(machine: &Machine) -> TokenStream {
    let runtime = &machine.runtime;
    let described = machine.handlers.iter().map(|handler| {
        let (cfg, state, name) = (&handler.cfg, &handler.state, handler.name());
        let key = edge_key(machine, &name);
        // What has been reported is there at least.
        let constants = if handler.broken {
            quote! {
                const HANDLER: #runtime::HandlerInfo =
                    #runtime::HandlerInfo::declare(#name, #runtime::Trigger::Entry, "", &[], "", __FILE, 0);
                const REFUSED: ::core::primitive::bool = true;
            }
        } else {
            let info = handler_info(machine, handler, false);
            quote!(const HANDLER: #runtime::HandlerInfo = #info;)
        };
        quote! {
            #cfg
            #[automatically_derived]
            #[doc(hidden)]
            impl #runtime::Described<#key> for #state { #constants }
        }
    });
    let file = file();
    quote!(#file #(#described)*)
}
