//! Whether what was saved by older code can be read by newer code.
//!
//! | compatible | not |
//! |---|---|
//! | a new state, event, step, edge or variant | one that is gone and may be in the store |
//! | a new field that may be missing | a new field that may not, a field that is gone |
//! | an integer or float that holds all old values | one that does not |
//! | `T` that becomes `Option<T>` | `Option<T>` that becomes `T` |
//! | a name that is still read: `was`, `#[serde(alias)]` | a name that is not |
//! | a type with another name, or around another type that is saved alike | a type that is saved in another way |
//!
//! A step that is gone is only looked for no more; but if another one that returns the same came instead, it was renamed, and
//! would be run again where it was run already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::section::{Kind, Root, Section};
use super::shape::{Content, Definition, Field, Shape, Tagging};

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// Whether old data cannot be read any more, or its meaning would be lost.
    pub(super) breaks: bool,
    /// Of which kind it is.
    pub(super) kind: Option<Kind>,
    pub(super) text: String,
}

/// What is different in `new`, which is to read what `old` has saved.
pub(super) fn compare(old: &Section, new: &Section) -> Vec<Difference> {
    let mut comparison = Comparison::new(old, new);
    for ((kind, name), root) in &old.roots {
        comparison.root(*kind, name, root);
    }
    comparison.kind = None;
    for (kind, name) in new.roots.keys() {
        let known = |name: &str| old.find(*kind, name).is_some();
        let was = new.roots.get(&(*kind, name.clone())).map(|root| &root.was);
        if !known(name) && !was.into_iter().flatten().any(|name| known(name)) {
            comparison.fits(format!("{} `{name}` is new", kind.told()));
        }
    }
    for edge in new.edges.difference(&old.edges) {
        comparison.fits(format!("edge {edge} is new"));
    }
    for edge in old.edges.difference(&new.edges) {
        comparison.fits(format!("edge {edge} is gone"));
    }
    let mut differences = comparison.differences;
    differences.sort_by_key(|difference| !difference.breaks);
    differences
}

struct Comparison<'a> {
    old: &'a Section,
    new: &'a Section,
    /// The types that have been compared under the present name, or are being compared: new, old.
    seen: BTreeSet<(&'a str, &'a str)>,
    differences: Vec<Difference>,
    kind: Option<Kind>,
}

impl<'a> Comparison<'a> {
    fn fits(&mut self, text: String) {
        self.differences.push(Difference { breaks: false, kind: self.kind, text });
    }

    fn breaks(&mut self, text: String) {
        self.differences.push(Difference { breaks: true, kind: self.kind, text });
    }

    fn root(&mut self, kind: Kind, name: &str, root: &'a Root) {
        self.kind = Some(kind);
        // What has changed in a type is told wherever that is, as some of it may be mended by a migration and some not.
        self.seen.clear();
        match self.new.find(kind, name) {
            Some(new) => {
                let at = format!("{} `{name}`", kind.told());
                self.shape(&Path { root: &at, rest: String::new() }, &new.shape, &root.shape);
            }
            None => self.gone(kind, name, root),
        }
        // What a step is found by is told of the step, and not again of its arguments and its error.
        let is_of_step = matches!(kind, Kind::Undo | Kind::Error) && self.old.find(Kind::Step, name).is_some();
        for was in root.was.iter().filter(|_| !is_of_step) {
            if self.new.find(kind, was).is_none() {
                self.breaks(format!(
                    "{} `{name}` was called `{was}` in former times, and `was = \"{was}\"` is gone: what was saved then cannot be read",
                    kind.word()
                ));
            }
        }
    }

    fn gone(&mut self, kind: Kind, name: &str, root: &'a Root) {
        match kind {
            Kind::State => self.breaks(format!(
                "state `{name}` is gone: executions may be in it. If it has another name now, put `was = \"{name}\"` on that"
            )),
            Kind::Event => self.breaks(format!(
                "event `{name}` is gone: one that was sent may be waiting. If it has another name now, put `was = \"{name}\"` on that"
            )),
            Kind::Undo if self.new.find(Kind::Step, name).is_some() => self.breaks(format!(
                "step `{name}` has no `undo` any more: executions may have to undo it"
            )),
            Kind::Undo => self.breaks(format!("step `{name}` is gone: executions may have to undo it")),
            Kind::Step => match self.successor(root) {
                Some(successor) => self.breaks(format!(
                    "step `{name}` is gone and `{successor}` is new, and they return the same: if it was renamed, results that are recorded would not be found, and its effect would be done again. Put `was = \"{name}\"` on it"
                )),
                None => self.fits(format!(
                    "step `{name}` is gone; if it is a function that is called as before, name it with the workflow"
                )),
            },
            Kind::Reply | Kind::Refusal | Kind::Error => self.fits(format!("{} `{name}` is gone", kind.told())),
        }
    }

