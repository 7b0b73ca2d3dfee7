//! `FulfilmentState`, `FulfilmentLive`, `FulfilmentOutcome` and `FulfilmentEvent`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;

use super::data_enum::DataEnum;
use super::group::live_group_impl;
use super::pure::expand_narrow;
use super::versions::expand_version_states;
use super::{generated_ident, graph::expand_graph, in_machine_const};
use crate::case::snake;
use crate::model::{Cfg, Machine, StateModel, TypeRef};

/// The enums, and what they implement.
pub(crate) fn expand_enums(machine: &Machine) -> TokenStream {
    let parts = [expand_state(machine), expand_live(machine), expand_outcome(machine), expand_event(machine)];
    parts.into_iter().collect()
}

fn variants(machine: &Machine, wanted: impl Fn(&StateModel) -> bool) -> Vec<(&TypeRef, &Cfg)> {
    machine.states.iter().filter(|state| wanted(state)).map(|state| (&state.ty, &state.cfg)).collect()
}

fn probe(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

fn expand_state(machine: &Machine) -> TokenStream {
    let (runtime, ident) = (&machine.runtime, &generated_ident(machine, "State"));
    let data = DataEnum {
        ident,
        doc: format!(
            "Every state of [`{}`], data inside. Its serde form is the persisted name and the data.",
            machine.name()
        ),
        variants: variants(machine, |_| true),
        probe: probe("__State"),
    };
    let item = data.item(machine, &TokenStream::new());
    let graph = expand_graph(machine, ident);
    let (helpers, impls, name) = (data.helpers(machine, &probe("StateReader")), data.serde_impls(), data.name());
    // A state without a handler is an end, or the graph is refused.
    let ends = machine.states.iter().filter(|state| !state.live).map(|state| {
        let (cfg, name) = (&state.cfg, &state.ty.name);
        quote!(#cfg #ident::#name(_) => true)
    });
    let (conversions, narrow) = (data.conversions(), expand_narrow(machine));
    let versions = expand_version_states(machine);
    let hidden = in_machine_const(
        runtime,
        &quote! {
            #helpers
            #impls
            #[automatically_derived]
            impl #runtime::WorkflowState for #ident {
                fn name(&self) -> &'static ::core::primitive::str { #name }
                fn is_end(&self) -> ::core::primitive::bool { match *self { #(#ends,)* _ => false } }
                fn encode(&self) -> __Result<#runtime::Json, #runtime::JsonError> { __part(self).1 }
                fn decode(
                    __name: &::core::primitive::str,
                    __data: &#runtime::Json,
                ) -> ::core::option::Option<__Result<Self, #runtime::JsonError>> {
                    __decode(__name, __data)
                }
                #narrow
            }
            #conversions
            #versions
        },
    );
    quote!(#item #graph #hidden)
}

/// The states of an enum that is a part of the state enum, both ways.
fn conversions(data: &DataEnum<'_>, state: &Ident) -> TokenStream {
    let ident = data.ident;
    let widened = data.variants.iter().map(|(ty, cfg)| {
        let name = &ty.name;
        quote!(#cfg #ident::#name(__state) => #state::#name(__state))
    });
    let narrowed = data.variants.iter().map(|(ty, cfg)| {
        let name = &ty.name;
        quote!(#cfg #state::#name(__state) => __Ok(#ident::#name(__state)))
    });
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<#ident> for #state {
            fn from(__state: #ident) -> Self { match __state { #(#widened,)* } }
        }
        #[automatically_derived]
        impl ::core::convert::TryFrom<#state> for #ident {
            type Error = #state;
            fn try_from(__state: #state) -> __Result<Self, #state> {
                match __state {
                    #(#narrowed,)*
                    __other => __Err(__other),
                }
            }
        }
    }
}

fn expand_live(machine: &Machine) -> TokenStream {
    let (state, ident) = (generated_ident(machine, "State"), &generated_ident(machine, "Live"));
    let data = DataEnum {
        ident,
        doc: format!("Every state of [`{}`] that is no end, data inside.", machine.name()),
        variants: variants(machine, |state| state.live),
        probe: probe("__State"),
    };
    let item = data.item(machine, &TokenStream::new());
    let helpers = data.helpers_of_states(machine, &state);
    let (impls, conversions) = (data.serde_impls(), conversions(&data, &state));
    let name = snake(&ident.to_string());
    let group = live_group_impl(&machine.runtime, ident, &name);
    let hidden = in_machine_const(&machine.runtime, &quote!(#helpers #impls #conversions #group));
    quote!(#item #hidden)
}

fn expand_outcome(machine: &Machine) -> TokenStream {
    let (runtime, state) = (&machine.runtime, &generated_ident(machine, "State"));
    let ident = &generated_ident(machine, "Outcome");
    let data = DataEnum {
        ident,
        doc: format!("Every end state of [`{}`]: what an execution comes to.", machine.name()),
        variants: variants(machine, |state| !state.live),
        probe: probe("__State"),
    };
    let item = data.item(machine, &TokenStream::new());
    let helpers = data.helpers_of_states(machine, state);
    let (impls, conversions) = (data.serde_impls(), conversions(&data, state));
    let hidden = in_machine_const(
        runtime,
        &quote! {
            #helpers
            #impls
            #conversions
            #[automatically_derived]
            impl #runtime::Outcome for #ident {
                type State = #state;
                fn from_state(__state: #state) -> __Result<Self, #state> {
                    <Self as ::core::convert::TryFrom<#state>>::try_from(__state)
                }
            }
        },
    );
    quote!(#item #hidden)
}

fn expand_event(machine: &Machine) -> TokenStream {
    let runtime = &machine.runtime;
    let ident = &generated_ident(machine, "Event");
    let data = DataEnum {
        ident,
        doc: format!("Every event that some state of [`{}`] takes.", machine.name()),
        variants: machine.events.iter().map(|event| (&event.ty, &event.cfg)).collect(),
        probe: probe("__Event"),
    };
    let item = data.item(machine, &TokenStream::new());
    let (helpers, impls, name) = (data.helpers(machine, &probe("EventReader")), data.serde_impls(), data.name());
    let conversions = data.conversions();
    let hidden = in_machine_const(
        runtime,
        &quote! {
            #helpers
            #impls
            #conversions
            #[automatically_derived]
            impl #runtime::WorkflowEvent for #ident {
                fn name(&self) -> &'static ::core::primitive::str { #name }
                fn encode(&self) -> __Result<#runtime::Json, #runtime::JsonError> { __part(self).1 }
                fn decode(
                    __name: &::core::primitive::str,
                    __data: &#runtime::Json,
                ) -> ::core::option::Option<__Result<Self, #runtime::JsonError>> {
                    __decode(__name, __data)
                }
            }
        },
    );
    quote!(#item #hidden)
}
