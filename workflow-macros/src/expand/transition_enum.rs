//! `FulfilmentTransition`: one fieldless variant per edge.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use super::graph::trigger;
use super::{allow, display, doc, generated_ident, group_probe, imports, in_const, source_name, state_probe};
use crate::case::camel;
use crate::model::{Handler, Machine, TypeRef};

/// One edge.
pub(crate) struct Transition<'a> {
    pub(crate) ident: Ident,
    pub(crate) handler: &'a Handler,
    pub(crate) to: &'a TypeRef,
    /// Whether what was done is undone before.
    pub(crate) unwinds: bool,
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
        let unwinds = handler.output.unwound().any(|unwound| unwound == to);
        transitions.push(Transition { ident: Ident::new(&name, Span::call_site()), handler, to, unwinds });
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
    let arms = |value: &dyn Fn(&Transition<'_>) -> TokenStream| -> TokenStream {
        let arms = transitions.iter().map(|transition| {
            let (cfg, name, value) = (&transition.handler.cfg, &transition.ident, value(transition));
            quote!(#cfg Self::#name => #value)
        });
        quote!(match self { #(#arms,)* })
    };
    let from = arms(&|transition| source_name(&transition.handler.state));
    let sources = arms(&|transition| {
        let source = &transition.handler.state;
        let (group, state) = (group_probe(source), state_probe(source));
        quote!(if #group::IS_GROUP { #group::MEMBERS } else { &[#state::NAME] })
    });
    let to = arms(&|transition| {
        let state = state_probe(transition.to);
        quote!(#state::NAME)
    });
    let handler = arms(&|transition| {
        let name = transition.handler.name();
        quote!(#name)
    });
    let unwinds = arms(&|transition| {
        let unwinds = transition.unwinds;
        quote!(#unwinds)
    });
    let trigger = arms(&|transition| trigger(machine, transition.handler));
    let all = transitions.iter().map(|transition| {
        let (cfg, name) = (&transition.handler.cfg, &transition.ident);
        quote!(#cfg Self::#name)
    });
    let (allow, imports) = (allow(), imports(runtime));
    let text = doc(&format!("Every edge of [`{}`], in declaration order.", machine.name()));
    let hidden = in_const(
        runtime,
        &quote! {
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
            pub const fn from(self) -> &'static ::core::primitive::str { #imports #from }
            /// The persisted names of the states that it may leave: one, or those of the group.
            #[must_use]
            pub const fn sources(self) -> &'static [&'static ::core::primitive::str] { #imports #sources }
            /// The persisted name of the state that it enters.
            #[must_use]
            pub const fn to(self) -> &'static ::core::primitive::str { #imports #to }
            /// The handler that takes it.
            #[must_use]
            pub const fn handler(self) -> &'static ::core::primitive::str { #handler }
            /// Whether everything is undone before the state is entered.
            #[must_use]
            pub const fn unwinds(self) -> ::core::primitive::bool { #unwinds }
            /// What makes it fire.
            #[must_use]
            pub const fn trigger(self) -> #runtime::Trigger { #imports #trigger }
        }
        #hidden
    }
}
