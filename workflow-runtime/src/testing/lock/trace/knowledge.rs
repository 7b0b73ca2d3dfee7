//! What is known of the types so far. It only ever grows, so that looking again comes to an end.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Refusal;
use crate::testing::lock::shape::{Float, Integer};

/// A place where a value stands.
pub(super) type NodeId = usize;
/// A type with a name.
pub(super) type TypeId = usize;
/// A struct, or a variant of an enum: the place among what the type holds.
pub(super) type ContentId = (TypeId, usize);

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    nodes: Vec<Node>,
    types: Vec<Type>,
    by_key: BTreeMap<String, TypeId>,
    /// Variants of which a value holds one of the enum itself.
    endless: BTreeSet<ContentId>,
    /// Whether anything was learned since somebody looked.
    changed: bool,
    /// Structs of which all names were shown at once, so that those that are names of one field are known.
    told_apart: BTreeSet<ContentId>,
    /// The value that answers by what becomes of it, if it was shown.
    pub(super) asked: Option<NodeId>,
    /// The last value that was made of nothing but a guess.
    pub(super) guessed: Option<NodeId>,
    /// The types that a value is being made of, the innermost last.
    pub(super) making: Vec<TypeId>,
    /// The types that are being looked into, the innermost last.
    pub(super) path: Vec<TypeId>,
    /// The field that was shown last.
    pub(super) shown: Option<&'static str>,
}

#[derive(Debug, Default)]
struct Node {
    kind: Kind,
    /// Which guess is to be shown next.
    guess: usize,
    /// Whether no value of it could be made.
    barren: bool,
}

/// What a type asks for at a place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Kind {
    #[default]
    Unknown,
    Unit,
    Bool,
    Integer(Integer),
    Float(Float),
    Char,
    Text,
    Bytes,
    Option(NodeId),
    List(NodeId),
    Map(NodeId, NodeId),
    Tuple(Vec<NodeId>),
    Type(TypeId),
    /// The name of a field or a variant.
    Identifier,
    /// It takes anything at all.
    Ignored,
    /// It looks at what there is. What it said of each thing it was shown.
    Looks(Vec<Result<(), Refusal>>),
    Opaque(String),
}

/// A type with a name.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) contents: Vec<(&'static str, Content)>,
    /// Whether nothing that it leads to is left to be learned.
    complete: bool,
}

/// What a named type is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    Struct,
    Enum,
    /// The tag of an enum whose content stands beside it.
    AdjacentTag,
    /// An enum with its tag and its content under these keys. The node of the tag.
    Adjacent(&'static str, &'static str, NodeId),
}

/// What a struct or a variant holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Unknown,
    Unit,
    Newtype(NodeId),
    Tuple(Vec<NodeId>),
    Struct(Vec<Field>),
    Opaque(String),
}

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) node: NodeId,
    pub(super) presence: Presence,
}

/// Whether a field has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Unknown,
    Required,
    Optional,
    /// It is another name of this field.
    Alias(&'static str),
}

