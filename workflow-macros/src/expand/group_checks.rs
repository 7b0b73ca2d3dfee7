//! Checks of what groups are for, in constants: which states are in a group is known there.

use proc_macro2::TokenStream;
use quote::quote;

use super::{at, display, generated_ident, group_probe, state_probe, type_text};
use crate::model::{Handler, Machine, StateModel, Trigger, TypeRef};

/// Whether a handler of a group that `state` is in may end a wait there.
pub(crate) fn ended_by_group(machine: &Machine, state: &TypeRef) -> TokenStream {
    let ends = machine.group_handlers().filter(|handler| match &handler.trigger {
        Trigger::On { .. } => true,
        Trigger::After { .. } => handler.output.states().next().is_some(),
        Trigger::Entry | Trigger::Catch { .. } => false,
    });
    let probe = state_probe(state);
    let ends = ends.filter(|handler| handler.state != *state).map(|handler| {
        let (cfg, group) = (&handler.cfg, group_probe(&handler.state));
        // What is no group was reported.
        quote!(#cfg { !#group::IS_GROUP || #group::ANY || __private::is_among(#group::MEMBERS, #probe::NAME) })
    });
    quote!(__private::any(&[__CONFUSED, #(#ends),*]))
}

// #[on] fn a(&self, s: Pending, e: E) -> Open
// #[state] async fn b(&self, cx: &Cx, s: Open) …
fn expand_misplaced(machine: &Machine) -> TokenStream {
    let states = machine.states.iter().filter(|state| state.live && machine.start.as_ref() != Some(&state.ty));
    let states: Vec<_> = states.collect();
    let are_groups = states.iter().map(|state| {
        let (cfg, probe) = (&state.cfg, group_probe(&state.ty));
        quote!(#cfg #probe::IS_GROUP)
    });
    let told = states.iter().filter_map(|StateModel { ty: state, cfg, .. }| {
        let mut targets = machine.handlers.iter().flat_map(|handler| handler.output.states());
        let runs = |handler: &&Handler| handler.state == *state && matches!(handler.trigger, Trigger::Entry);
        let name = display(&state.name);
        let (span, message) = match targets.find(|to| *to == state) {
            Some(target) => {
                (target.span(), format!("`{name}` is a group, and nothing goes to a group: go to one of its states"))
            }
            None => {
                let entry = machine.handlers.iter().find(runs)?;
                let message = format!(
                    "`{name}` is a group, and what is entered is a state: write an entry handler for each of its states"
                );
                (entry.state.span(), message)
            }
        };
        let (group, refuse) = (group_probe(state), at(span, quote!(__private::refuse(#message))));
        Some(quote!(#cfg const _: () = if #group::IS_GROUP { #refuse };))
    });
    let start = machine.start.as_ref().map(|start| {
        let group = group_probe(start);
        quote!(#group::IS_GROUP)
    });
    quote! {
        /// Whether a group stands where only a state can, which is told once.
        const __CONFUSED: ::core::primitive::bool = __private::any(&[#(#are_groups,)* #start]);
        #(#told)*
    }
}

// #[on] fn a(&self, s: Open, e: E) …        #[on] fn b(&self, s: Unpaid, e: E) …        where a state is in both
pub(crate) fn expand_group_checks(machine: &Machine) -> TokenStream {
    let any = generated_ident(machine, "Live");
    let handlers: Vec<&Handler> = machine.group_handlers().filter(|handler| handler.state.name != any).collect();
    let index_of = |state: &TypeRef| machine.places().position(|known| known.ty == *state);
    let mut checks = expand_misplaced(machine);
    for (place, second) in handlers.iter().enumerate() {
        for first in handlers.iter().take(place) {
            let Some(what) = conflict(first, second) else { continue };
            let (Some(one), Some(other)) = (index_of(&first.state), index_of(&second.state)) else { continue };
            let shared = machine.states.iter().enumerate().filter(|(_, state)| !has_own(machine, &state.ty, second));
            let tests = shared.map(|(index, state)| {
                let name = display(&state.ty.name);
                let message = format!(
                    "`{name}` is in the groups `{}` and `{}`, and `{}` and `{}` both are for {what} in it: write a handler of `{name}` for it, which goes before them, or take it out of one group",
                    first.state.name, second.state.name, first.name(), second.name(),
                );
                let refuse = at(second.state.span(), quote!(__private::refuse(#message)));
                quote!(if __private::is_in_both(&__PLACES, #index, #one, #other) { #refuse })
            });
            // The first of such states is told.
            let tests: Vec<_> = tests.collect();
            if !tests.is_empty() {
                checks.extend(quote!(const _: () = { #(#tests) else * };));
            }
        }
    }
    checks
}

fn conflict(first: &Handler, second: &Handler) -> Option<String> {
    if first.state == second.state || !first.cfg.is_always() || !second.cfg.is_always() {
        return None;
    }
    match (&first.trigger, &second.trigger) {
        (Trigger::On { event: one }, Trigger::On { event }) if one == event => {
            Some(format!("the event `{}`", display(&event.name)))
        }
        (Trigger::Catch { error: one, .. }, Trigger::Catch { error, .. }) if type_text(one) == type_text(error) => {
            Some(format!("the error `{}`", type_text(error)))
        }
        _ => None,
    }
}

fn has_own(machine: &Machine, state: &TypeRef, of_group: &Handler) -> bool {
    machine.handlers_of(state).any(|own| match (&own.trigger, &of_group.trigger) {
        (Trigger::On { event: one }, Trigger::On { event }) => one == event,
        (Trigger::Catch { error: one, .. }, Trigger::Catch { error, .. }) => type_text(one) == type_text(error),
        _ => false,
    })
}
