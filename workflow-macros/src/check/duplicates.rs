//! Handlers that exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;

use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Due, Handler, Machine, Trigger};
use crate::parse::timer::field_text;

// #[state] async fn a(&self, cx: &Cx, s: S) …          #[state] async fn b(&self, cx: &Cx, s: S) …
// #[on] fn a(&self, s: S, e: E) …                      #[on] fn b(&self, s: S, e: E) …
// #[after("1h")] fn a(&self, s: S) …                   #[after("60m")] fn b(&self, s: S) …
// #[catch] fn a(&self, s: S, e: E) …                   #[catch] fn b(&self, s: S, e: E) …
pub(crate) fn check_duplicate_handlers(machine: &mut Machine, errors: &mut Errors) {
    let mut duplicates = Vec::new();
    let names: Vec<String> = machine.handlers.iter().map(Handler::name).collect();
    // Those before it, by what they may share with it.
    let mut of_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut of_state: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for ((index, handler), name) in machine.handlers.iter().enumerate().zip(&names) {
        // Under a condition, the two may exclude each other: rustc tells.
        if !handler.cfg.is_always() {
            continue;
        }
        let (same_name, same_state) =
            (of_name.entry(name).or_default(), of_state.entry(handler.state.key()).or_default());
        let related: BTreeSet<usize> = same_name.iter().chain(&*same_state).copied().collect();
        same_name.push(index);
        same_state.push(index);
        if handler.broken {
            continue;
        }
        for (before, first) in related.into_iter().filter_map(|index| machine.handlers.get(index).zip(names.get(index)))
        {
            // rustc tells of two methods with one name.
            if first == name && !before.is_included() && !handler.is_included() {
                duplicates.push(index);
                break;
            }
            if before.broken {
                continue;
            }
            if let Some(message) = conflict((before, first), (handler, name)) {
                errors.at(&handler.ident, message);
                duplicates.push(index);
                break;
            }
        }
    }
    for index in duplicates {
        if let Some(handler) = machine.handlers.get_mut(index) {
            handler.broken = true;
        }
    }
}

fn conflict((before, first): (&Handler, &str), (handler, name): (&Handler, &str)) -> Option<String> {
    let state = &handler.state.name;
    if first == name && (before.is_included() || handler.is_included()) {
        return Some(format!(
            "there is another handler `{first}`: a handler's name is persisted, so it has to be the only one; rename one of them"
        ));
    }
    if before.state != handler.state {
        return None;
    }
    match (&before.trigger, &handler.trigger) {
        (Trigger::Entry, Trigger::Entry) => {
            Some(format!("`{state}` has an entry handler already, `{first}`: make one of the two"))
        }
        (Trigger::On { event: one }, Trigger::On { event }) if one == event => Some(format!(
            "`{state}` has an `#[on]` handler for `{}` already, `{first}`: make one of the two",
            event.name
        )),
        (Trigger::After { due: one }, Trigger::After { due }) => same_time(one, due).map(|what| {
            format!("`{state}` has an `#[{}]` handler {what} already, `{first}`: make one of the two, or give them different times", due.kind())
        }),
        (Trigger::Catch { error: one, .. }, Trigger::Catch { error, .. })
            if one.to_token_stream().to_string() == error.to_token_stream().to_string() =>
        {
            Some(format!(
                "`{state}` has a `#[catch]` handler for `{}` already, `{first}`: make one of the two",
                type_text(error)
            ))
        }
        _ => None,
    }
}

fn same_time(one: &Due, other: &Due) -> Option<&'static str> {
    match (one, other) {
        (Due::After(one), Due::After(other)) | (Due::Every(one), Due::Every(other)) if one == other => {
            Some("of this length")
        }
        (Due::Function { text: one, .. }, Due::Function { text: other, .. }) if one == other => {
            Some("with this function")
        }
        (Due::At(one), Due::At(other)) if field_text(one) == field_text(other) => Some("for this field"),
        _ => None,
    }
}

// include(state fulfilling(Fulfilling) -> Shipped)    and    #[after("1h")] fn late(&self, s: Fulfilling) …
pub(crate) fn check_split_states(machine: &mut Machine, errors: &mut Errors) {
    let mut refused = Vec::new();
    let included = machine.handlers.iter().enumerate();
    // A group is many states, whose handlers stand in as many impls.
    let included = included.filter(|(_, handler)| !machine.is_group(&handler.state));
    for (index, included) in included.filter(|(_, handler)| handler.is_included() && !handler.broken) {
        let here = machine.handlers.iter().find(|handler| !handler.is_included() && handler.state == included.state);
        if let Some(here) = here {
            let message = format!(
                "all handlers of a state stand in one impl: `{}` of `{}` is here, so write `{}` here too, or move both to the part",
                here.name(),
                included.state.name,
                included.name(),
            );
            errors.at(&included.ident, message);
            refused.push(index);
        }
    }
    for index in refused {
        if let Some(handler) = machine.handlers.get_mut(index) {
            handler.broken = true;
            handler.unclear = true;
        }
    }
}
