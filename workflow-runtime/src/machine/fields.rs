//! Structs as serde writes and reads them, without code of its own for each.
//!
//! The derives of serde write some hundred lines for a struct, and a workflow has many of them. Where a struct is plain, what
//! is generated says its fields, and the rest is here: it writes the same, and it reads and refuses the same.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a struct with these fields.
///
/// # Errors
/// Those of the serializer.
pub fn write_fields<S: Serializer, F: WriteFields>(
    serializer: S,
    name: &'static str,
    names: &'static [&'static str],
    fields: F,
) -> Result<S::Ok, S::Error> {
    let mut writer = serializer.serialize_struct(name, names.len())?;
    fields.write(names, &mut writer)?;
    writer.end()
}

/// Reads a struct with these fields.
///
/// # Errors
/// Those of the deserializer; if a field is missing or there twice.
pub fn read_fields<'de, D: Deserializer<'de>, F: ReadFields<'de>>(
    deserializer: D,
    name: &'static str,
    names: &'static [&'static str],
) -> Result<F, D::Error> {
    deserializer.deserialize_struct(name, names, StructVisitor { name, names, fields: PhantomData })
}

/// Borrowed fields: a tuple.
pub trait WriteFields {
    #[doc(hidden)]
    fn write<W: SerializeStruct>(self, names: &'static [&'static str], writer: &mut W) -> Result<(), W::Error>;
}

/// Owned fields: a tuple.
pub trait ReadFields<'de>: Sized {
    /// Those that have been read.
    #[doc(hidden)]
    type Slots;

    #[doc(hidden)]
    fn none() -> Self::Slots;

    #[doc(hidden)]
    fn read<A: MapAccess<'de>>(
        slots: &mut Self::Slots,
        field: usize,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;

    #[doc(hidden)]
    fn all<E: Error>(slots: Self::Slots, names: &'static [&'static str]) -> Result<Self, E>;

    #[doc(hidden)]
    fn in_order<A: SeqAccess<'de>>(sequence: A, expected: &dyn serde::de::Expected) -> Result<Self, A::Error>;
}

macro_rules! fields {
    ($($field:ident $slot:ident $place:tt),*) => {
        impl<$($field: Serialize),*> WriteFields for ($(&$field,)*) {
            fn write<W: SerializeStruct>(self, names: &'static [&'static str], writer: &mut W) -> Result<(), W::Error> {
                let mut names = names.iter();
                $(writer.serialize_field(names.next().copied().unwrap_or_default(), self.$place)?;)*
                Ok(())
            }
        }

        impl<'de, $($field: Deserialize<'de>),*> ReadFields<'de> for ($($field,)*) {
            type Slots = ($(Option<$field>,)*);

            fn none() -> Self::Slots {
                ($(None::<$field>,)*)
            }

            fn read<Z: MapAccess<'de>>(
                slots: &mut Self::Slots,
                field: usize,
                name: &'static str,
                map: &mut Z,
            ) -> Result<(), Z::Error> {
                match field {
                    $($place if slots.$place.is_some() => Err(Z::Error::duplicate_field(name)),
                    $place => {
                        slots.$place = Some(map.next_value()?);
                        Ok(())
                    })*
                    _ => map.next_value::<IgnoredAny>().map(drop),
                }
            }

            fn all<Z: Error>(slots: Self::Slots, names: &'static [&'static str]) -> Result<Self, Z> {
                let ($($slot,)*) = slots;
                let mut names = names.iter();
                Ok(($({
                    let name = names.next().copied().unwrap_or_default();
                    match $slot {
                        Some(field) => field,
                        None => $field::deserialize(Missing { name, error: PhantomData })?,
                    }
                },)*))
            }

            fn in_order<Z: SeqAccess<'de>>(
                mut sequence: Z,
                expected: &dyn serde::de::Expected,
            ) -> Result<Self, Z::Error> {
                Ok(($(match sequence.next_element::<$field>()? {
                    Some(field) => field,
                    None => return Err(Z::Error::invalid_length($place, expected)),
                },)*))
            }
        }
    };
}

fields!(A a 0);
fields!(A a 0, B b 1);
fields!(A a 0, B b 1, C c 2);
fields!(A a 0, B b 1, C c 2, D d 3);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10);
fields!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11);