    /// A new step that returns what this one returned.
    fn successor(&self, root: &'a Root) -> Option<&'a str> {
        let steps = self.new.roots.iter().filter(|((kind, _), _)| *kind == Kind::Step);
        let mut new = steps.filter(|((kind, name), _)| self.old.find(*kind, name).is_none());
        let same = |other: &'a Root| {
            let mut comparison = Comparison::new(self.old, self.new);
            comparison.shape(&Path::default(), &other.shape, &root.shape);
            comparison.differences.is_empty()
        };
        new.find(|(_, other)| same(other)).map(|((_, name), _)| name.as_str())
    }

    fn shape(&mut self, path: &Path<'_>, new: &'a Shape, old: &'a Shape) {
        let (new, old) = (self.new.bare(new), self.old.bare(old));
        match (new, old) {
            (Shape::Any, _)
            | (Shape::Unit, Shape::Unit)
            | (Shape::Bool, Shape::Bool)
            | (Shape::Char, Shape::Char)
            | (Shape::Text, Shape::Text | Shape::Char)
            | (Shape::Bytes, Shape::Bytes)
            | (Shape::Option(_), Shape::Unit) => {}
            (Shape::Integer(new), Shape::Integer(old)) if new.holds(*old) => {}
            (Shape::Float(new), Shape::Integer(old)) if new.holds(*old) => {}
            (Shape::Float(new), Shape::Float(old)) if new >= old => {}
            (Shape::Opaque(now), Shape::Opaque(then)) => {
                if now != then {
                    self.breaks(format!(
                        "{path} cannot be looked into, and is another one: it was told of by `{then}`, and is by `{now}`"
                    ));
                }
                return;
            }
            (Shape::Option(new), Shape::Option(old)) => return self.shape(path, new, old),
            (Shape::Option(new), old) if !matches!(old, Shape::Any | Shape::Opaque(_)) => {
                self.shape(path, new, old);
            }
            (new, Shape::Option(old)) => {
                return self.breaks(format!("{path} was `{old}?`, which may be `null`, and is `{new}`"));
            }
            (Shape::List(new), Shape::List(old)) => return self.shape(&path.then("[]"), new, old),
            (Shape::List(new), Shape::Tuple(items)) => {
                for (place, old) in items.iter().enumerate() {
                    self.shape(&path.then(&format!("[{place}]")), new, old);
                }
            }
            (Shape::Tuple(new), Shape::Tuple(old)) if new.len() == old.len() => {
                for (place, (new, old)) in new.iter().zip(old).enumerate() {
                    self.shape(&path.then(&format!(".{place}")), new, old);
                }
                return;
            }
            (Shape::Map(new_key, new), Shape::Map(old_key, old)) => {
                self.shape(&path.then("{key}"), new_key, old_key);
                return self.shape(&path.then("{}"), new, old);
            }
            (Shape::Type(new_name), Shape::Type(old_name)) => return self.types(path, new_name, old_name),
            (new, old) => return self.breaks(format!("{path} was `{old}` and is `{new}`")),
        }
        if new != old {
            self.fits(format!("{path} was `{old}` and is `{new}`, which holds all that it was"));
        }
    }

    fn types(&mut self, path: &Path<'_>, new_name: &'a str, old_name: &'a str) {
        if !self.seen.insert((new_name, old_name)) {
            return;
        }
        let (Some(new), Some(old)) = (self.new.types.get(new_name), self.old.types.get(old_name)) else {
            return self.breaks(format!("{path}: `{old_name}` or `{new_name}` is in no lock"));
        };
        match (new, old) {
            (Definition::Data(new), Definition::Data(old)) => self.content(path, new, old),
            (Definition::Enum(new_tagging, new), Definition::Enum(old_tagging, old)) => {
                if new_tagging != old_tagging {
                    return self.breaks(format!(
                        "{path}: the variants of `{old_name}` were {}, and are {}",
                        told(old_tagging),
                        told(new_tagging)
                    ));
                }
                self.variants(path, (new_name, new), (old_name, old));
            }
            (new, old) => {
                let (was, is) = (is_a(old), is_a(new));
                self.breaks(format!("{path} was the {was} `{old_name}` and is the {is} `{new_name}`"));
            }
        }
    }

