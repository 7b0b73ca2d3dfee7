//! Values with others in them, as they are shown to a type.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::error::Refusal;
use super::knowledge::{Content, ContentId, Field, Kind, Knowledge, NodeId, Presence, TypeId, is_alias};
use super::{Mode, within};

fn name_of(name: &'static str) -> StrDeserializer<'static, Refusal> {
    name.into_deserializer()
}

/// A list of values.
pub(super) struct ItemsValue<'a> {
    known: &'a mut Knowledge,
    items: std::vec::IntoIter<NodeId>,
    /// The place of the one that is looked into; those before it are made.
    explored: usize,
    next: usize,
}

impl<'a> ItemsValue<'a> {
    pub(super) fn new(known: &'a mut Knowledge, items: Vec<NodeId>, mode: Mode) -> Self {
        let explored = if mode == Mode::Explore { 0 } else { usize::MAX };
        Self { known, items: items.into_iter(), explored, next: 0 }
    }

    /// Shows the elements of a tuple: up to the first that is not known, if that is what it is for.
    pub(super) fn of_tuple<T>(
        known: &'a mut Knowledge,
        items: Vec<NodeId>,
        mode: Mode,
        visit: impl FnOnce(ItemsValue<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if mode == Mode::Make {
            return visit(Self::new(known, items, mode));
        }
        let Some(explored) = (0..items.len()).find(|place| !known.is_complete_here(items[*place])) else {
            return Err(Refusal::Stop);
        };
        if items[..explored].iter().any(|item| known.is_barren(*item)) {
            for item in &items[explored..] {
                known.give_up(*item, "behind a value that could not be guessed");
            }
            return Err(Refusal::Stop);
        }
        let items = items.into_iter();
        visit(ItemsValue { known, items, explored, next: 0 }).and(Err(Refusal::Stop))
    }
}

impl<'de> SeqAccess<'de> for ItemsValue<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let mode = if self.next == self.explored { Mode::Explore } else { Mode::Make };
        self.next += 1;
        within(self.known, item, mode, |asked| seed.deserialize(asked)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A map with one entry at most.
pub(super) struct MapValue<'a> {
    pub(super) known: &'a mut Knowledge,
    /// The place of the map.
    pub(super) map: NodeId,
    pub(super) entry: Option<(NodeId, NodeId)>,
}

impl<'de> MapAccess<'de> for MapValue<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        let Some((key, value)) = self.entry else { return Ok(None) };
        let mode = if self.known.is_complete_here(key) { Mode::Make } else { Mode::Explore };
        let made = within(self.known, key, mode, |asked| seed.deserialize(asked));
        if *self.known.kind(key) == Kind::Identifier {
            self.known.give_up(self.map, "a struct with `flatten`");
        } else if self.known.is_barren(key) {
            self.known.give_up(value, "behind a key that could not be guessed");
        }
        made.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        let Some((_, value)) = self.entry.take() else { return Err(Refusal::Stop) };
        within(self.known, value, Mode::Explore, |asked| seed.deserialize(asked))
    }
}

/// Fields of a struct.
pub(super) struct FieldsValue<'a> {
    known: &'a mut Knowledge,
    fields: std::vec::IntoIter<(&'static str, NodeId, Mode)>,
    value: Option<(NodeId, Mode)>,
}

