//! What a type is saved as: the vocabulary of a lock.

use std::collections::BTreeMap;
use std::fmt;

/// What a value looks like in its saved form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// `null`.
    Unit,
    Bool,
    Integer(Integer),
    Float(Float),
    Char,
    Text,
    Bytes,
    Option(Box<Shape>),
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    Map(Box<Shape>, Box<Shape>),
    /// A type of the lock's section, by its name there.
    Type(String),
    /// It takes whatever there is.
    Any,
    /// It cannot be told what it takes, but only this.
    Opaque(String),
}

/// An integer of so many bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Integer {
    pub(super) signed: bool,
    pub(super) bits: u32,
}

/// A floating-point number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Float {
    F32,
    F64,
}

/// What stands under the name of a type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Definition {
    /// A struct.
    Data(Content),
    /// An enum, and how its variants are told apart.
    Enum(Tagging, BTreeMap<String, Content>),
}

/// What a struct or a variant holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Content {
    Unit,
    /// It is saved as what it holds.
    Newtype(Shape),
    Tuple(Vec<Shape>),
    Struct(BTreeMap<String, Field>),
    /// It cannot be told what it holds, but only this.
    Opaque(String),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    /// A field, and whether it may be missing.
    Own { shape: Shape, optional: bool },
    /// Another name of a field.
    Alias(String),
}

/// How the variant of an enum stands in its saved form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tagging {
    /// As the only key, or as a text.
    External,
    /// As the value of this key, among the fields.
    Internal(String),
    /// As the value of the first key, with what it holds under the second.
    Adjacent(String, String),
}

impl Integer {
    pub(super) const ALL: [Self; 10] = [
        Self::new(true, 8),
        Self::new(true, 16),
        Self::new(true, 32),
        Self::new(true, 64),
        Self::new(true, 128),
        Self::new(false, 8),
        Self::new(false, 16),
        Self::new(false, 32),
        Self::new(false, 64),
        Self::new(false, 128),
    ];

    pub(super) const fn new(signed: bool, bits: u32) -> Self {
        Self { signed, bits }
    }

    /// Whether it can be any value that the other can be.
    pub(super) const fn holds(self, other: Self) -> bool {
        match (self.signed, other.signed) {
            (true, true) | (false, false) => self.bits >= other.bits,
            (true, false) => self.bits > other.bits,
            (false, true) => false,
        }
    }
}

impl Float {
    /// Whether it can be exactly any value of the integer.
    pub(super) const fn holds(self, integer: Integer) -> bool {
        let bits = if integer.signed { integer.bits - 1 } else { integer.bits };
        bits <= match self {
            Self::F32 => 24,
            Self::F64 => 53,
        }
    }
}

/// Whether a name stands in a lock as it is, or in quotes.
fn is_plain(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '~'))
}

/// The name of a type, as a shape names it.
pub(super) struct TypeName<'a>(pub(super) &'a str);

impl fmt::Display for TypeName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) { formatter.write_str(self.0) } else { Quoted(self.0).fmt(formatter) }
    }
}

/// A text in quotes: JSON's, so that a line stays one.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::Value::from(self.0).to_string())
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", if self.signed { "i" } else { "u" }, self.bits)
    }
}

impl fmt::Display for Float {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => formatter.write_str("null"),
            Self::Bool => formatter.write_str("bool"),
            Self::Integer(integer) => integer.fmt(formatter),
            Self::Float(float) => float.fmt(formatter),
            Self::Char => formatter.write_str("char"),
            Self::Text => formatter.write_str("string"),
            Self::Bytes => formatter.write_str("bytes"),
            Self::Option(inner) => write!(formatter, "{inner}?"),
            Self::List(item) => write!(formatter, "[{item}]"),
            Self::Map(key, value) => write!(formatter, "{{{key}: {value}}}"),
            Self::Type(name) => TypeName(name).fmt(formatter),
            Self::Any => formatter.write_str("any"),
            Self::Opaque(text) => write!(formatter, "opaque {}", Quoted(text)),
            Self::Tuple(items) => match items.as_slice() {
                // An array.
                [first, _, ..] if items.iter().all(|item| item == first) => {
                    write!(formatter, "[{first}; {}]", items.len())
                }
                items => {
                    formatter.write_str("(")?;
                    for (place, item) in items.iter().enumerate() {
                        let comma = if place == 0 { "" } else { ", " };
                        write!(formatter, "{comma}{item}")?;
                    }
                    formatter.write_str(")")
                }
            },
        }
    }
}
