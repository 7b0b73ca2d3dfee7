//! The deserializer that is asked for a type, and notes what it is asked for.

use std::any::type_name;

use serde::de::{Deserializer, Visitor};

use super::error::Refusal;
use super::guesses::{FLOATS, INTEGERS, TEXTS};
use super::knowledge::{Content, Form, Kind, Knowledge, NodeId, Presence, TypeId};
use super::looking::{self, SHOWN};
use super::values::{EnumValue, FieldsValue, ItemsValue, MapValue};
use super::{Mode, within};
use crate::testing::lock::shape::{Float, Integer};

/// Asked for a value, at one place.
pub(super) struct Asked<'a> {
    pub(super) known: &'a mut Knowledge,
    pub(super) node: NodeId,
    pub(super) mode: Mode,
}

impl Asked<'_> {
    /// Notes what is asked for.
    fn note(&mut self, kind: Kind) -> Result<(), Refusal> {
        if self.known.note(self.node, kind) {
            return Ok(());
        }
        self.known.give_up(self.node, "not always of one shape");
        Err(Refusal::Stop)
    }

    /// Notes that a value of one kind is asked for, of which there are guesses. The guess that is to be shown.
    fn guess(&mut self, kind: Kind) -> Result<usize, Refusal> {
        self.note(kind)?;
        match self.mode {
            Mode::Explore => Err(Refusal::Stop),
            Mode::Make => {
                self.known.guessed = Some(self.node);
                Ok(self.known.guess(self.node))
            }
        }
    }

    fn integer(&mut self, signed: bool, bits: u32) -> Result<i8, Refusal> {
        let guess = self.guess(Kind::Integer(Integer::new(signed, bits)))?;
        let value = INTEGERS.get(guess).copied().unwrap_or_default();
        if value < 0 && !signed { Err(Refusal::Other("negative".to_owned())) } else { Ok(value) }
    }

    /// A named type with one content: a struct.
    fn struct_type(
        &mut self,
        key: &str,
        name: &str,
        content: impl FnOnce(&mut Knowledge) -> Content,
    ) -> Result<TypeId, Refusal> {
        if let Kind::Type(id) = self.known.kind(self.node) {
            return Ok(*id);
        }
        let first = content(self.known);
        let id = self.known.type_of(key.to_owned(), name, Form::Struct, &[""], &first);
        self.note(Kind::Type(id))?;
        Ok(id)
    }
}

fn key<V>(name: &str, more: &[&str]) -> String {
    format!("{name}\n{}\n{}", type_name::<V>(), more.join("\n"))
}