    fn variants(
        &mut self,
        path: &Path<'_>,
        (new_name, new): (&str, &'a BTreeMap<String, Content>),
        (old_name, old): (&str, &'a BTreeMap<String, Content>),
    ) {
        for (variant, old) in old {
            match new.get(variant) {
                Some(new) => self.content(&path.then(&format!("::{variant}")), new, old),
                None => self.breaks(format!(
                    "{path} has no variant `{variant}` any more, which was in `{old_name}`. If it has another name now, put `#[serde(alias = \"{variant}\")]` on that"
                )),
            }
        }
        for variant in new.keys().filter(|variant| !old.contains_key(*variant)) {
            self.fits(format!("{path}: the variant `{variant}` of `{new_name}` is new"));
        }
    }

    fn content(&mut self, path: &Path<'_>, new: &'a Content, old: &'a Content) {
        // A struct in a variant is saved as a variant of the same fields is.
        if let (Some(new), Some(old)) = (fields(self.new, new), fields(self.old, old)) {
            return self.fields(path, new, old);
        }
        match (new, old) {
            (Content::Unit, Content::Unit) => {}
            (Content::Newtype(new), Content::Newtype(old)) => self.shape(path, new, old),
            (Content::Tuple(new), Content::Tuple(old)) if new.len() == old.len() => {
                for (place, (new, old)) in new.iter().zip(old).enumerate() {
                    self.shape(&path.then(&format!(".{place}")), new, old);
                }
            }
            (Content::Opaque(new), Content::Opaque(old)) if new == old => {}
            (new, old) => self.breaks(format!("{path} held {}, and holds {}", holds(old), holds(new))),
        }
    }

    fn fields(&mut self, path: &Path<'_>, new: &'a BTreeMap<String, Field>, old: &'a BTreeMap<String, Field>) {
        for (name, field) in old {
            let at = path.then(&format!(".{name}"));
            match (own(new, name), field) {
                (None, Field::Own { .. }) => self.breaks(format!(
                    "{at} is gone: what it holds would be lost. If it has another name now, put `#[serde(alias = \"{name}\")]` on that"
                )),
                (None, Field::Alias(of)) => {
                    self.breaks(format!("{at} was another name of `{of}`, and is not read any more"));
                }
                (Some(_), Field::Alias(_)) => {}
                (Some((new, optional)), Field::Own { shape, optional: was_optional }) => {
                    self.shape(&at, new, shape);
                    if *was_optional && !optional {
                        self.breaks(format!("{at} could be missing, and may not be missing any more"));
                    }
                }
            }
        }
        for (name, field) in new {
            let Field::Own { optional, shape } = field else { continue };
            let aliases = new.iter().filter(|(_, field)| matches!(field, Field::Alias(of) if of == name));
            let names = aliases.map(|(alias, _)| alias).chain([name]);
            if names.into_iter().any(|name| old.contains_key(name)) {
                continue;
            }
            let at = path.then(&format!(".{name}"));
            if *optional {
                self.fits(format!("{at}: `{shape}` is new, and may be missing"));
            } else {
                self.breaks(format!(
                    "{at}: `{shape}` is new, and what was saved before does not have it. Make it an `Option`, or put `#[serde(default)]` on it"
                ));
            }
        }
    }
}

impl<'a> Comparison<'a> {
    fn new(old: &'a Section, new: &'a Section) -> Self {
        Self { old, new, seen: BTreeSet::new(), differences: Vec::new(), kind: None }
    }
}

/// Where something is: the name that it is saved under, and the way from there.
#[derive(Debug, Default)]
struct Path<'a> {
    root: &'a str,
    rest: String,
}

impl Path<'_> {
    fn then(&self, step: &str) -> Self {
        Self { root: self.root, rest: format!("{}{step}", self.rest) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rest.strip_prefix('.').unwrap_or(&self.rest) {
            "" => formatter.write_str(self.root),
            rest => write!(formatter, "{}: `{rest}`", self.root),
        }
    }
}

/// The field that is read under a name.
fn own<'a>(fields: &'a BTreeMap<String, Field>, name: &str) -> Option<(&'a Shape, bool)> {
    match fields.get(name)? {
        Field::Own { shape, optional } => Some((shape, *optional)),
        Field::Alias(of) => match fields.get(of)? {
            Field::Own { shape, optional } => Some((shape, *optional)),
            Field::Alias(_) => None,
        },
    }
}

/// The fields of a struct, or of a variant that holds one.
fn fields<'a>(section: &'a Section, content: &'a Content) -> Option<&'a BTreeMap<String, Field>> {
    match content {
        Content::Struct(fields) => Some(fields),
        Content::Newtype(shape) => match section.bare(shape) {
            Shape::Type(name) => match section.types.get(name)? {
                Definition::Data(Content::Struct(fields)) => Some(fields),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn told(tagging: &Tagging) -> String {
    match tagging {
        Tagging::External => "named by the key around what they hold".to_owned(),
        Tagging::Internal(tag) => format!("named by the field `{tag}`"),
        Tagging::Adjacent(tag, content) => format!("named by the field `{tag}` beside `{content}`"),
    }
}

fn is_a(definition: &Definition) -> &'static str {
    match definition {
        Definition::Data(_) => "struct",
        Definition::Enum(..) => "enum",
    }
}

fn holds(content: &Content) -> String {
    match content {
        Content::Unit => "nothing".to_owned(),
        Content::Newtype(shape) => format!("`{shape}`"),
        Content::Tuple(items) => format!("{} values", items.len()),
        Content::Struct(_) => "fields".to_owned(),
        Content::Opaque(text) => format!("what cannot be looked into ({text})"),
    }
}

#[cfg(test)]
mod tests;
