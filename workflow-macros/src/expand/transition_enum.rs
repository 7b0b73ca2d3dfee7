//! `FulfilmentTransition`: one fieldless variant per edge.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use super::{allow, display, doc, generated_ident, in_machine_const};
use crate::case::camel;
use crate::model::{Handler, Machine, TypeRef};

/// One edge.
pub(crate) struct Transition<'a> {
    pub(crate) ident: Ident,
    pub(crate) handler: &'a Handler,
    pub(crate) to: &'a TypeRef,
}

/// Every edge, in declaration order; also those of handlers with mistakes, as the user may name them elsewhere.
pub(crate) fn transitions(machine: &Machine) -> Vec<Transition<'_>> {
    let edges = machine.handlers.iter().flat_map(|handler| handler.output.states().map(move |to| (handler, to)));
    let mut transitions: Vec<Transition<'_>> = Vec::new();
    for (handler, to) in edges {
        let name = format!("{}To{}", camel(&handler.name()), display(&to.name));
        if handler.broken && transitions.iter().any(|known| known.ident == name) {
            continue;
        }
        transitions.push(Transition { ident: Ident::new(&name, Span::call_site()), handler, to });
    }
    transitions
}

pub(crate) fn expand_transitions(machine: &Machine) -> TokenStream {
    let (runtime, vis, ident) = (&machine.runtime, &machine.vis, &generated_ident(machine, "Transition"));
    let transitions = transitions(machine);
    let variants = transitions.iter().map(|transition| {
        let (cfg, name) = (&transition.handler.cfg, &transition.ident);
        let (from, to) = (display(&transition.handler.state.name), display(&transition.to.name));
        let text = doc(&format!("`{from}` → `{to}`, by `{}`.", transition.handler.name()));
        quote!(#cfg #text #name)
    });
    let all = transitions.iter().map(|transition| {
        let (cfg, name) = (&transition.handler.cfg, &transition.ident);
        quote!(#cfg Self::#name)
    });
    // An enum without a variant has no numbers.
    let place = if transitions.iter().any(|transition| transition.handler.cfg.is_always()) {
        quote!(self as ::core::primitive::usize)
    } else {
        let arms = transitions.iter().map(|transition| {
            let (cfg, name) = (&transition.handler.cfg, &transition.ident);
            quote!(#cfg Self::#name => Self::#name as ::core::primitive::usize)
        });
        quote!(match self { #(#arms,)* })
    };
    let edges = machine.start.as_ref().map(|_| {
        let state = generated_ident(machine, "State");
        quote!(__private::edges::<{ Self::ALL.len() }>(#state::GRAPH.handlers))
    });
    let edges = edges.unwrap_or_else(|| quote!([]));
    let (allow, private) = (allow(), quote!(#runtime::__private));
    let text = doc(&format!("Every edge of [`{}`], in declaration order.", machine.name()));
    let hidden = in_machine_const(
        runtime,
        &quote! {
            #[automatically_derived]
            impl __private::EdgeTable for #ident {
                const EDGES: &'static [__private::TableEdge] = &#edges;
            }
            #[automatically_derived]
            impl #runtime::Transition for #ident {
                const ALL: &'static [Self] = Self::ALL;
                fn from(self) -> &'static ::core::primitive::str { Self::from(self) }
                fn sources(self) -> &'static [&'static ::core::primitive::str] { Self::sources(self) }
                fn to(self) -> &'static ::core::primitive::str { Self::to(self) }
                fn handler(self) -> &'static ::core::primitive::str { Self::handler(self) }
                fn unwinds(self) -> ::core::primitive::bool { Self::unwinds(self) }
                fn trigger(self) -> #runtime::Trigger { Self::trigger(self) }
            }
        },
    );
    quote! {
        #text
        #allow
        #[derive(
            ::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy, ::core::cmp::PartialEq, ::core::cmp::Eq,
            ::core::cmp::PartialOrd, ::core::cmp::Ord, ::core::hash::Hash
        )]
        #vis enum #ident { #(#variants,)* }
        #allow
        impl #ident {
            /// Every edge, in declaration order.
            pub const ALL: &'static [Self] = &[#(#all),*];
            /// The persisted name of the state that it leaves; the name of the group, if it is one of a group.
            #[must_use]
            pub const fn from(self) -> &'static ::core::primitive::str { self.__edge().from }
            /// The persisted names of the states that it may leave: one, or those of the group.
            #[must_use]
            pub const fn sources(self) -> &'static [&'static ::core::primitive::str] { self.__edge().sources }
            /// The persisted name of the state that it enters.
            #[must_use]
            pub const fn to(self) -> &'static ::core::primitive::str { self.__edge().to }
            /// The handler that takes it.
            #[must_use]
            pub const fn handler(self) -> &'static ::core::primitive::str { self.__edge().handler }
            /// Whether everything is undone before the state is entered.
            #[must_use]
            pub const fn unwinds(self) -> ::core::primitive::bool { self.__edge().unwinds }
            /// What makes it fire.
            #[must_use]
            pub const fn trigger(self) -> #runtime::Trigger { self.__edge().trigger }
            const fn __edge(self) -> &'static #private::TableEdge {
                #private::edge(<Self as #private::EdgeTable>::EDGES, #place)
            }
        }
        #hidden
    }
}