impl Knowledge {
    pub(super) fn node(&mut self) -> NodeId {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    pub(super) fn kind(&self, node: NodeId) -> &Kind {
        &self.nodes[node].kind
    }

    pub(super) fn named(&self, id: TypeId) -> &Type {
        &self.types[id]
    }

    pub(super) fn content(&self, (id, place): ContentId) -> &Content {
        &self.types[id].contents[place].1
    }

    /// Notes what a type asks for at a place. `false` if it asked for something else before.
    pub(super) fn note(&mut self, node: NodeId, kind: Kind) -> bool {
        match &self.nodes[node].kind {
            Kind::Unknown => {
                self.nodes[node].kind = kind;
                self.changed = true;
                true
            }
            known => std::mem::discriminant(known) == std::mem::discriminant(&kind),
        }
    }

    /// Gives up on a place.
    pub(super) fn give_up(&mut self, node: NodeId, text: impl Into<String>) {
        self.nodes[node].kind = Kind::Opaque(text.into());
        self.changed = true;
    }

    /// The type of this key, which may be new.
    pub(super) fn type_of(
        &mut self,
        key: String,
        name: &str,
        form: Form,
        contents: &[&'static str],
        first: &Content,
    ) -> TypeId {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let contents = contents.iter().map(|name| (*name, first.clone())).collect();
        self.types.push(Type { name: name.to_owned(), form, contents, complete: false });
        self.by_key.insert(key, self.types.len() - 1);
        self.changed = true;
        self.types.len() - 1
    }

    pub(super) fn set_form(&mut self, id: TypeId, form: Form, contents: Vec<(&'static str, Content)>) {
        self.types[id].form = form;
        self.types[id].contents = contents;
        self.changed = true;
    }

    pub(super) fn set_content(&mut self, (id, place): ContentId, content: Content) {
        self.types[id].contents[place].1 = content;
        self.changed = true;
    }

    /// Changes what is known of the fields of a struct.
    pub(super) fn change_fields(&mut self, (id, place): ContentId, change: impl FnOnce(&mut Vec<Field>)) {
        if let Content::Struct(fields) = &mut self.types[id].contents[place].1 {
            change(fields);
            self.changed = true;
        }
    }

    /// Whether anything was learned since this was asked last.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Which guess is to be shown at a place.
    pub(super) fn guess(&self, node: NodeId) -> usize {
        self.nodes[node].guess
    }

    /// A value that was made for a place was refused: it is to be another one, as long as there are any.
    pub(super) fn refused(&mut self, node: NodeId) {
        if let Some(guessed) = self.guessed {
            let guesses = guesses(&self.nodes[guessed].kind);
            if self.nodes[guessed].guess + 1 < guesses {
                self.nodes[guessed].guess += 1;
                self.changed = true;
                return;
            }
            self.nodes[guessed].guess = 0;
        }
        if !self.nodes[node].barren {
            self.nodes[node].barren = true;
            self.changed = true;
        }
    }

    pub(super) fn is_barren(&self, node: NodeId) -> bool {
        self.nodes[node].barren
    }

    /// Notes what became of the value that was shown as an answer.
    pub(super) fn answer(&mut self, result: Result<(), Refusal>) {
        let Some(asked) = self.asked.take() else { return };
        if let Kind::Looks(answers) = &mut self.nodes[asked].kind {
            answers.push(result);
            self.changed = true;
        }
    }

    /// Whether nothing is left to be learned at a place.
    pub(super) fn is_complete(&mut self, node: NodeId) -> bool {
        let mut seen = Vec::new();
        let complete = self.look(node, &mut seen);
        if complete {
            // Whatever they lead to was looked at.
            seen.into_iter().for_each(|id| self.types[id].complete = true);
        }
        complete
    }

    /// The same, but for the types that are being looked into: they see to themselves.
    pub(super) fn is_complete_here(&self, node: NodeId) -> bool {
        self.look(node, &mut self.path.clone())
    }

    fn look(&self, node: NodeId, seen: &mut Vec<TypeId>) -> bool {
        match &self.nodes[node].kind {
            Kind::Unknown => false,
            Kind::Looks(answers) => answers.len() >= super::looking::SHOWN,
            Kind::Option(inner) | Kind::List(inner) => self.look(*inner, seen),
            Kind::Map(key, value) => self.look(*key, seen) && self.look(*value, seen),
            Kind::Tuple(items) => items.iter().all(|item| self.look(*item, seen)),
            Kind::Type(id) => {
                if self.types[*id].complete || seen.contains(id) {
                    return true;
                }
                seen.push(*id);
                let contents = &self.types[*id].contents;
                contents.iter().all(|(_, content)| self.look_into(content, seen))
            }
            _ => true,
        }
    }

    fn look_into(&self, content: &Content, seen: &mut Vec<TypeId>) -> bool {
        match content {
            Content::Unknown => false,
            Content::Unit | Content::Opaque(_) => true,
            Content::Newtype(node) => self.look(*node, seen),
            Content::Tuple(items) => items.iter().all(|item| self.look(*item, seen)),
            Content::Struct(fields) => fields
                .iter()
                .all(|field| field.presence != Presence::Unknown && (is_alias(field) || self.look(field.node, seen))),
        }
    }

    /// Whether nothing is left to be learned of a struct or a variant, but for the types that are being looked into.
    pub(super) fn is_content_complete(&self, content: ContentId) -> bool {
        self.look_into(self.content(content), &mut self.path.clone())
    }

    /// Whether a value of a struct or a variant can be made, as far as is known.
    pub(super) fn is_content_fertile(&self, content: ContentId) -> bool {
        !self.endless.contains(&content)
            && match self.content(content) {
                Content::Unknown | Content::Unit => true,
                Content::Newtype(node) => !self.is_barren(*node),
                Content::Tuple(items) => items.iter().all(|item| !self.is_barren(*item)),
                Content::Struct(fields) => {
                    let needed = |field: &&Field| !matches!(field.presence, Presence::Optional | Presence::Alias(_));
                    fields.iter().filter(needed).all(|field| !self.is_barren(field.node))
                }
                Content::Opaque(_) => false,
            }
    }

    /// Whether all names of a struct's fields were shown at once.
    pub(super) fn is_told_apart(&self, content: ContentId) -> bool {
        self.told_apart.contains(&content)
    }

    /// Notes that they were, and that each is a field, but those that are known to be other names.
    pub(super) fn tell_apart(&mut self, content: ContentId) {
        self.told_apart.insert(content);
        self.changed = true;
    }

    /// Notes that a value of a variant holds one of the enum itself.
    pub(super) fn note_endless(&mut self, variant: ContentId) {
        self.endless.insert(variant);
        self.changed = true;
    }
}

pub(super) fn is_alias(field: &Field) -> bool {
    matches!(field.presence, Presence::Alias(_))
}

/// How many guesses there are for a value.
fn guesses(kind: &Kind) -> usize {
    match kind {
        Kind::Bool | Kind::Char | Kind::List(_) => 2,
        Kind::Integer(_) => super::guesses::INTEGERS.len(),
        Kind::Float(_) => super::guesses::FLOATS.len(),
        Kind::Text => super::guesses::TEXTS.len(),
        _ => 1,
    }
}
