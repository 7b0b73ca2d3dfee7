//! Names that have to mean one thing.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use syn::Ident;

use crate::errors::Errors;
use crate::expand::transition_enum::transitions;
use crate::expand::type_text;
use crate::model::{Machine, Trigger, TypeRef, unraw};
use crate::parse::impl_block::{Names, collect};
use crate::parse::types::parse_type_ref;

// #[on] fn paid(&self, s: orders::Pending, …) -> Paid
// #[after("1h")] fn unpaid(&self, s: invoices::Pending) -> Cancelled
pub(crate) fn check_one_path_per_name(machine: &mut Machine, errors: &mut Errors) {
    let handlers = || machine.handlers.iter().enumerate();
    let start = machine.start.iter().map(|start| (None, start));
    let mentions = handlers().flat_map(|(index, handler)| {
        std::iter::once(&handler.state).chain(handler.output.states()).map(move |state| (Some(index), state))
    });
    let of_state = check_paths(start.chain(mentions), errors);
    let events = handlers().filter_map(|(index, handler)| match &handler.trigger {
        Trigger::On { event } => Some((Some(index), event)),
        Trigger::Entry | Trigger::After { .. } | Trigger::Catch { .. } => None,
    });
    let of_event = check_paths(events, errors);
    for index in of_state.into_iter().chain(of_event) {
        if let Some(handler) = machine.handlers.get_mut(index) {
            handler.broken = true;
            handler.unclear = true;
        }
    }
}

/// Hands back the handlers that mean another type than those before them. The first is reported, which is enough.
fn check_paths<'a>(mentions: impl Iterator<Item = (Option<usize>, &'a TypeRef)>, errors: &mut Errors) -> Vec<usize> {
    let mut first: BTreeMap<&str, &TypeRef> = BTreeMap::new();
    let mut others = Vec::new();
    for (handler, mention) in mentions {
        let known = *first.entry(mention.key()).or_insert(mention);
        let text = |ty: &TypeRef| ty.ty.to_token_stream().to_string();
        if !std::ptr::eq(known, mention) && text(known) != text(mention) {
            if others.is_empty() {
                let message = format!(
                    "`{}` and `{}` have one last name, which is the name of the generated variant: write one and the same path everywhere, or rename one of the types",
                    type_text(known),
                    type_text(mention),
                );
                errors.at(mention, message);
            }
            others.extend(handler);
        }
    }
    others
}

// #[on] fn paid(&self, payment: Payment, s: PendingPayment) -> Fulfilling
// #[catch] fn gave_up(&self, error: ShipError, s: Fulfilling) -> Cancelled
pub(crate) fn check_argument_order(machine: &mut Machine, errors: &mut Errors) {
    let is_state = |machine: &Machine, ty: &TypeRef, but: usize| {
        let is_start = machine.start.as_ref() == Some(ty);
        let others = machine.handlers.iter().enumerate().filter(|(index, _)| *index != but);
        let mut mentioned =
            others.flat_map(|(_, handler)| std::iter::once(&handler.state).chain(handler.output.states()));
        is_start || mentioned.any(|state| state == ty)
    };
    // Most payloads are named as a state nowhere.
    let named = machine.handlers.iter();
    let named = named.flat_map(|handler| std::iter::once(&handler.state).chain(handler.output.states()));
    let named: BTreeSet<&str> = named.chain(&machine.start).map(TypeRef::key).collect();
    let mut swapped = Vec::new();
    for (index, handler) in machine.handlers.iter().enumerate().filter(|(_, handler)| !handler.broken) {
        let (payload, role) = match &handler.trigger {
            Trigger::On { event } => (Some(event.clone()), "event"),
            Trigger::Catch { error, .. } => (parse_type_ref(error, "an error").ok(), "error"),
            Trigger::Entry | Trigger::After { .. } => (None, ""),
        };
        let Some(payload) = payload else { continue };
        if named.contains(payload.key())
            && is_state(machine, &payload, index)
            && !is_state(machine, &handler.state, index)
        {
            let context = if handler.effects { "cx: &Cx, " } else { "" };
            let order = format!("(&self, {context}state: {}, {role}: {})", payload.name, handler.state.name);
            errors.at(&handler.state, format!("the arguments are in the wrong order: write `{order}`"));
            swapped.push((index, payload));
        }
    }
    for (index, state) in &swapped {
        let Some(handler) = machine.handlers.get_mut(*index) else { continue };
        handler.broken = true;
        // From here on it counts as what it was meant to be.
        let payload = std::mem::replace(&mut handler.state, state.clone());
        match &mut handler.trigger {
            Trigger::On { event } => *event = payload,
            Trigger::Catch { error, .. } => *error = payload.ty,
            Trigger::Entry | Trigger::After { .. } => {}
        }
    }
    if !swapped.is_empty() {
        let Names { states, groups, events } = collect(machine.start.as_ref(), &machine.handlers);
        (machine.states, machine.groups, machine.events) = (states, groups, events);
    }
}

// fn paid(…) -> ToShipped   and   fn paid_to(…) -> Shipped
pub(crate) fn check_transition_names(machine: &mut Machine, errors: &mut Errors) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut refused: Vec<Ident> = Vec::new();
    for transition in transitions(machine) {
        let (name, handler) = (transition.ident.to_string(), transition.handler);
        if seen.contains(&name) && handler.cfg.is_always() {
            errors.at(&handler.ident, format!("two edges would have the generated name `{name}`: rename this handler"));
            refused.push(handler.ident.clone());
        }
        seen.insert(name);
    }
    for handler in machine.handlers.iter_mut().filter(|handler| refused.contains(&handler.ident)) {
        handler.broken = true;
    }
}

// #[step(was = "charge")] async fn pay(&self, cx: &Cx) …        where there is a step `charge`, or another one that was
pub(crate) fn check_old_step_names(machine: &Machine, errors: &mut Errors) {
    for (place, step) in machine.steps.iter().enumerate() {
        for was in &step.policy.was {
            let others = machine.steps.iter().enumerate().filter(|(other, _)| *other != place);
            let mut others = others.map(|(_, other)| other);
            let clash = others.find(|other| unraw(&other.ident) == *was || other.policy.was.contains(was));
            if let Some(clash) = clash.filter(|_| step.cfg.is_always()) {
                let message = match unraw(&clash.ident) == *was {
                    true => format!("`{was}` is a step of now, whose results are its own: leave it out of `was`"),
                    false => format!("`{}` was called `{was}`, too: keep one of the two", unraw(&clash.ident)),
                };
                errors.at(&step.ident, message);
                return;
            }
        }
    }
}
