//! Checks of what groups are for, in constants: which states are in a group is known there.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{display, generated_ident, group_probe, type_text};
use crate::model::{Handler, Machine, StateModel, Trigger, TypeRef};

/// The groups whose handlers may end a wait in their states.
pub(crate) fn expand_ending(machine: &Machine) -> TokenStream {
    let ends = machine.group_handlers().filter(|handler| match &handler.trigger {
        Trigger::On { .. } => true,
        Trigger::After { .. } => handler.output.states().next().is_some(),
        Trigger::Entry | Trigger::Catch { .. } => false,
    });
    let ends = ends.filter_map(|handler| {
        let (cfg, group) = (&handler.cfg, group_probe(&handler.state));
        let place = place_of(machine, &handler.state)?;
        Some(quote!(#cfg (#place, #group::FACTS)))
    });
    quote!(&[#(#ends),*])
}

fn place_of(machine: &Machine, state: &TypeRef) -> Option<usize> {
    machine.places().position(|known| known.ty == *state)
}

/// The first place where each state is gone to.
pub(crate) fn first_targets(machine: &Machine) -> BTreeMap<&str, &TypeRef> {
    let mut first = BTreeMap::new();
    for target in machine.handlers.iter().flat_map(|handler| handler.output.states()) {
        first.entry(target.key()).or_insert(target);
    }
    first
}

// #[on] fn a(&self, s: Pending, e: E) -> Open
// #[state] async fn b(&self, cx: &Cx, s: Open) …
pub(crate) fn expand_misplaced(
    machine: &Machine,
    targets: &BTreeMap<&str, &TypeRef>,
    index: usize,
    state: &StateModel,
) -> Option<TokenStream> {
    let ty = &state.ty;
    if index >= machine.states.len() || !state.live || machine.start.as_ref() == Some(ty) {
        return None;
    }
    if let Some(target) = targets.get(ty.key()) {
        return Some(quote_spanned!(target.span()=> __private::tell_target(__PLACES, #index)));
    }
    let runs = |handler: &&Handler| handler.state == *ty && matches!(handler.trigger, Trigger::Entry);
    let entry = machine.handlers.iter().find(runs)?;
    Some(quote_spanned!(entry.state.span()=> __private::tell_entered(__PLACES, #index)))
}

// #[on] fn a(&self, s: Open, e: E) …        #[on] fn b(&self, s: Unpaid, e: E) …        where a state is in both
pub(crate) fn expand_group_checks(machine: &Machine) -> TokenStream {
    let any = generated_ident(machine, "Live");
    let handlers: Vec<&Handler> = machine.group_handlers().filter(|handler| handler.state.name != any).collect();
    let mut checks = TokenStream::new();
    for (place, second) in handlers.iter().enumerate() {
        let mut what = None;
        let conflicting = handlers.iter().take(place).filter_map(|first| {
            what = Some(conflict(first, second)?);
            let (group, name) = (place_of(machine, &first.state)?, first.name());
            Some(quote!((#group, #name)))
        });
        let conflicting: Vec<_> = conflicting.collect();
        let (Some(what), Some(group)) = (what, place_of(machine, &second.state)) else { continue };
        let (name, own) = (second.name(), states_with_own(machine, second));
        let span = second.state.span();
        let tell = quote_spanned! {span=>
            __private::tell_shared(__JUDGED, __PLACES, &[#(#conflicting),*], (#group, #name), #what, &[#(#own),*])
        };
        checks.extend(quote!(const _: () = #tell;));
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

/// The states that have a handler of their own for what a group has one for.
fn states_with_own(machine: &Machine, of_group: &Handler) -> Vec<usize> {
    let own = machine.handlers.iter().filter(|own| !own.broken && is_for_same(own, of_group));
    let states = own.filter_map(|own| place_of(machine, &own.state));
    states.filter(|place| *place < machine.states.len()).collect()
}

fn is_for_same(own: &Handler, of_group: &Handler) -> bool {
    match (&own.trigger, &of_group.trigger) {
        (Trigger::On { event: one }, Trigger::On { event }) => one == event,
        (Trigger::Catch { error: one, .. }, Trigger::Catch { error, .. }) => type_text(one) == type_text(error),
        _ => false,
    }
}
