//! The checks of a graph that are made while the user's crate is compiled.
//!
//! They run in constants, over places instead of names, and once for a workflow: the constants that tell the user read
//! what is found here, and compute nothing. The compiler interprets all of this, so whatever grows with the square of a
//! workflow is a plain loop over numbers. How what is wrong is told stands in [`super::graph_told`].
#![allow(
    clippy::indexing_slicing,
    reason = "a constant function has no other way, and a slip fails the user's build, not the program"
)]

use super::graph_names::{Names, has_name, same_name};
use super::type_place::TypePlace;
use super::{AttributeInfo, HandlerInfo, StateInfo, Trigger};

/// What is known of a state of the workflow.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Whether it is there at all: a `#[cfg]` may have removed it.
    pub present: bool,
    /// What the user calls it: the name of its type.
    pub type_name: &'static str,
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
    /// Whether it is a group.
    pub is_group: bool,
    /// The states in it, if it is a group.
    pub members: &'static [&'static str],
    /// Whether it is the group of every state that is no end.
    pub any: bool,
}

impl Place {
    /// A state that is not there.
    pub const ABSENT: Self = Self {
        present: false,
        type_name: "",
        name: "",
        was: &[],
        is_state: false,
        end: false,
        handled: false,
        is_group: false,
        members: &[],
        any: false,
    };
}

/// What is known of a state by its type alone.
#[derive(Debug, Clone, Copy)]
pub struct StateFacts {
    /// Its persisted name.
    pub name: &'static str,
    /// Its old names.
    pub was: &'static [&'static str],
    /// Whether it is one.
    pub is_state: bool,
    /// Whether it is an end.
    pub end: bool,
    /// Whether entering it makes all that was done final.
    pub pivot: bool,
    /// The fields that executions are searched by.
    pub attributes: &'static [AttributeInfo],
    /// Its doc comment.
    pub doc: &'static str,
    /// Where it is declared.
    pub place: TypePlace,
}

impl StateFacts {
    /// What is said of a type that is no state.
    pub const NONE: Self = Self {
        name: "",
        was: &[],
        is_state: false,
        end: false,
        pivot: false,
        attributes: &[],
        doc: "",
        place: TypePlace::UNKNOWN,
    };

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.was.contains(&name)
    }
}

/// What is known of a group by its type alone.
#[derive(Debug, Clone, Copy)]
pub struct GroupFacts {
    /// Whether it is one.
    pub is_group: bool,
    /// Its name.
    pub name: &'static str,
    /// The states in it.
    pub members: &'static [&'static str],
    /// Whether it is the group of every state that is no end.
    pub any: bool,
}

/// A state of the workflow.
#[must_use]
pub const fn place(type_name: &'static str, handled: bool, state: StateFacts, group: GroupFacts) -> Place {
    Place {
        present: true,
        type_name,
        name: state.name,
        was: state.was,
        is_state: state.is_state,
        end: state.end,
        handled,
        is_group: group.is_group,
        members: group.members,
        any: group.any,
    }
}

/// What the graph says of a state.
#[must_use]
pub const fn state_info(type_name: &'static str, facts: StateFacts) -> StateInfo {
    StateInfo::declare(facts.name, facts.was, type_name, facts.doc, facts.end)
        .pivot(facts.pivot)
        .attributes(facts.attributes)
}

/// What the graph says of where a handler belongs, with the name of the state or the group.
#[must_use]
pub const fn source(state: StateFacts, group: GroupFacts) -> &'static str {
    if group.is_group { group.name } else { state.name }
}

/// An event of the workflow.
#[must_use]
pub const fn event_place(
    type_name: &'static str,
    name: &'static str,
    was: &'static [&'static str],
    is_event: bool,
) -> Place {
    Place { type_name, name, was, is_state: is_event, ..Place::ABSENT }
}

impl Place {
    const fn has_states(&self) -> bool {
        self.any || !self.members.is_empty()
    }

    const fn can_be_left(&self) -> bool {
        self.present && self.is_state && !self.end
    }
}

/// Whether one of the groups whose handlers end a wait has a state. Each comes with its place. What is no group was reported.
const fn is_ended(by: &[(usize, GroupFacts)], place: usize, state: &str) -> bool {
    let mut by = by;
    while let [(group, facts), rest @ ..] = by {
        if *group != place && (!facts.is_group || facts.any || has_name(facts.members, state)) {
            return true;
        }
        by = rest;
    }
    false
}

/// Which state is in which group. In a walk, a group is a place between its states and what its handlers go to.
struct Groups<const N: usize> {
    /// Numbers, as rustc looks at each truth value by itself.
    has: [[u8; N]; N],
    is_group: [bool; N],
}

impl<const N: usize> Groups<N> {
    const fn of(places: &[Place], names: &Names<N>) -> Self {
        let mut groups = Self { has: [[0; N]; N], is_group: [false; N] };
        let mut group = 0;
        while group < N {
            let place = &places[group];
            groups.is_group[group] = place.present && place.has_states();
            let mut state = if groups.is_group[group] && place.any { 0 } else { N };
            while state < N {
                groups.has[group][state] = places[state].can_be_left() as u8;
                state += 1;
            }
            let mut members = if groups.is_group[group] { place.members } else { &[] };
            while let [member, rest @ ..] = members {
                let mut state = names.find(member);
                while state < N {
                    if places[state].can_be_left() && same_name(places[state].name, member) {
                        groups.has[group][state] = 1;
                    }
                    state = names.find_older(state);
                }
                members = rest;
            }
            group += 1;
        }
        groups
    }

