//! Fields of states that executions can be searched by.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::record::AttributeKind;

/// What a field with `#[index]` may be.
#[diagnostic::on_unimplemented(
    message = "executions cannot be searched by `{Self}`",
    label = "no type to search by",
    note = "a field with `#[index]` is a `String`, a whole number of up to 64 bits, a `bool` or a `Timestamp`, or an `Option` of one of these: keep what is to be found in a field of its own"
)]
pub trait Attribute {
    /// What kind of values it has.
    const KIND: AttributeKind;
}

macro_rules! attributes {
    ($($kind:ident: $($ty:ty)*;)*) => {
        $($(
            impl Attribute for $ty {
                const KIND: AttributeKind = AttributeKind::$kind;
            }
        )*)*
    };
}

attributes! {
    Text: String Box<str> Arc<str> &'static str;
    Integer: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    Bool: bool;
    Time: Timestamp;
}

/// One that has no value at times: then no search finds the execution by it.
#[diagnostic::do_not_recommend]
impl<T: Attribute> Attribute for Option<T> {
    const KIND: AttributeKind = T::KIND;
}

/// A field of a state that executions can be searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttributeInfo {
    /// The name that the field is saved under.
    pub name: &'static str,
    /// What kind of values it has.
    pub kind: AttributeKind,
}

#[doc(hidden)]
impl AttributeInfo {
    #[must_use]
    pub const fn declare(name: &'static str, kind: AttributeKind) -> Self {
        Self { name, kind }
    }
}