impl FieldsValue<'_> {
    /// A struct of which nothing is known but the names of its fields.
    pub(super) fn unknown(known: &mut Knowledge, fields: &[&'static str]) -> Content {
        let field = |name: &&'static str| Field { name, node: known.node(), presence: Presence::Unknown };
        Content::Struct(fields.iter().map(field).collect())
    }

    /// Shows the fields of a struct: one that is not known yet; or all but one, to see whether that may be missing.
    pub(super) fn visit<T>(
        known: &mut Knowledge,
        content: ContentId,
        mode: Mode,
        visit: impl FnOnce(FieldsValue<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let Content::Struct(fields) = known.content(content).clone() else { return Err(Refusal::Stop) };
        if mode == Mode::Make {
            let made = made(known, &fields, None);
            return visit(FieldsValue { known, fields: made.into_iter(), value: None });
        }
        let unknown = fields.iter().find(|field| !is_alias(field) && !known.is_complete_here(field.node));
        if let Some(field) = unknown {
            let one = vec![(field.name, field.node, Mode::Explore)];
            let _ = visit(FieldsValue { known, fields: one.into_iter(), value: None });
            return Err(Refusal::Stop);
        }
        let Some(field) = fields.iter().find(|field| field.presence == Presence::Unknown) else {
            return Err(Refusal::Stop);
        };
        // First all of them, as a field is there also under another name of it.
        let apart = known.is_told_apart(content);
        let shown = made(known, &fields, apart.then_some(field.name));
        known.making.push(content.0);
        let result = visit(FieldsValue { known, fields: shown.into_iter(), value: None });
        known.making.pop();
        let presence = match result {
            Err(Refusal::Again | Refusal::Stop) => return Err(Refusal::Again),
            Err(Refusal::Duplicate(name)) => {
                note_alias(known, content, name);
                return Err(Refusal::Again);
            }
            _ if !apart => {
                known.tell_apart(content);
                return Err(Refusal::Again);
            }
            Ok(_) => Presence::Optional,
            Err(Refusal::Missing(name)) if name == field.name => Presence::Required,
            // Something else is wrong with it. Of an option it is known by experience.
            Err(_) => match known.kind(field.node) {
                Kind::Option(_) => Presence::Optional,
                _ => Presence::Required,
            },
        };
        let name = field.name;
        known.change_fields(content, |fields| {
            if let Some(field) = fields.iter_mut().find(|field| field.name == name) {
                field.presence = presence;
            }
        });
        Err(Refusal::Stop)
    }
}

/// The fields that are to be made, but for one.
fn made(known: &Knowledge, fields: &[Field], without: Option<&str>) -> Vec<(&'static str, NodeId, Mode)> {
    let needed = |field: &&Field| {
        Some(field.name) != without
            && !matches!(field.presence, Presence::Optional | Presence::Alias(_))
            && !known.is_barren(field.node)
    };
    fields.iter().filter(needed).map(|field| (field.name, field.node, Mode::Make)).collect()
}

/// Two names of one field were shown. The one that was shown last is the other name, or it is the field itself: then that is
/// to be shown first the next time.
fn note_alias(known: &mut Knowledge, content: ContentId, name: &'static str) {
    let shown = known.shown;
    known.change_fields(content, |fields| match shown {
        Some(shown) if shown != name => {
            if let Some(field) = fields.iter_mut().find(|field| field.name == shown) {
                field.presence = Presence::Alias(name);
            }
        }
        _ => fields.sort_by_key(|field| field.name != name),
    });
}

impl<'de> MapAccess<'de> for FieldsValue<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        let Some((name, node, mode)) = self.fields.next() else { return Ok(None) };
        self.value = Some((node, mode));
        self.known.shown = Some(name);
        seed.deserialize(name_of(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        let Some((node, mode)) = self.value.take() else { return Err(Refusal::Stop) };
        within(self.known, node, mode, |asked| seed.deserialize(asked))
    }
}

/// A variant of an enum.
pub(super) struct EnumValue<'a> {
    known: &'a mut Knowledge,
    variant: ContentId,
    name: &'static str,
    mode: Mode,
}

impl<'a> EnumValue<'a> {
    /// Shows the variant that is next, or one that can be made.
    pub(super) fn visit<'de, V: Visitor<'de>>(
        known: &mut Knowledge,
        id: TypeId,
        mode: Mode,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let (place, name) = next_variant(known, id, mode)?;
        let variant = (id, place);
        let result = visitor.visit_enum(EnumValue { known: &mut *known, variant, name, mode });
        after_variant(known, variant, mode, result)
    }

    /// The same where the variant stands under one key, and what it holds under another.
    pub(super) fn adjacent<'de, V: Visitor<'de>>(
        known: &mut Knowledge,
        id: TypeId,
        keys: (&'static str, &'static str, NodeId),
        mode: Mode,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let (place, name) = next_variant(known, id, mode)?;
        let variant = (id, place);
        let value = AdjacentValue { known: &mut *known, variant, name, keys, mode, place: 0 };
        let result = visitor.visit_map(value);
        after_variant(known, variant, mode, result)
    }
}

