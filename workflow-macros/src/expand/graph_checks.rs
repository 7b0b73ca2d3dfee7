//! Checks of the graph, in constants: what a state's type says (whether it is an end, its persisted name) is known there.
//!
//! A constant that panics is an error at the panic's tokens, so each has the place of the user's token. The analysis runs
//! once for the workflow.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::group_checks::{ended_by_group, expand_group_checks};
use super::{at, display, group_probe, state_probe};
use crate::model::{Due, Machine, StateModel, Trigger};

pub(crate) fn expand_graph_checks(machine: &Machine) -> TokenStream {
    let Some(start) = &machine.start else { return TokenStream::new() };
    let count = machine.states.len() + machine.groups.len();
    let places = (0..count).map(place_ident);
    let declarations = machine.places().enumerate().map(|(index, state)| {
        let group = group_probe(&state.ty);
        let (cfg, place, probe, handled) = (&state.cfg, place_ident(index), state_probe(&state.ty), state.live);
        let waits = endless_wait(machine, state).is_some();
        let ended_by_group = ended_by_group(machine, &state.ty);
        let absent = state.cfg.negated();
        let absent = absent.map(|absent| quote!(#absent const #place: __private::Place = __private::Place::ABSENT;));
        quote! {
            #cfg
            const #place: __private::Place = __private::Place {
                present: true,
                name: #probe::NAME,
                was: #probe::WAS,
                is_state: #probe::IS_STATE,
                end: #probe::END,
                handled: #handled,
                waits: #waits && !(#ended_by_group),
                members: #group::MEMBERS,
                any: #group::ANY,
            };
            #absent
        }
    });
    let index_of = |state: &crate::model::TypeRef| machine.places().position(|known| known.ty == *state);
    let edges = machine.handlers.iter().flat_map(|handler| {
        let from = index_of(&handler.state);
        handler.output.states().filter_map(move |to| {
            let (cfg, from, to) = (&handler.cfg, from?, index_of(to)?);
            Some(quote!(#cfg (#from, #to)))
        })
    });
    let start_index = index_of(start).unwrap_or(0);
    let checks = machine.places().enumerate().map(|(index, state)| expand_check(machine, index, state));
    let groups = expand_group_checks(machine);
    let waits = expand_waits(machine);
    let events = expand_event_names(machine);
    quote! {
        #(#declarations)*
        const __PLACES: [__private::Place; #count] = [#(#places),*];
        const __EDGES: &[(::core::primitive::usize, ::core::primitive::usize)] = &[#(#edges),*];
        const __VERDICTS: [__private::Verdict; #count] = __private::check_graph(&__PLACES, __EDGES, #start_index);
        #(#checks)*
        #waits
        #groups
        #events
    }
}

/// No two events of one persisted name.
fn expand_event_names(machine: &Machine) -> TokenStream {
    let count = machine.events.len();
    let ident = |index: usize| format_ident!("__EVENT_{}", index, span = Span::call_site());
    let places = (0..count).map(ident);
    let declarations = machine.events.iter().enumerate().map(|(index, event)| {
        let (cfg, place, ty) = (&event.cfg, ident(index), &event.ty);
        let absent = event.cfg.negated();
        let absent = absent.map(|absent| quote!(#absent const #place: __private::Place = __private::Place::ABSENT;));
        let probe = quote!(__private::EventProbe::<#ty>);
        quote! {
            #cfg
            const #place: __private::Place =
                __private::Place { name: #probe::NAME, was: #probe::WAS, is_state: #probe::IS_EVENT, ..__private::Place::ABSENT };
            #absent
        }
    });
    let checks = machine.events.iter().enumerate().map(|(index, event)| {
        let message = format!(
            "`{}` has the persisted name, or an old one, of another event of this workflow: give one of them `#[event(name = \"…\")]`",
            display(&event.ty.name),
        );
        let panic = at(event.ty.span(), quote!(::core::panic!(#message)));
        quote!(const _: () = if __private::clashes(&__EVENTS, #index) { #panic };)
    });
    quote! {
        #(#declarations)*
        const __EVENTS: [__private::Place; #count] = [#(#places),*];
        #(#checks)*
    }
}

fn place_ident(index: usize) -> Ident {
    format_ident!("__PLACE_{}", index, span = Span::call_site())
}

fn expand_check(machine: &Machine, index: usize, state: &StateModel) -> TokenStream {
    let (name, first) = (display(&state.ty.name), state.ty.span());
    let start = machine.start.as_ref().map(|start| display(&start.name)).unwrap_or_default();
    let is_start = machine.start.as_ref() == Some(&state.ty);
    let source = machine.handlers_of(&state.ty).next().map_or(first, |handler| handler.state.span());
    let no_handler = if is_start {
        format!(
            "the start `{name}` has no handler here: write `#[state] async fn start(&self, cx: &Cx, state: {name}) -> …`, or an `#[on]` or `#[after]` handler that takes it"
        )
    } else if !machine.groups.is_empty() {
        format!(
            "`{name}` has no handler of its own, so it would count as an end: those of a group come on top; write `#[state] fn … (&self, _: {name}) -> Wait`, or put `#[state(end)]` on it if the workflow ends there"
        )
    } else {
        format!(
            "`{name}` has no handler here, so an execution would be stuck in it: write one that takes it, or put `#[state(end)]` on it if the workflow ends there"
        )
    };
    let checks = [
        ("NoHandler", first, no_handler),
        (
            "EndWithHandler",
            source,
            format!(
                "`{name}` is an end state, where nothing happens any more: remove this handler, or `end` from `#[state(end)]` on `{name}`"
            ),
        ),
        (
            "Unreachable",
            source,
            format!(
                "`{name}` cannot be reached: no path leads to it from the start `{start}`; return it from a handler, or remove its handlers"
            ),
        ),
        (
            "Stuck",
            source,
            format!(
                "no end state can be reached from `{name}`: give it or what follows it a way to a state with `#[state(end)]`"
            ),
        ),
    ];
    let empty = format!(
        "no state of the group `{name}` is one of this workflow that can be left, so this would never run: remove it, or put such a state into the group"
    );
    let checks = checks.into_iter().chain([("Empty", source, empty)]).map(|(verdict, span, message)| {
        let verdict = Ident::new(verdict, Span::call_site());
        let panic = at(span, quote!(__private::refuse(#message)));
        quote! {
            const _: () = if let __private::Verdict::#verdict = __private::verdict(&__VERDICTS, #index) { #panic };
        }
    });
    let clash = format!(
        "`{name}` has the persisted name, or an old one, of another state of this workflow: give one of them `#[state(name = \"…\")]`"
    );
    let clash = at(first, quote!(__private::refuse(#clash)));
    quote! {
        #(#checks)*
        const _: () = if __private::clashes(&__PLACES, #index) { #clash };
    }
}

// #[state] async fn paid(&self, cx: &Cx, s: Paid) -> Wait        and no `#[on]` or `#[after]` for `Paid`
fn expand_waits(machine: &Machine) -> TokenStream {
    let waits = machine.states.iter().enumerate();
    let waits = waits.filter_map(|(index, state)| {
        let (span, message) = endless_wait(machine, state)?;
        let panic = at(span, quote!(__private::refuse(#message)));
        let ended = ended_by_group(machine, &state.ty);
        // Not where the state is wrong as a whole.
        Some(quote! {
            const _: () = if let __private::Verdict::Fine = __private::verdict(&__VERDICTS, #index) {
                if !(#ended) { #panic }
            };
        })
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
