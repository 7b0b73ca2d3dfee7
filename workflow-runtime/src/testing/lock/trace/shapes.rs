//! From what is known to shapes, with the types under names of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::knowledge::{self, Content as Known, Form, Kind, Knowledge, NodeId, Presence, TypeId};
use super::{Traced, Tracer, looking};
use crate::testing::lock::shape::{Content, Definition, Field, Shape, Tagging};

/// Gives types their names, and collects what they are.
///
/// Two types of one name are told apart by the order in which they are come to, which depends on the source alone.
#[derive(Debug, Default)]
pub(in crate::testing::lock) struct Named {
    names: BTreeMap<TypeId, String>,
    taken: BTreeSet<String>,
    pub(in crate::testing::lock) types: BTreeMap<String, Definition>,
}

impl Named {
    /// The shape of a traced type. All of one `Named` are of one tracer.
    pub(in crate::testing::lock) fn shape(&mut self, tracer: &Tracer, traced: Traced) -> Shape {
        self.of(&tracer.known, traced.0)
    }

    fn of(&mut self, known: &Knowledge, node: NodeId) -> Shape {
        match known.kind(node) {
            Kind::Unknown => Shape::Opaque("could not be reached".to_owned()),
            Kind::Unit => Shape::Unit,
            Kind::Bool => Shape::Bool,
            Kind::Integer(integer) => Shape::Integer(*integer),
            Kind::Float(float) => Shape::Float(*float),
            Kind::Char => Shape::Char,
            Kind::Text | Kind::Identifier => Shape::Text,
            Kind::Bytes => Shape::Bytes,
            Kind::Option(inner) => Shape::Option(Box::new(self.of(known, *inner))),
            Kind::List(item) => Shape::List(Box::new(self.of(known, *item))),
            Kind::Map(key, value) => Shape::Map(Box::new(self.of(known, *key)), Box::new(self.of(known, *value))),
            Kind::Tuple(items) => Shape::Tuple(items.iter().map(|item| self.of(known, *item)).collect()),
            Kind::Type(id) => Shape::Type(self.name(known, *id)),
            Kind::Ignored => Shape::Any,
            Kind::Looks(answers) => match looking::describe(answers) {
                Some(text) => Shape::Opaque(text),
                None => Shape::Any,
            },
            Kind::Opaque(text) => Shape::Opaque(text.clone()),
        }
    }

    fn name(&mut self, known: &Knowledge, id: TypeId) -> String {
        if let Some(name) = self.names.get(&id) {
            return name.clone();
        }
        let ty = known.named(id);
        let numbered = (2..).map(|number: usize| format!("{}~{number}", ty.name));
        let mut names = std::iter::once(ty.name.clone()).chain(numbered);
        let name = names.find(|name| !self.taken.contains(name)).unwrap_or_default();
        self.taken.insert(name.clone());
        self.names.insert(id, name.clone());
        let definition = self.definition(known, ty);
        self.types.insert(name.clone(), definition);
        name
    }

    fn definition(&mut self, known: &Knowledge, ty: &knowledge::Type) -> Definition {
        let tagging = match ty.form {
            Form::Struct => {
                let content = ty.contents.first().map(|(_, content)| self.content(known, content));
                return Definition::Data(content.unwrap_or(Content::Unit));
            }
            Form::Enum | Form::AdjacentTag => Tagging::External,
            Form::Adjacent(tag, content, _) => Tagging::Adjacent(tag.to_owned(), content.to_owned()),
        };
        let beside = matches!(ty.form, Form::Adjacent(..));
        let contents = ty.contents.iter().map(|(name, content)| {
            let content = match content {
                Known::Newtype(node) if beside && looking::is_null(known.kind(*node)) => Content::Unit,
                content => self.content(known, content),
            };
            ((*name).to_owned(), content)
        });
        Definition::Enum(tagging, contents.collect())
    }

    fn content(&mut self, known: &Knowledge, content: &Known) -> Content {
        match content {
            Known::Unknown => Content::Opaque("could not be reached".to_owned()),
            Known::Unit => Content::Unit,
            Known::Newtype(node) => Content::Newtype(self.of(known, *node)),
            Known::Tuple(items) => Content::Tuple(items.iter().map(|item| self.of(known, *item)).collect()),
            Known::Struct(fields) => {
                let fields = fields.iter().map(|field| (field.name.to_owned(), self.field(known, field)));
                Content::Struct(fields.collect())
            }
            Known::Opaque(text) => Content::Opaque(text.clone()),
        }
    }

    fn field(&mut self, known: &Knowledge, field: &knowledge::Field) -> Field {
        match field.presence {
            Presence::Alias(name) => Field::Alias(name.to_owned()),
            presence => Field::Own { shape: self.of(known, field.node), optional: presence == Presence::Optional },
        }
    }
}
