//! How what is wrong with a graph is told while the user's crate is compiled.
//!
//! A constant that panics is an error at the panic's tokens, and one that calls a function with `#[track_caller]` is one at
//! the tokens of the call: so the generated code has a call for each place in the user's code, and the words stand here.
#![allow(
    clippy::indexing_slicing,
    reason = "a constant function has no other way, and a slip fails the user's build, not the program"
)]

use super::graph_check::{Judged, Place, Verdict};
use super::graph_names::has_name;

/// Refuses the machine, at the place in the user's code that the call was given.
///
/// # Panics
/// Always: in a constant, that is an error with this message.
#[track_caller]
#[allow(clippy::panic, reason = "it is evaluated by the compiler alone")]
pub const fn refuse(message: &str) -> ! {
    panic!("{}", message)
}

/// Refuses the machine with several texts in a row, of which there is room for a few thousand bytes.
#[track_caller]
pub(super) const fn refuse_with(parts: &[&str]) -> ! {
    let mut text = [0; 4_096];
    let mut length = 0;
    let mut parts = parts;
    while let [part, rest @ ..] = parts {
        let part = part.as_bytes();
        let mut index = 0;
        while index < part.len() && part.len() <= text.len() - length {
            text[length + index] = part[index];
            index += 1;
        }
        length += index;
        parts = rest;
    }
    match std::str::from_utf8(text.split_at(length).0) {
        Ok(text) => refuse(text),
        Err(_) => refuse("this machine is not sound"),
    }
}

/// Tells what is wrong with a place, at the name of its type.
#[track_caller]
pub const fn tell_at_name<const N: usize>(
    judged: &Judged<N>,
    places: &[Place],
    place: usize,
    start: usize,
    groups: bool,
) {
    let name = places[place].type_name;
    match judged.verdicts[place] {
        Verdict::NoHandler if place == start => refuse_with(&[
            "the start `",
            name,
            "` has no handler here: write `#[state] async fn start(&self, cx: &Cx, state: ",
            name,
            ") -> …`, or an `#[on]` or `#[after]` handler that takes it",
        ]),
        Verdict::NoHandler if groups => refuse_with(&[
            "`",
            name,
            "` has no handler of its own, so it would count as an end: those of a group come on top; write `#[state] fn … (&self, _: ",
            name,
            ") -> Wait`, or put `#[state(end)]` on it if the workflow ends there",
        ]),
        Verdict::NoHandler => refuse_with(&[
            "`",
            name,
            "` has no handler here, so an execution would be stuck in it: write one that takes it, or put `#[state(end)]` on it if the workflow ends there",
        ]),
        _ if judged.clashes[place] => refuse_with(&[
            "`",
            name,
            "` has the persisted name, or an old one, of another state of this workflow: give one of them `#[state(name = \"…\")]`",
        ]),
        _ => {}
    }
}

/// Tells what is wrong with a place, at the first of its handlers.
#[track_caller]
pub const fn tell_at_handler<const N: usize>(judged: &Judged<N>, places: &[Place], place: usize, start: usize) {
    let name = places[place].type_name;
    match judged.verdicts[place] {
        Verdict::EndWithHandler => refuse_with(&[
            "`",
            name,
            "` is an end state, where nothing happens any more: remove this handler, or `end` from `#[state(end)]` on `",
            name,
            "`",
        ]),
        Verdict::Unreachable => refuse_with(&[
            "`",
            name,
            "` cannot be reached: no path leads to it from the start `",
            places[start].type_name,
            "`; return it from a handler, or remove its handlers",
        ]),
        Verdict::Stuck => refuse_with(&[
            "no end state can be reached from `",
            name,
            "`: give it or what follows it a way to a state with `#[state(end)]`",
        ]),
        Verdict::Empty => refuse_with(&[
            "no state of the group `",
            name,
            "` is one of this workflow that can be left, so this would never run: remove it, or put such a state into the group",
        ]),
        Verdict::Fine | Verdict::NoHandler => {}
    }
}

/// Tells that two events have one name.
#[track_caller]
pub const fn tell_event(clashes: &[bool], events: &[Place], event: usize) {
    if clashes[event] {
        refuse_with(&[
            "`",
            events[event].type_name,
            "` has the persisted name, or an old one, of another event of this workflow: give one of them `#[event(name = \"…\")]`",
        ]);
    }
}

/// Tells that a handler waits for what never comes, but not where the state is wrong as a whole.
#[track_caller]
pub const fn tell_wait<const N: usize>(judged: &Judged<N>, place: usize, message: &str) {
    if judged.waits[place] && matches!(judged.verdicts[place], Verdict::Fine) {
        refuse(message);
    }
}

/// Tells that a handler goes to a group.
#[track_caller]
pub const fn tell_target(places: &[Place], place: usize) {
    if places[place].is_group {
        let name = places[place].type_name;
        refuse_with(&["`", name, "` is a group, and nothing goes to a group: go to one of its states"]);
    }
}

/// Tells that a group is to be entered.
#[track_caller]
pub const fn tell_entered(places: &[Place], place: usize) {
    if places[place].is_group {
        refuse_with(&[
            "`",
            places[place].type_name,
            "` is a group, and what is entered is a state: write an entry handler for each of its states",
        ]);
    }
}

/// Tells that a group whose handlers are to run has an end state.
#[track_caller]
pub const fn tell_end(places: &[Place], group: usize) {
    let of = &places[group];
    let mut state = 0;
    // There are few ends: the names of the group's states are gone through for these alone.
    while state < places.len() && !of.any {
        if places[state].end && has_name(of.members, places[state].name) {
            refuse_with(&[
                "`",
                places[state].type_name,
                "`, in the group `",
                of.type_name,
                "`, is an end state, where nothing happens any more: take it out of the group",
            ]);
        }
        state += 1;
    }
}

/// Tells that a state is in two groups whose handlers are for the same: `second`, with its place, and one of `first`. The
/// states in `own` have handlers that go before them.
#[track_caller]
pub const fn tell_shared<const N: usize>(
    judged: &Judged<N>,
    places: &[Place],
    first: &[(usize, &str)],
    second: (usize, &str),
    what: &str,
    own: &[usize],
) {
    let (group, handler) = second;
    let mut one = 0;
    while one < first.len() {
        let (other_group, other_handler) = first[one];
        let mut state = 0;
        while state < N {
            if judged.groups[group][state] == 1 && judged.groups[other_group][state] == 1 && !is_one_of(own, state) {
                let name = places[state].type_name;
                refuse_with(&[
                    "`",
                    name,
                    "` is in the groups `",
                    places[other_group].type_name,
                    "` and `",
                    places[group].type_name,
                    "`, and `",
                    other_handler,
                    "` and `",
                    handler,
                    "` both are for ",
                    what,
                    " in it: write a handler of `",
                    name,
                    "` for it, which goes before them, or take it out of one group",
                ]);
            }
            state += 1;
        }
        one += 1;
    }
}

const fn is_one_of(places: &[usize], place: usize) -> bool {
    let mut places = places;
    while let [first, rest @ ..] = places {
        if *first == place {
            return true;
        }
        places = rest;
    }
    false
}