    const fn has_member(&self, group: usize) -> bool {
        let mut state = 0;
        while state < N {
            if self.has[group][state] == 1 {
                return true;
            }
            state += 1;
        }
        false
    }

    const fn walk(&self, marked: &mut [bool; N], backwards: bool) -> bool {
        let mut again = false;
        let mut group = 0;
        while group < N {
            // From a group that is not marked, or to one that is, there is nothing to do.
            let mut state = if self.is_group[group] && marked[group] == backwards { 0 } else { N };
            while state < N {
                if self.has[group][state] == 1 && marked[state] != backwards {
                    marked[if backwards { state } else { group }] = true;
                    again = true;
                    if !backwards {
                        break;
                    }
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
pub(super) enum Verdict {
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

/// What there is to tell of a workflow.
#[derive(Debug)]
pub struct Judged<const N: usize> {
    pub(super) verdicts: [Verdict; N],
    pub(super) clashes: [bool; N],
    pub(super) waits: [bool; N],
    pub(super) groups: [[u8; N]; N],
}

/// What is to be judged besides of the places.
#[derive(Debug)]
pub struct Ways<'a> {
    /// From place to place, over all handlers.
    pub edges: &'a [(usize, usize)],
    /// The place of the start.
    pub start: usize,
    /// The number of places that are meant to be states. Those that are meant to be groups follow.
    pub states: usize,
    /// The places with a wait that nothing but a group of theirs may end.
    pub waits: &'a [usize],
    /// The groups whose handlers may end a wait, each with its place.
    pub ending: &'a [(usize, GroupFacts)],
}

/// Judges every state. Of states that have one fault for one reason, the first is told.
#[must_use]
pub const fn judge<const N: usize>(places: &[Place], ways: &Ways<'_>) -> Judged<N> {
    let names = names_of(places);
    let groups = Groups::of(places, &names);
    let waits = waits(places, ways);
    let verdicts = check_graph(places, ways, &groups, &waits);
    Judged { verdicts, clashes: clashes_of(places, &names), waits, groups: groups.has }
}

/// Which handlers wait for what never comes, which is told at their places.
const fn waits<const N: usize>(places: &[Place], ways: &Ways<'_>) -> [bool; N] {
    let mut waits = [false; N];
    let mut index = 0;
    while index < ways.states {
        // A group stands where only a state can, which is told once.
        if places[index].is_group && (places[index].handled || index == ways.start) {
            return waits;
        }
        index += 1;
    }
    let mut rest = ways.waits;
    while let [place, others @ ..] = rest {
        waits[*place] = places[*place].present && !is_ended(ways.ending, *place, places[*place].name);
        rest = others;
    }
    waits
}

const fn check_graph<const N: usize>(
    places: &[Place],
    ways: &Ways<'_>,
    groups: &Groups<N>,
    waits: &[bool; N],
) -> [Verdict; N] {
    let (edges, start) = (ways.edges, ways.start);
    let mut verdicts = [Verdict::Fine; N];
    let mut reached = [false; N];
    if start < N {
        reached[start] = true;
        // Where nothing leaves the start, that is what is told, and not of each state that it cannot be reached.
        if !places[start].is_state || !places[start].handled && !places[start].end {
            reached = [true; N];
        }
    }
    walk(edges, groups, &mut reached, false);
    let mut ends = [false; N];
    let mut index = 0;
    while index < N {
        let place = &places[index];
        // What has been told to be wrong is taken for an end, so that nothing is said of what leads there.
        ends[index] = !place.has_states() && (!place.is_state || place.end || !place.handled || waits[index]);
        if place.present && place.has_states() && !groups.has_member(index) {
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
    tell_unreachable(places, edges, groups, &mut verdicts, &mut told, true);
    tell_unreachable(places, edges, groups, &mut verdicts, &mut told, false);
    walk(edges, groups, &mut ends, true);
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
    places: &[Place],
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

const fn names_of<const N: usize>(places: &[Place]) -> Names<N> {
    let mut names = Names::new();
    let mut index = 0;
    while index < N {
        names.add(index, places[index].name);
        index += 1;
    }
    names
}

/// Which places have a name of one that was declared before it.
#[must_use]
pub const fn clashes<const N: usize>(places: &[Place]) -> [bool; N] {
    clashes_of(places, &names_of(places))
}

const fn clashes_of<const N: usize>(places: &[Place], names: &Names<N>) -> [bool; N] {
    let mut clashing = [false; N];
    // The places with old names, of which there are few.
    let (mut with_old, mut old) = ([0; N], 0);
    let mut index = 0;
    while index < N {
        let place = &places[index];
        let mut before = names.find_older(index);
        while before < N {
            clashing[index] |= share_name(place, &places[before]);
            before = names.find_older(before);
        }
        let mut among = if place.was.is_empty() { old } else { index };
        while among > 0 {
            among -= 1;
            let before = if place.was.is_empty() { with_old[among] } else { among };
            clashing[index] |= share_name(place, &places[before]);
        }
        if !place.was.is_empty() {
            with_old[old] = index;
            old += 1;
        }
        index += 1;
    }
    clashing
}

const fn share_name(place: &Place, other: &Place) -> bool {
    if !place.is_state || !other.is_state {
        return false;
    }
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

#[cfg(test)]
#[path = "graph_check_tests.rs"]
mod tests;
