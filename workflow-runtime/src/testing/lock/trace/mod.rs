//! Shapes, traced from serde.
//!
//! A type is deserialized from a deserializer that has no data: it notes what it is asked for, and makes values up. A look
//! goes down one path and stops at the first thing that was not known; the type is looked at again and again until
//! nothing is left. So a type that checks what it reads hides nothing but what it holds itself, and enums and types that
//! hold themselves come to an end. Where what comes after a value can be seen only once there is one (the second element
//! of a tuple, the key of a map, whether a field may be missing), values are guessed until one is taken.
//!
//! | learned | from |
//! |---|---|
//! | names of fields and variants | what `deserialize_struct` and `deserialize_enum` are called with |
//! | types | what is asked for at each place |
//! | whether a field may be missing | leaving it out |
//! | another name of a field | "duplicate field", when both are shown |
//! | what looks at the data first (`untagged`, `tag`, `flatten`) | showing it one kind of value after the other |
//!
//! What cannot be found out so is said to be opaque. [serde-reflection](https://docs.rs/serde-reflection) does a part of
//! this; it is made for binary formats, and knows neither defaults nor tagged enums, and stops at a type that checks.

mod deserializer;
mod error;
mod guesses;
mod knowledge;
mod looking;
mod shapes;
mod values;

use serde::de::DeserializeOwned;

use deserializer::Asked;
use error::Refusal;
use knowledge::{Knowledge, NodeId};
pub(super) use shapes::Named;

/// What is done with a type at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Whatever is not known yet is found out.
    Explore,
    /// A value is made.
    Make,
}

/// Traces types, and remembers those that it has seen.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    known: Knowledge,
}

/// A traced type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traced(NodeId);

/// The looks that one type is worth. What is left after them is opaque.
const LOOKS: usize = 20_000;

impl Tracer {
    /// Finds out what `T` is saved as.
    pub(super) fn trace<T: DeserializeOwned>(&mut self) -> Traced {
        let known = &mut self.known;
        let root = known.node();
        for _ in 0..LOOKS {
            if known.is_complete(root) {
                break;
            }
            known.take_changed();
            known.making.clear();
            known.path.clear();
            let _ = within(known, root, Mode::Explore, |asked| T::deserialize(asked));
            if !known.take_changed() {
                break;
            }
        }
        Traced(root)
    }
}

/// Has a value asked for at a place, by somebody who is told what became of it.
fn within<T>(
    known: &mut Knowledge,
    node: NodeId,
    mode: Mode,
    ask: impl FnOnce(Asked<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let before = known.guessed.take();
    let result = ask(Asked { known: &mut *known, node, mode });
    match mode {
        Mode::Explore => {
            known.answer(result.map(drop));
            Err(Refusal::Stop)
        }
        Mode::Make => match result {
            Ok(value) => {
                known.guessed = known.guessed.or(before);
                Ok(value)
            }
            Err(Refusal::Stop | Refusal::Again) => Err(Refusal::Again),
            Err(Refusal::Endless) => Err(Refusal::Endless),
            Err(_) => {
                known.refused(node);
                Err(Refusal::Again)
            }
        },
    }
}

#[cfg(test)]
mod tests;