macro_rules! integers {
    ($($function:ident $visit:ident $ty:ident $signed:literal $bits:literal,)*) => {
        $(fn $function<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
            let value = self.integer($signed, $bits)?;
            visitor.$visit($ty::try_from(value).unwrap_or_default())
        })*
    };
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Refusal;

    integers! {
        deserialize_i8 visit_i8 i8 true 8,
        deserialize_i16 visit_i16 i16 true 16,
        deserialize_i32 visit_i32 i32 true 32,
        deserialize_i64 visit_i64 i64 true 64,
        deserialize_i128 visit_i128 i128 true 128,
        deserialize_u8 visit_u8 u8 false 8,
        deserialize_u16 visit_u16 u16 false 16,
        deserialize_u32 visit_u32 u32 false 32,
        deserialize_u64 visit_u64 u64 false 64,
        deserialize_u128 visit_u128 u128 false 128,
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.note(Kind::Looks(Vec::new()))?;
        let Kind::Looks(answers) = self.known.kind(self.node) else { return Err(Refusal::Stop) };
        let taken = answers.iter().position(Result::is_ok);
        let shown = match self.mode {
            Mode::Explore if answers.len() < SHOWN => {
                let next = answers.len();
                self.known.asked = Some(self.node);
                next
            }
            Mode::Explore => return Err(Refusal::Stop),
            Mode::Make => taken.ok_or_else(|| Refusal::Other("nothing is taken".to_owned()))?,
        };
        looking::show(visitor, shown)
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let guess = self.guess(Kind::Bool)?;
        visitor.visit_bool(guess > 0)
    }

    fn deserialize_f32<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let guess = self.guess(Kind::Float(Float::F32))?;
        visitor.visit_f32(FLOATS.get(guess).copied().unwrap_or_default())
    }

    fn deserialize_f64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let guess = self.guess(Kind::Float(Float::F64))?;
        visitor.visit_f64(FLOATS.get(guess).copied().unwrap_or_default().into())
    }

    fn deserialize_char<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let guess = self.guess(Kind::Char)?;
        visitor.visit_char(if guess == 0 { 'a' } else { '0' })
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let guess = self.guess(Kind::Text)?;
        visitor.visit_str(TEXTS.get(guess).copied().unwrap_or_default())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.guess(Kind::Identifier)?;
        visitor.visit_str("")
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.guess(Kind::Bytes)?;
        visitor.visit_bytes(&[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.guess(Kind::Bytes)?;
        visitor.visit_byte_buf(Vec::new())
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.guess(Kind::Unit)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        self.guess(Kind::Ignored)?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let inner = match self.known.kind(self.node) {
            Kind::Option(inner) => *inner,
            _ => self.known.node(),
        };
        self.note(Kind::Option(inner))?;
        match self.mode {
            Mode::Explore => within(self.known, inner, self.mode, |asked| visitor.visit_some(asked)),
            Mode::Make => visitor.visit_none(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        // A value of serde_json that is kept as its text: it takes anything.
        if name.starts_with("$serde_json::private") {
            self.note(Kind::Ignored)?;
            return Err(Refusal::Stop);
        }
        let id = self.struct_type(&key::<V>(name, &[]), name, |known| Content::Newtype(known.node()))?;
        let Content::Newtype(inner) = *self.known.content((id, 0)) else { return Err(Refusal::Stop) };
        self.making(id, |known, mode| within(known, inner, mode, |asked| visitor.visit_newtype_struct(asked)))
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let item = match self.known.kind(self.node) {
            Kind::List(item) => *item,
            _ => self.known.node(),
        };
        self.note(Kind::List(item))?;
        let items = match self.mode {
            Mode::Explore => vec![item],
            Mode::Make => {
                self.known.guessed = Some(self.node);
                vec![item; self.known.guess(self.node)]
            }
        };
        visitor.visit_seq(ItemsValue::new(self.known, items, self.mode))
    }

    fn deserialize_tuple<V: Visitor<'de>>(mut self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        let items = match self.known.kind(self.node) {
            Kind::Tuple(items) => items.clone(),
            _ => (0..len).map(|_| self.known.node()).collect(),
        };
        self.note(Kind::Tuple(items.clone()))?;
        ItemsValue::of_tuple(self.known, items, self.mode, |items| visitor.visit_seq(items))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let key = key::<V>(name, &[&len.to_string()]);
        let id = self.struct_type(&key, name, |known| Content::Tuple((0..len).map(|_| known.node()).collect()))?;
        let Content::Tuple(items) = self.known.content((id, 0)).clone() else { return Err(Refusal::Stop) };
        self.making(id, |known, mode| ItemsValue::of_tuple(known, items, mode, |items| visitor.visit_seq(items)))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refusal> {
        let (key, value) = match self.known.kind(self.node) {
            Kind::Map(key, value) => (*key, *value),
            _ => (self.known.node(), self.known.node()),
        };
        self.note(Kind::Map(key, value))?;
        let entry = match self.mode {
            Mode::Explore => Some((key, value)),
            Mode::Make => None,
        };
        let map = self.node;
        let result = visitor.visit_map(MapValue { known: self.known, map, entry });
        match self.mode {
            Mode::Explore => Err(Refusal::Stop),
            Mode::Make => result,
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let id = self.struct_type(&key::<V>(name, fields), name, |known| FieldsValue::unknown(known, fields))?;
        if let Form::Adjacent(tag, content, node) = self.known.named(id).form {
            return self.making(id, |known, mode| EnumValue::adjacent(known, id, (tag, content, node), mode, visitor));
        }
        if let Some(found) = adjacent(self.known, id, fields) {
            self.known.set_form(id, found.0, found.1);
            return Err(Refusal::Stop);
        }
        self.making(id, |known, mode| FieldsValue::visit(known, (id, 0), mode, |fields| visitor.visit_map(fields)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let id = match self.known.kind(self.node) {
            Kind::Type(id) => *id,
            _ => {
                let is_tag = type_name::<V>().contains("AdjacentlyTaggedEnumVariant");
                let form = if is_tag { Form::AdjacentTag } else { Form::Enum };
                self.known.type_of(key::<V>(name, variants), name, form, variants, &Content::Unknown)
            }
        };
        self.note(Kind::Type(id))?;
        self.making(id, |known, mode| EnumValue::visit(known, id, mode, visitor))
    }
}

impl Asked<'_> {
    /// Does something of a type, unless a value of it is being made already, which would not end.
    fn making<T>(
        self,
        id: TypeId,
        body: impl FnOnce(&mut Knowledge, Mode) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let Self { known, mode, .. } = self;
        if mode == Mode::Make && known.making.contains(&id) {
            return Err(Refusal::Endless);
        }
        stack(known, mode).push(id);
        let result = body(known, mode);
        stack(known, mode).pop();
        result
    }
}

/// Where it is noted which types something is done of.
fn stack(known: &mut Knowledge, mode: Mode) -> &mut Vec<TypeId> {
    match mode {
        Mode::Explore => &mut known.path,
        Mode::Make => &mut known.making,
    }
}

/// What an enum with its tag beside its content is, if the struct is one: its first field is the tag.
fn adjacent(
    known: &mut Knowledge,
    id: TypeId,
    fields: &'static [&'static str],
) -> Option<(Form, Vec<(&'static str, Content)>)> {
    let [tag, content] = fields else { return None };
    let Content::Struct(known_fields) = known.content((id, 0)) else { return None };
    let node = known_fields.first().filter(|field| field.presence != Presence::Optional)?.node;
    let Kind::Type(tag_type) = known.kind(node) else { return None };
    let tag_type = known.named(*tag_type);
    if tag_type.form != Form::AdjacentTag {
        return None;
    }
    let variants = tag_type.contents.iter().map(|(name, _)| (*name, Content::Unknown)).collect();
    Some((Form::Adjacent(tag, content, node), variants))
}
