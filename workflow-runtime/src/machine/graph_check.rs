//! The checks of a graph that are made while the user's crate is compiled.
//!
//! They run in constants, over places instead of names, and once for a workflow: the time is that of one walk over its
//! edges for each state. How they are told to the user stands in the generated code, which has the user's tokens.
#![allow(
    clippy::indexing_slicing,
    reason = "a constant function has no other way, and a slip fails the user's build, not the program"
)]

use super::{HandlerInfo, Trigger};

/// What is known of a state of the workflow.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Whether it is there at all: a `#[cfg]` may have removed it.
    pub present: bool,
    /// Its persisted name.
    pub name: &'static str,
    /// Its old names.
    pub was: &'static [&'static str],
    /// Whether its type is a state. If not, that has been reported, and nothing else is said of it.
    pub is_state: bool,
    /// Whether its type is an end state.
    pub end: bool,
    /// Whether it has a handler in this workflow.
    pub handled: bool,
    /// Whether a handler of it waits for what never comes, which is told at that place.
    pub waits: bool,
    /// The states in it, if it is a group.
    pub members: &'static [&'static str],
    /// Whether it is the group of every state that is no end.
    pub any: bool,
}

impl Place {
    /// A state that is not there.
    pub const ABSENT: Self = Self {
        present: false,
        name: "",
        was: &[],
        is_state: false,
        end: false,
        handled: false,
        waits: false,
        members: &[],
        any: false,
    };
}

impl Place {
    const fn is_group(&self) -> bool {
        self.any || !self.members.is_empty()
    }

    /// Whether `group` is a group, and this a state in it that can be left.
    const fn is_in(&self, group: &Self) -> bool {
        self.present && self.is_state && !self.end && (group.any || has_name(group.members, self.name))
    }
}

/// Whether one of them holds.
#[must_use]
pub const fn any(conditions: &[bool]) -> bool {
    let mut conditions = conditions;
    while let [first, rest @ ..] = conditions {
        if *first {
            return true;
        }
        conditions = rest;
    }
    false
}

/// Whether a state of this name is in a group.
#[must_use]
pub const fn is_among(members: &[&str], state: &str) -> bool {
    has_name(members, state)
}

/// Whether a state is in both groups.
#[must_use]
pub const fn is_in_both<const N: usize>(places: &[Place; N], state: usize, first: usize, second: usize) -> bool {
    places[first].present
        && places[second].present
        && places[state].is_in(&places[first])
        && places[state].is_in(&places[second])
}

/// Which state is in which group. In a walk, a group is a place between its states and what its handlers go to.
struct Groups<const N: usize> {
    has: [[bool; N]; N],
    is_there: bool,
}

impl<const N: usize> Groups<N> {
    const fn of(places: &[Place; N]) -> Self {
        let mut groups = Self { has: [[false; N]; N], is_there: false };
        let mut group = 0;
        while group < N {
            let mut state = 0;
            while places[group].present && places[group].is_group() && state < N {
                groups.has[group][state] = places[state].is_in(&places[group]);
                groups.is_there = true;
                state += 1;
            }
            group += 1;
        }
        groups
    }

    const fn has_member(&self, group: usize) -> bool {
        count(&self.has[group]) > 0
    }

    const fn walk(&self, marked: &mut [bool; N], backwards: bool) -> bool {
        let mut again = false;
        let mut group = 0;
        while self.is_there && group < N {
            let mut state = 0;
            while state < N {
                let (from, to) = if backwards { (group, state) } else { (state, group) };
                if self.has[group][state] && marked[from] && !marked[to] {
                    marked[to] = true;
                    again = true;
                }
                state += 1;
            }
            group += 1;
        }
        again
    }
}

/// What is wrong with a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing, or nothing that has not been said of another state.
    Fine,
    /// It is no end and has no handler.
    NoHandler,
    /// It is an end and has a handler.
    EndWithHandler,
    /// No path leads to it.
    Unreachable,
    /// No path leads from it to an end.
    Stuck,
    /// It is a group, and none of its states is one of the workflow.
    Empty,
}

/// Judges every state. Of states that have one fault for one reason, the first is told.
#[must_use]
pub const fn check_graph<const N: usize>(places: &[Place; N], edges: &[(usize, usize)], start: usize) -> [Verdict; N] {
    let mut verdicts = [Verdict::Fine; N];
    let groups = Groups::of(places);
    let mut reached = [false; N];
    if start < N {
        reached[start] = true;
        // Where nothing leaves the start, that is what is told, and not of each state that it cannot be reached.
        if !places[start].is_state || !places[start].handled && !places[start].end {
            reached = [true; N];
        }
    }
    walk(edges, &groups, &mut reached, false);
    let mut ends = [false; N];
    let mut index = 0;
    while index < N {
        let place = &places[index];
        // What has been told to be wrong is taken for an end, so that nothing is said of what leads there.
        ends[index] = !place.is_group() && (!place.is_state || place.end || !place.handled || place.waits);
        if place.present && place.is_group() && !groups.has_member(index) {
            verdicts[index] = Verdict::Empty;
        }
        if place.present && place.is_state {
            if place.end && place.handled {
                verdicts[index] = Verdict::EndWithHandler;
            } else if !place.end && !place.handled {
                verdicts[index] = Verdict::NoHandler;
            }
        }
        index += 1;
    }
    let mut told = reached;
    // First those that nothing leads to, then the first of each circle.
    tell_unreachable(places, edges, &groups, &mut verdicts, &mut told, true);
    tell_unreachable(places, edges, &groups, &mut verdicts, &mut told, false);
    walk(edges, &groups, &mut ends, true);
    let mut told = ends;
    let mut index = 0;
    while index < N {
        if reached[index] && !told[index] && places[index].present && places[index].is_state {
            verdicts[index] = Verdict::Stuck;
            told[index] = true;
            // One reason for all that are connected with it.
            let mut before = 0;
            while before != count(&told) {
                before = count(&told);
                spread(edges, &mut told, &ends);
            }
        }
        index += 1;
    }
    verdicts
}

