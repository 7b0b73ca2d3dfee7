//! How what is wrong with migrations is told while the user's crate is compiled. See [`super::graph_told`].

use super::graph_check::StateFacts;
use super::graph_told::refuse_with;

/// Tells of the first state of a version that becomes nothing of the next one: it has no migration, and is not there.
/// `migrated` are those that have one.
#[track_caller]
pub const fn tell_unmigrated(
    states: &[StateFacts],
    next_states: &[StateFacts],
    migrated: &[StateFacts],
    version: &str,
    path: &str,
    next: &str,
) {
    // One that is of another version has been told, and was perhaps meant for the state that is left.
    let mut others = migrated;
    while let [state, rest @ ..] = others {
        if state.is_state && !is_among(states, state) {
            return;
        }
        others = rest;
    }
    let mut left = states;
    while let [state, rest @ ..] = left {
        let is_told = state.is_state && !is_among(migrated, state) && !is_among(next_states, state);
        if is_told {
            let name = state.place.type_name;
            refuse_with(&[
                "`",
                name,
                "` of version ",
                version,
                " has no migration, and version ",
                next,
                " has no such type: write `#[migrate(from = ",
                version,
                ")] fn ",
                state.name,
                "(old: ",
                path,
                name,
                ") -> …`, which gives a state of version ",
                next,
            ]);
        }
        left = rest;
    }
}

/// Tells that a state has two migrations, at the second.
#[track_caller]
pub const fn tell_twice(first: &[(StateFacts, &str)], second: StateFacts) {
    let mut first = first;
    while let [(state, name), rest @ ..] = first {
        if second.is_state && is_same(state, &second) {
            refuse_with(&[
                "`",
                second.place.type_name,
                "` has the migration `",
                name,
                "` already: keep one of the two",
            ]);
        }
        first = rest;
    }
}

const fn is_among(states: &[StateFacts], state: &StateFacts) -> bool {
    let mut states = states;
    while let [first, rest @ ..] = states {
        if is_same(first, state) {
            return true;
        }
        states = rest;
    }
    false
}

/// Whether two states are one type.
const fn is_same(one: &StateFacts, other: &StateFacts) -> bool {
    one.place.is(&other.place) && one.name.len() == other.name.len()
}
