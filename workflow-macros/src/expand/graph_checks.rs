//! Checks of the graph, in constants: what a state's type says (whether it is an end, its persisted name) is known there.
//!
//! A constant that panics is an error at the panic's tokens, so each has the place of the user's token. The analysis runs
//! once for the workflow.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::group_checks::{expand_ending, expand_group_checks, expand_misplaced, first_targets};
use super::{display, group_probe, state_probe};
use crate::model::{Due, Machine, StateModel, Trigger, TypeRef};

pub(crate) fn expand_graph_checks(machine: &Machine) -> TokenStream {
    let Some(start) = &machine.start else { return TokenStream::new() };
    let places: BTreeMap<&str, usize> = machine.places().map(|place| place.ty.key()).zip(0..).collect();
    let index_of = |state: &TypeRef| places.get(state.key()).copied();
    let start = index_of(start).unwrap_or(0);
    let count = machine.states.len() + machine.groups.len();
    let places = machine.places().map(|state| {
        let place = expand_place(state);
        match state.cfg.negated() {
            // An attribute would take its place away.
            Some(absent) => {
                let cfg = &state.cfg;
                quote!({ #cfg { #place } #absent { __private::Place::ABSENT } })
            }
            None => place,
        }
    });
    let edges = machine.handlers.iter().flat_map(|handler| {
        let from = index_of(&handler.state);
        handler.output.states().filter_map(move |to| {
            let (cfg, from, to) = (&handler.cfg, from?, index_of(to)?);
            Some(quote!(#cfg (#from, #to)))
        })
    });
    let waits = machine.places().enumerate().filter_map(|(index, state)| {
        endless_wait(machine, state)?;
        Some(index)
    });
    let (states, ending) = (machine.states.len(), expand_ending(machine));
    let ways = quote! {
        __private::Ways {
            edges: &[#(#edges),*],
            start: __START,
            states: #states,
            waits: &[#(#waits),*],
            ending: #ending,
        }
    };
    let targets = first_targets(machine);
    let checks = machine.places().enumerate().map(|(index, state)| expand_check(machine, &targets, index, state));
    let groups = expand_group_checks(machine);
    let waits = expand_waits(machine);
    let events = expand_event_names(machine);
    quote! {
        const __PLACES: &[__private::Place] = &[#(#places),*];
        const __START: ::core::primitive::usize = #start;
        const __JUDGED: &__private::Judged<#count> = &__private::judge(__PLACES, &#ways);
        #(#checks)*
        #waits
        #groups
        #events
    }
}

fn expand_place(state: &StateModel) -> TokenStream {
    let (probe, group, handled) = (state_probe(&state.ty), group_probe(&state.ty), state.live);
    let name = display(&state.ty.name);
    quote!(__private::place(#name, #handled, #probe::FACTS, #group::FACTS))
}

/// No two events of one persisted name.
fn expand_event_names(machine: &Machine) -> TokenStream {
    let count = machine.events.len();
    let places = machine.events.iter().map(|event| {
        let (ty, name) = (&event.ty, display(&event.ty.name));
        let probe = quote!(__private::EventProbe::<#ty>);
        let place = quote!(__private::event_place(#name, #probe::NAME, #probe::WAS, #probe::IS_EVENT));
        match event.cfg.negated() {
            Some(absent) => {
                let cfg = &event.cfg;
                quote!({ #cfg { #place } #absent { __private::Place::ABSENT } })
            }
            None => place,
        }
    });
    let checks = machine.events.iter().enumerate().map(|(index, event)| {
        let tell = quote_spanned!(event.ty.span()=> __private::tell_event(__CLASHES, __EVENTS, #index));
        quote!(const _: () = #tell;)
    });
    quote! {
        const __EVENTS: &[__private::Place] = &[#(#places),*];
        const __CLASHES: &[::core::primitive::bool; #count] = &__private::clashes(__EVENTS);
        #(#checks)*
    }
}

fn expand_check(
    machine: &Machine,
    targets: &BTreeMap<&str, &TypeRef>,
    index: usize,
    state: &StateModel,
) -> TokenStream {
    let (first, has_groups) = (state.ty.span(), !machine.groups.is_empty());
    let source = machine.handlers_of(&state.ty).next().map_or(first, |handler| handler.state.span());
    let at_name = quote_spanned!(first=> __private::tell_at_name(__JUDGED, __PLACES, #index, __START, #has_groups));
    let at_handler = quote_spanned!(source=> __private::tell_at_handler(__JUDGED, __PLACES, #index, __START));
    let misplaced = expand_misplaced(machine, targets, index, state);
    let ends = (index >= machine.states.len()).then(|| quote_spanned!(source=> __private::tell_end(__PLACES, #index)));
    quote!(const _: () = { #at_name; #at_handler; #misplaced; #ends };)
}

// #[state] async fn paid(&self, cx: &Cx, s: Paid) -> Wait        and no `#[on]` or `#[after]` for `Paid`
fn expand_waits(machine: &Machine) -> TokenStream {
    let waits = machine.states.iter().enumerate();
    let waits = waits.filter_map(|(index, state)| {
        let (span, message) = endless_wait(machine, state)?;
        let tell = quote_spanned!(span=> __private::tell_wait(__JUDGED, #index, #message));
        Some(quote!(const _: () = #tell;))
    });
    waits.collect()
}

/// The place of a wait that nothing can end, and what is said of it.
fn endless_wait(machine: &Machine, state: &StateModel) -> Option<(Span, String)> {
    let all: Vec<_> = machine.handlers.iter().filter(|handler| handler.state == state.ty).collect();
    if all.iter().any(|handler| handler.broken || !handler.cfg.is_always()) {
        return None;
    }
    let name = display(&state.ty.name);
    if all.iter().any(|handler| matches!(handler.trigger, Trigger::On { .. })) {
        return None;
    }
    // One that fires again and again may end the state at some time, or never.
    let is_every = |due: &Due| due.kind() == "every";
    let timers = all.iter().filter_map(|handler| match &handler.trigger {
        Trigger::After { due } if !is_every(due) || handler.output.states().next().is_some() => Some((due, handler)),
        Trigger::Entry | Trigger::On { .. } | Trigger::After { .. } | Trigger::Catch { .. } => None,
    });
    let timers: Vec<_> = timers.collect();
    if timers.is_empty() {
        let waiting = all.iter().find_map(|handler| handler.output.waits());
        if let Some(span) = waiting {
            let message = format!(
                "nothing can end this wait: `{name}` has no `#[on]` and no `#[after]` handler; write one, or return a target"
            );
            return Some((span, message));
        }
        let only_catches = all.iter().all(|handler| matches!(handler.trigger, Trigger::Catch { .. }));
        let first = all.first().filter(|_| only_catches)?;
        let message = format!(
            "nothing ever happens in `{name}`: it has a `#[catch]` handler and none that could fail; write a `#[state]`, `#[on]` or `#[after]` handler for it"
        );
        return Some((first.state.span(), message));
    }
    let lengths = timers.into_iter().map(|(due, handler)| match due {
        Due::After(length) => Some((*length, handler)),
        // Which of them is the last one hangs on the data, or stands in a part.
        _ => None,
    });
    let lengths: Vec<_> = lengths.collect::<Option<_>>()?;
    let (_, last) = lengths.into_iter().max_by_key(|(length, _)| *length)?;
    let span = last.output.waits()?;
    let message = format!(
        "nothing can end this wait: it is the last `#[after]` of `{name}`, which has no `#[on]` handler; return a target, or write another handler"
    );
    Some((span, message))
}