fn next_variant(known: &Knowledge, id: TypeId, mode: Mode) -> Result<(usize, &'static str), Refusal> {
    let mut variants = known.named(id).contents.iter().enumerate().map(|(place, (name, _))| (place, *name));
    let next = match mode {
        Mode::Explore => variants.find(|(place, _)| !known.is_content_complete((id, *place))),
        Mode::Make => variants.find(|(place, _)| known.is_content_fertile((id, *place))),
    };
    next.ok_or(match mode {
        Mode::Explore => Refusal::Stop,
        Mode::Make => Refusal::Endless,
    })
}

fn after_variant<T>(
    known: &mut Knowledge,
    variant: ContentId,
    mode: Mode,
    result: Result<T, Refusal>,
) -> Result<T, Refusal> {
    if mode == Mode::Make {
        if matches!(result, Err(Refusal::Endless)) {
            known.note_endless(variant);
            return Err(Refusal::Again);
        }
        return result;
    }
    if *known.content(variant) == Content::Unknown {
        let content = match result {
            Ok(_) => Content::Unit,
            Err(refusal) => Content::Opaque(refusal.to_string()),
        };
        known.set_content(variant, content);
    }
    Err(Refusal::Stop)
}

impl<'de, 'a> EnumAccess<'de> for EnumValue<'a> {
    type Error = Refusal;
    type Variant = VariantValue<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, VariantValue<'a>), Refusal> {
        let value = seed.deserialize(name_of(self.name))?;
        Ok((value, VariantValue { known: self.known, variant: self.variant, mode: self.mode }))
    }
}

/// What a variant holds.
pub(super) struct VariantValue<'a> {
    known: &'a mut Knowledge,
    variant: ContentId,
    mode: Mode,
}

impl VariantValue<'_> {
    fn content(&mut self, content: impl FnOnce(&mut Knowledge) -> Content) -> Content {
        if *self.known.content(self.variant) == Content::Unknown {
            let content = content(self.known);
            self.known.set_content(self.variant, content);
        }
        self.known.content(self.variant).clone()
    }
}

impl<'de> VariantAccess<'de> for VariantValue<'_> {
    type Error = Refusal;

    fn unit_variant(mut self) -> Result<(), Refusal> {
        self.content(|_| Content::Unit);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, Refusal> {
        let Content::Newtype(node) = self.content(|known| Content::Newtype(known.node())) else {
            return Err(Refusal::Stop);
        };
        within(self.known, node, self.mode, |asked| seed.deserialize(asked))
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        let content = self.content(|known| Content::Tuple((0..len).map(|_| known.node()).collect()));
        let Content::Tuple(items) = content else { return Err(Refusal::Stop) };
        ItemsValue::of_tuple(self.known, items, self.mode, |items| visitor.visit_seq(items))
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.content(|known| FieldsValue::unknown(known, fields));
        FieldsValue::visit(self.known, self.variant, self.mode, |fields| visitor.visit_map(fields))
    }
}

/// A tag, and then what the variant holds.
struct AdjacentValue<'a> {
    known: &'a mut Knowledge,
    variant: ContentId,
    name: &'static str,
    keys: (&'static str, &'static str, NodeId),
    mode: Mode,
    place: usize,
}

impl<'de> MapAccess<'de> for AdjacentValue<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Refusal> {
        self.place += 1;
        let key = match self.place {
            1 => self.keys.0,
            2 => self.keys.1,
            _ => return Ok(None),
        };
        seed.deserialize(name_of(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        if self.place == 1 {
            return seed.deserialize(TagValue(self.name));
        }
        let node = match self.known.content(self.variant) {
            Content::Newtype(node) => *node,
            _ => {
                let node = self.known.node();
                self.known.set_content(self.variant, Content::Newtype(node));
                node
            }
        };
        within(self.known, node, self.mode, |asked| seed.deserialize(asked))
    }
}

/// The name of a variant, as it is asked for beside its content.
struct TagValue(&'static str);

impl<'de> serde::Deserializer<'de> for TagValue {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_enum(name_of(self.0))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
