//! The name that a caller gives to an execution.

use std::fmt;
use std::sync::Arc;

/// The caller's name for one execution of a workflow: 1 to 256 bytes of UTF-8 without control characters.
///
/// Ids are unique per workflow. Starting an id a second time gives back the first execution, so use the name that the
/// work already has (an order number, a file path) and a start can be repeated safely.
///
/// Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(Arc<str>);

impl ExecutionId {
    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Checks `id`.
    ///
    /// # Errors
    /// [`InvalidId`] says what is wrong with it.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidId> {
        let id = id.as_ref();
        if id.is_empty() {
            return Err(InvalidId::Empty);
        }
        if id.len() > Self::MAX_LEN {
            return Err(InvalidId::TooLong { len: id.len() });
        }
        match id.chars().find(|character| character.is_control()) {
            Some(character) => Err(InvalidId::ControlCharacter { character }),
            None => Ok(Self(id.into())),
        }
    }

    /// The id of an execution that no store has.
    pub(crate) fn stepper() -> Self {
        Self("stepper".into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ExecutionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text cannot be an execution's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// The id has no characters.
    #[error("an id must not be empty: name what it stands for, as in `order-17`")]
    Empty,
    /// The id is over [`ExecutionId::MAX_LEN`] bytes.
    #[error("an id is at most {} bytes long, and this one has {len}: use a digest of it", ExecutionId::MAX_LEN)]
    TooLong {
        /// Bytes of the refused id.
        len: usize,
    },
    /// The id has a control character, which would garble logs.
    #[error("an id must not hold the control character {character:?}")]
    ControlCharacter {
        /// The first such character.
        character: char,
    },
}