const fn tell_unreachable<const N: usize>(
    places: &[Place; N],
    edges: &[(usize, usize)],
    groups: &Groups<N>,
    verdicts: &mut [Verdict; N],
    told: &mut [bool; N],
    roots: bool,
) {
    let mut index = 0;
    while index < N {
        let place = &places[index];
        let tell = !told[index] && (!roots || !is_entered(edges, index));
        if tell && place.present && place.is_state {
            if let Verdict::Fine = verdicts[index] {
                verdicts[index] = Verdict::Unreachable;
            }
            told[index] = true;
            walk(edges, groups, told, false);
        }
        index += 1;
    }
}

const fn is_entered(edges: &[(usize, usize)], state: usize) -> bool {
    let mut index = 0;
    while index < edges.len() {
        let (from, to) = edges[index];
        if to == state && from != state {
            return true;
        }
        index += 1;
    }
    false
}

/// Marks everything that can be reached from what is marked, or with `backwards`, from which it can be reached.
const fn walk<const N: usize>(edges: &[(usize, usize)], groups: &Groups<N>, marked: &mut [bool; N], backwards: bool) {
    let mut again = true;
    while again {
        again = false;
        let mut index = 0;
        while index < edges.len() {
            // A backward walk goes over the edges from the last, as edges are mostly declared in the order of the flow.
            let (from, to) = if backwards { edges[edges.len() - 1 - index] } else { edges[index] };
            let (from, to) = if backwards { (to, from) } else { (from, to) };
            if marked[from] && !marked[to] {
                marked[to] = true;
                again = true;
            }
            index += 1;
        }
        again |= groups.walk(marked, backwards);
    }
}

/// Marks what is connected with something marked, except over what can reach an end.
const fn spread<const N: usize>(edges: &[(usize, usize)], marked: &mut [bool; N], ends: &[bool; N]) {
    let mut index = 0;
    while index < edges.len() {
        let (from, to) = edges[index];
        if !ends[from] && !ends[to] && (marked[from] || marked[to]) {
            marked[from] = true;
            marked[to] = true;
        }
        index += 1;
    }
}

const fn count<const N: usize>(marked: &[bool; N]) -> usize {
    let mut count = 0;
    let mut index = 0;
    while index < N {
        if marked[index] {
            count += 1;
        }
        index += 1;
    }
    count
}

/// Refuses the machine, at the place in the user's code that the call was given.
///
/// # Panics
/// Always: in a constant, that is an error with this message.
#[track_caller]
#[allow(clippy::panic, reason = "it is evaluated by the compiler alone")]
pub const fn refuse(message: &str) -> ! {
    panic!("{}", message)
}

/// The verdict on one state.
#[must_use]
pub const fn verdict<const N: usize>(verdicts: &[Verdict; N], index: usize) -> Verdict {
    verdicts[index]
}

/// Whether a state has a name of one that was declared before it.
#[must_use]
pub const fn clashes<const N: usize>(places: &[Place; N], index: usize) -> bool {
    let place = &places[index];
    let mut before = 0;
    while before < index {
        let other = &places[before];
        if place.is_state && other.is_state {
            if same_name(place.name, other.name) || has_name(place.was, other.name) || has_name(other.was, place.name) {
                return true;
            }
            let mut old = 0;
            while old < place.was.len() {
                if has_name(other.was, place.was[old]) {
                    return true;
                }
                old += 1;
            }
        }
        before += 1;
    }
    false
}

/// Whether a handler in a part is another than the main impl says.
#[must_use]
pub const fn differs(
    handler: Option<HandlerInfo>,
    kind: &str,
    payload: &str,
    to: &[&str],
    waits: bool,
    reply: &str,
    unwinds: &[&str],
) -> bool {
    let Some(handler) = handler else { return false };
    let same_reply = match handler.reply {
        Some(of) => same_name(of, reply),
        None => reply.is_empty(),
    };
    let same_trigger = match handler.trigger {
        Trigger::Entry => same_name(kind, "state"),
        Trigger::On { event } => same_name(kind, "on") && same_name(payload, event),
        Trigger::After { .. } | Trigger::AfterFn { .. } => same_name(kind, "after"),
        Trigger::At { .. } => same_name(kind, "at"),
        Trigger::Every { .. } => same_name(kind, "every"),
        Trigger::Catch { error } => same_name(kind, "catch") && same_name(payload, error),
    };
    !same_trigger
        || !same_reply
        || handler.waits != waits
        || !same_names(to, handler.to)
        || !same_names(unwinds, handler.unwinds)
}

const fn same_names(left: &[&str], right: &[&str]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if !same_name(left[index], right[index]) {
            return false;
        }
        index += 1;
    }
    true
}

const fn same_name(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return true,
            ([first, rest_of_left @ ..], [second, rest_of_right @ ..]) if *first == *second => {
                left = rest_of_left;
                right = rest_of_right;
            }
            _ => return false,
        }
    }
}

const fn has_name(names: &[&str], name: &str) -> bool {
    let mut names = names;
    while let [first, rest @ ..] = names {
        if same_name(first, name) {
            return true;
        }
        names = rest;
    }
    false
}
