//! What executions are searched by: fields of their states.

use std::fmt;

use serde::Serialize;

use super::{Json, JsonError};
use crate::base::Timestamp;

/// What kind of values an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttributeKind {
    /// Texts.
    Text,
    /// Whole numbers.
    Integer,
    /// `true` and `false`.
    Bool,
    /// Points in time.
    Time,
}

impl fmt::Display for AttributeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Bool => "`true` or `false`",
            Self::Time => "a `Timestamp`",
        })
    }
}

/// A value to search by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// `true` or `false`.
    Bool(bool),
    /// A point in time.
    Time(Timestamp),
}

impl AttributeValue {
    /// What kind of value it is.
    #[must_use]
    pub const fn kind(&self) -> AttributeKind {
        match self {
            Self::Text(_) => AttributeKind::Text,
            Self::Integer(_) => AttributeKind::Integer,
            Self::Bool(_) => AttributeKind::Bool,
            Self::Time(_) => AttributeKind::Time,
        }
    }

    /// The value as it is in [`ExecutionRecord::attributes`](super::ExecutionRecord::attributes).
    ///
    /// # Errors
    /// None, but for lack of memory.
    pub fn to_json(&self) -> Result<Json, JsonError> {
        Json::encode(self)
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for AttributeValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for AttributeValue {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {
        $(
            impl From<$integer> for AttributeValue {
                fn from(number: $integer) -> Self {
                    Self::Integer(number.into())
                }
            }
        )*
    };
}

impl From<isize> for AttributeValue {
    fn from(number: isize) -> Self {
        // No platform has an `isize` of more than 64 bits.
        Self::Integer(i128::try_from(number).unwrap_or(i128::MAX))
    }
}

integers!(i8 i16 i32 i64 u8 u16 u32 u64);

impl From<usize> for AttributeValue {
    fn from(number: usize) -> Self {
        // No platform has a `usize` of more than 64 bits.
        Self::Integer(i128::try_from(number).unwrap_or(i128::MAX))
    }
}