struct StructVisitor<F> {
    name: &'static str,
    names: &'static [&'static str],
    fields: PhantomData<F>,
}

impl<'de, F: ReadFields<'de>> Visitor<'de> for StructVisitor<F> {
    type Value = F;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "struct {}", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<F, A::Error> {
        let mut slots = F::none();
        while let Some(field) = map.next_key_seed(FieldName(self.names))? {
            F::read(&mut slots, field, self.names.get(field).copied().unwrap_or_default(), &mut map)?;
        }
        F::all(slots, self.names)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<F, A::Error> {
        F::in_order(sequence, &InOrder { name: self.name, count: self.names.len() })
    }
}

/// What is said to be expected of a sequence that is too short.
struct InOrder {
    name: &'static str,
    count: usize,
}

impl serde::de::Expected for InOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements = if self.count == 1 { "element" } else { "elements" };
        write!(formatter, "struct {} with {} {elements}", self.name, self.count)
    }
}

/// Reads the name of a field as its place; that of another one is past the end.
struct FieldName(&'static [&'static str]);

impl FieldName {
    fn place(&self, name: &[u8]) -> usize {
        self.0.iter().position(|known| known.as_bytes() == name).unwrap_or(usize::MAX)
    }
}

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("field identifier")
    }

    fn visit_u64<E: Error>(self, place: u64) -> Result<usize, E> {
        Ok(usize::try_from(place).unwrap_or(usize::MAX))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        Ok(self.place(name.as_bytes()))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        Ok(self.place(name))
    }
}

/// What a field that is not there is read from: an option is `None` then.
struct Missing<E> {
    name: &'static str,
    error: PhantomData<E>,
}

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{read_fields, write_fields};

    mod derived {
        use serde::{Deserialize, Serialize};

        // What is said of it has the name that it has in the source.
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        pub(super) struct Parcel {
            pub(super) order: String,
            pub(super) count: Option<u32>,
            pub(super) marks: Vec<(u8, String)>,
        }
    }
    use derived::Parcel as Derived;

    #[derive(Debug, PartialEq)]
    struct Parcel {
        order: String,
        count: Option<u32>,
        marks: Vec<(u8, String)>,
    }

    const NAMES: &[&str] = &["order", "count", "marks"];

    impl Serialize for Parcel {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            write_fields(serializer, "Parcel", NAMES, (&self.order, &self.count, &self.marks))
        }
    }

    impl<'de> Deserialize<'de> for Parcel {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (order, count, marks) = read_fields(deserializer, "Parcel", NAMES)?;
            Ok(Self { order, count, marks })
        }
    }

    #[test]
    fn a_struct_is_written_as_the_derive_writes_it() {
        for count in [None, Some(7)] {
            let marks = vec![(1, "fragile".to_owned())];
            let derived = Derived { order: "a".to_owned(), count, marks: marks.clone() };
            let plain = Parcel { order: "a".to_owned(), count, marks };
            assert_eq!(serde_json::to_string(&plain).unwrap(), serde_json::to_string(&derived).unwrap());
        }
    }

    #[test]
    fn a_struct_is_read_and_refused_as_the_derive_does_it() {
        let texts = [
            r#"{"order":"a","count":1,"marks":[]}"#,
            r#"{"marks":[[1,"x"]],"more":{"a":[1]},"order":"a","count":null}"#,
            r#"{"marks":[],"order":"a"}"#,
            r#"{"order":"a"}"#,
            r#"{"order":"a","order":"b","marks":[]}"#,
            r#"{"order":1,"marks":[]}"#,
            r#"{"\u006frder":"a","marks":[]}"#,
            r#"["a",1,[]]"#,
            r#"["a",1]"#,
            r#"["a",1,[],2]"#,
            r#"[]"#,
            r#"{}"#,
            r#""a""#,
            r#"null"#,
            r#"{"order""#,
        ];
        for text in texts {
            let derived = serde_json::from_str::<Derived>(text);
            let plain = serde_json::from_str::<Parcel>(text);
            match (derived, plain) {
                (Ok(Derived { order, count, marks }), Ok(plain)) => assert_eq!(plain, Parcel { order, count, marks }),
                (Err(derived), Err(plain)) => assert_eq!(plain.to_string(), derived.to_string()),
                (derived, plain) => panic!("{text}: {derived:?}, {plain:?}"),
            }
        }
    }
}
