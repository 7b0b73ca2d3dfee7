//! The variants of generated enums, by the names that are persisted.

use super::WorkflowState;
use super::graph_check::StateFacts;
use crate::record::{Json, JsonError};

/// The persisted name of what a variant holds, and its data as it is persisted.
pub type Part = (&'static str, Result<Json, JsonError>);

/// How a variant of the enum `E` is read.
#[derive(Debug)]
pub struct Reader<E> {
    pub(super) name: &'static str,
    pub(super) was: &'static [&'static str],
    pub(super) read: fn(&Json) -> Result<E, JsonError>,
}

/// The variant of this name. A name of now goes before another's name of old.
pub fn read_variant<E>(readers: &[Reader<E>], name: &str, data: &Json) -> Option<Result<E, JsonError>> {
    let current = readers.iter().find(|reader| reader.name == name);
    let reader = current.or_else(|| readers.iter().find(|reader| reader.was.contains(&name)))?;
    Some((reader.read)(data))
}

/// The same of an enum that has some of the states.
pub fn read_state_of<E, S>(states: &[StateFacts], name: &str, data: &Json) -> Option<Result<E, JsonError>>
where
    S: WorkflowState,
    E: TryFrom<S>,
{
    if !is_state_of(states, name) {
        return None;
    }
    match S::decode(name, data)? {
        Ok(state) => E::try_from(state).ok().map(Ok),
        Err(error) => Some(Err(error)),
    }
}

/// Whether a state has this name, current or old.
#[must_use]
pub fn is_state_of(states: &[StateFacts], name: &str) -> bool {
    states.iter().any(|state| state.is_called(name))
}

/// The persisted names of states.
#[must_use]
#[allow(clippy::indexing_slicing, reason = "a constant function has no other way, and the lengths are one")]
pub const fn names<const N: usize>(states: &[StateFacts]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = states[index].name;
        index += 1;
    }
    names
}
