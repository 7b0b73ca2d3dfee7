//! What a type says when it refuses what it was shown.

use std::fmt;

use serde::de;

/// The error of the tracer's deserializer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Enough was seen; nothing is wrong.
    Stop,
    /// Something was learned on the way, with which it may be tried again.
    Again,
    /// A value would hold a value of its own type, which would hold another one.
    Endless,
    /// A field was not there.
    Missing(&'static str),
    /// A field was there twice.
    Duplicate(&'static str),
    /// There is no such variant, but these.
    UnknownVariant(&'static [&'static str]),
    /// Something else was expected.
    Expected(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => formatter.write_str("enough was seen"),
            Self::Again => formatter.write_str("something was learned"),
            Self::Endless => formatter.write_str("it holds itself"),
            Self::Missing(name) => write!(formatter, "missing field `{name}`"),
            Self::Duplicate(name) => write!(formatter, "duplicate field `{name}`"),
            Self::UnknownVariant(variants) => write!(formatter, "expected one of {variants:?}"),
            Self::Expected(text) => write!(formatter, "expected {text}"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Other(text.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownVariant(expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Duplicate(field)
    }
}
