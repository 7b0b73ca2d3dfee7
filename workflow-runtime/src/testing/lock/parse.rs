//! A lock from its text. Whatever is not as it was written is refused with its line, as a guess would let through what the
//! lock is there to stop.

use std::collections::BTreeMap;

use super::Lock;
use super::print::{FORMAT, check_digits};
use super::section::{Edge, Kind, Root, Section};
use super::shape::{Content, Definition, Field, Float, Integer, Shape, Tagging};

/// What is said of a file that is damaged: the file alone knows what former versions wrote.
const WAY_BACK: &str = "`git checkout` and its path. To delete it and have it made anew is right only if nothing is stored any more that the lost lines tell of, as nothing else knows what former code has written";

/// Why a text is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Git has left the marks of a merge conflict.
    #[error(
        "line {line} is the mark of a merge conflict: keep the lines of both sides, in any order, and take the marks out"
    )]
    Conflict {
        /// The line, from 1.
        line: usize,
    },
    /// It is of a later version of the library.
    #[error(
        "it has format {format}, and this build of workflow-runtime reads up to format {FORMAT}: use the newer one"
    )]
    Newer {
        /// The format that it says it has.
        format: u32,
    },
    /// A line is not as it was written.
    #[error("line {line} was changed by hand ({what}): take the file back from version control, {WAY_BACK}")]
    Changed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Two lines say two things of one.
    #[error(
        "lines {first} and {second} say different things of `{what}`: keep the one that is stored, and delete the other"
    )]
    Contradiction {
        /// The first of the two lines, from 1.
        first: usize,
        /// The second.
        second: usize,
        /// What they are about.
        what: String,
    },
    /// Something is missing.
    #[error("{what}: take the file back from version control, {WAY_BACK}")]
    Incomplete {
        /// What is missing.
        what: String,
    },
}

/// Reads a lock.
pub(super) fn parse(text: &str) -> Result<Lock, ParseError> {
    let lines = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim_end()));
    let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
    let mark = |line: &str| ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark));
    if let Some((line, _)) = lines.iter().find(|(_, line)| mark(line)) {
        return Err(ParseError::Conflict { line: *line });
    }
    let (mut format, mut workflow) = (None, None);
    let mut facts = Facts::default();
    for (line, text) in lines {
        let changed = |what: String| ParseError::Changed { line, what };
        match text.split_once(' ') {
            Some(("format", number)) => {
                let number: u32 = number.parse().map_err(|_| changed("`format` has no number".to_owned()))?;
                if number > FORMAT {
                    return Err(ParseError::Newer { format: number });
                }
                format = Some(number);
            }
            Some(("workflow", name)) => {
                let mut tokens = Tokens::of(name).map_err(changed)?;
                workflow = Some(tokens.name().map_err(changed)?);
            }
            Some((digits, fact)) => {
                if check_digits(fact) != digits {
                    return Err(changed("its check digits do not fit it".to_owned()));
                }
                let (version, key, fact) = parse_fact(fact).map_err(changed)?;
                facts.add(line, version, key, fact)?;
            }
            None => return Err(changed("it says nothing".to_owned())),
        }
    }
    let missing = |what: &str| ParseError::Incomplete { what: format!("the line with `{what}` is missing") };
    format.ok_or_else(|| missing("format"))?;
    let workflow = workflow.ok_or_else(|| missing("workflow"))?;
    let versions = facts.sections()?;
    Ok(Lock { workflow, versions })
}

/// What a line is about, so that two lines about one thing are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Root(Kind, String),
    Was(Kind, String, String),
    Edge(Edge),
    Type(String),
    Variant(String, String),
    Field(String, Option<String>, String),
}

/// What a line says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    Shape(Shape),
    Exists,
    Enum(Tagging),
    Content(Content),
    Field(Field),
}

#[derive(Debug, Default)]
struct Facts(BTreeMap<u32, BTreeMap<Key, (usize, Fact)>>);

impl Facts {
    fn add(&mut self, line: usize, version: u32, key: Key, fact: Fact) -> Result<(), ParseError> {
        let facts = self.0.entry(version).or_default();
        match facts.get(&key) {
            Some((first, other)) if *other != fact => {
                Err(ParseError::Contradiction { first: *first, second: line, what: key.told() })
            }
            _ => {
                facts.insert(key, (line, fact));
                Ok(())
            }
        }
    }

    fn sections(self) -> Result<BTreeMap<u32, Section>, ParseError> {
        let mut sections = BTreeMap::new();
        for (version, facts) in self.0 {
            let mut section = Section::default();
            // A type comes before its variants, and these before the fields, as the keys are in order.
            for (key, (line, fact)) in facts {
                let what = key.told();
                section.add(key, fact).ok_or_else(|| ParseError::Changed {
                    line,
                    what: format!("`{what}` is part of what is not there"),
                })?;
            }
            section.check_names()?;
            sections.insert(version, section);
        }
        Ok(sections)
    }
}

impl Key {
    fn told(&self) -> String {
        match self {
            Self::Root(kind, name) | Self::Was(kind, name, _) => format!("{} {name}", kind.word()),
            Self::Edge(edge) => format!("edge {edge}"),
            Self::Type(name) => format!("type {name}"),
            Self::Variant(name, variant) => format!("{name}::{variant}"),
            Self::Field(name, None, field) => format!("{name}.{field}"),
            Self::Field(name, Some(variant), field) => format!("{name}::{variant}.{field}"),
        }
    }
}

impl Section {
    fn add(&mut self, key: Key, fact: Fact) -> Option<()> {
        match (key, fact) {
            (Key::Root(kind, name), Fact::Shape(shape)) => {
                self.roots.insert((kind, name), Root { shape, was: Default::default() });
            }
            (Key::Was(kind, name, was), Fact::Exists) => {
                self.roots.get_mut(&(kind, name))?.was.insert(was);
            }
            (Key::Edge(edge), Fact::Exists) => {
                self.edges.insert(edge);
            }
            (Key::Type(name), Fact::Enum(tagging)) => {
                self.types.insert(name, Definition::Enum(tagging, BTreeMap::new()));
            }
            (Key::Type(name), Fact::Content(content)) => {
                self.types.insert(name, Definition::Data(content));
            }
            (Key::Variant(name, variant), Fact::Content(content)) => {
                let Definition::Enum(_, variants) = self.types.get_mut(&name)? else { return None };
                variants.insert(variant, content);
            }
            (Key::Field(name, variant, field), Fact::Field(what)) => {
                let content = match (self.types.get_mut(&name)?, variant) {
                    (Definition::Data(content), None) => content,
                    (Definition::Enum(_, variants), Some(variant)) => variants.get_mut(&variant)?,
                    _ => return None,
                };
                let Content::Struct(fields) = content else { return None };
                fields.insert(field, what);
            }
            _ => return None,
        }
        Some(())
    }

    /// Every type that is named is there.
    fn check_names(&self) -> Result<(), ParseError> {
        let mut names = Vec::new();
        self.roots.values().for_each(|root| root.shape.names(&mut names));
        for definition in self.types.values() {
            let contents: Vec<_> = match definition {
                Definition::Data(content) => vec![content],
                Definition::Enum(_, variants) => variants.values().collect(),
            };
            for content in contents {
                match content {
                    Content::Unit | Content::Opaque(_) => {}
                    Content::Newtype(shape) => shape.names(&mut names),
                    Content::Tuple(items) => items.iter().for_each(|item| item.names(&mut names)),
                    Content::Struct(fields) => fields.values().for_each(|field| match field {
                        Field::Own { shape, .. } => shape.names(&mut names),
                        Field::Alias(_) => {}
                    }),
                }
            }
        }
        match names.into_iter().find(|name| !self.types.contains_key(*name)) {
            Some(name) => Err(ParseError::Incomplete { what: format!("the lines of `type {name}` are missing") }),
            None => Ok(()),
        }
    }
}

impl Shape {
    fn names<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::Type(name) => names.push(name),
            Self::Option(inner) | Self::List(inner) => inner.names(names),
            Self::Tuple(items) => items.iter().for_each(|item| item.names(names)),
            Self::Map(key, value) => {
                key.names(names);
                value.names(names);
            }
            _ => {}
        }
    }
}

fn parse_fact(text: &str) -> Result<(u32, Key, Fact), String> {
    let mut tokens = Tokens::of(text)?;
    let version = tokens.word()?.parse().map_err(|_| "it begins with no version".to_owned())?;
    let word = tokens.word()?;
    let (key, fact) = match word.as_str() {
        "edge" => {
            let from = tokens.name()?;
            tokens.expect("->")?;
            let to = tokens.name()?;
            tokens.expect(":")?;
            let handler = tokens.name()?;
            (Key::Edge(Edge { from, to, handler }), Fact::Exists)
        }
        "type" => parse_type(&mut tokens)?,
        word => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            let kind = kind.ok_or_else(|| format!("`{word}` is nothing that a lock has"))?;
            let name = tokens.name()?;
            if tokens.take(":") {
                (Key::Root(kind, name), Fact::Shape(tokens.shape()?))
            } else {
                tokens.expect("was")?;
                (Key::Was(kind, name, tokens.name()?), Fact::Exists)
            }
        }
    };
    tokens.end()?;
    Ok((version, key, fact))
}

fn parse_type(tokens: &mut Tokens) -> Result<(Key, Fact), String> {
    let name = tokens.name()?;
    let variant = if tokens.take("::") { Some(tokens.name()?) } else { None };
    let field = if tokens.take(".") { Some(tokens.name()?) } else { None };
    tokens.expect(":")?;
    if let Some(field) = field {
        let what = if tokens.take("as") {
            Field::Alias(tokens.name()?)
        } else {
            let shape = tokens.shape()?;
            let optional = tokens.take(",");
            if optional {
                ["may", "be", "missing"].into_iter().try_for_each(|word| tokens.expect(word))?;
            }
            Field::Own { shape, optional }
        };
        return Ok((Key::Field(name, variant, field), Fact::Field(what)));
    }
    if variant.is_none() && tokens.take("enum") {
        let tagging = if tokens.take("with") {
            let tag = tokens.name()?;
            if tokens.take("beside") { Tagging::Adjacent(tag, tokens.name()?) } else { Tagging::Internal(tag) }
        } else {
            Tagging::External
        };
        return Ok((Key::Type(name), Fact::Enum(tagging)));
    }
    let word = tokens.word()?;
    let content = match word.as_str() {
        "unit" => Content::Unit,
        "is" => Content::Newtype(tokens.shape()?),
        "opaque" => Content::Opaque(tokens.quoted()?),
        "struct" => Content::Struct(BTreeMap::new()),
        "tuple" => {
            tokens.expect("(")?;
            Content::Tuple(tokens.shapes(")")?)
        }
        word => return Err(format!("`{word}` is nothing that a type is")),
    };
    let key = match variant {
        Some(variant) => Key::Variant(name, variant),
        None => Key::Type(name),
    };
    Ok((key, Fact::Content(content)))
}

/// The words of a line, the last first.
struct Tokens(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word, a number or a sign.
    Word(String),
    Quoted(String),
}

impl Tokens {
    fn of(text: &str) -> Result<Self, String> {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '~');
        let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
        while let Some(first) = rest.chars().next() {
            let len = if first == '"' {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let Some(Ok(text)) = values.next() else { return Err("a quote is not closed".to_owned()) };
                tokens.push(Token::Quoted(text));
                values.byte_offset()
            } else {
                let len = match first {
                    _ if is_word(first) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
                    _ if rest.starts_with("::") || rest.starts_with("->") => 2,
                    _ => first.len_utf8(),
                };
                tokens.push(Token::Word(rest.get(..len).unwrap_or_default().to_owned()));
                len
            };
            rest = rest.get(len..).unwrap_or_default().trim_start();
        }
        tokens.reverse();
        Ok(Self(tokens))
    }

    fn word(&mut self) -> Result<String, String> {
        match self.0.pop() {
            Some(Token::Word(word)) => Ok(word),
            Some(Token::Quoted(text)) => Err(format!("{text:?} is in quotes")),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        match self.0.pop() {
            Some(Token::Quoted(text)) => Ok(text),
            other => Err(format!("{other:?} is not in quotes")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.0.pop() {
            Some(Token::Word(word) | Token::Quoted(word)) => Ok(word),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is = matches!(self.0.last(), Some(Token::Word(word)) if word == sign);
        if is {
            self.0.pop();
        }
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("there is no `{sign}` where there ought to be one")) }
    }

    fn end(&mut self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err("it goes on where it ought to end".to_owned()) }
    }

    fn shapes(&mut self, end: &str) -> Result<Vec<Shape>, String> {
        let mut shapes = Vec::new();
        while !self.take(end) {
            if !shapes.is_empty() {
                self.expect(",")?;
            }
            shapes.push(self.shape()?);
        }
        Ok(shapes)
    }

    fn shape(&mut self) -> Result<Shape, String> {
        let mut shape = match self.0.pop() {
            Some(Token::Quoted(name)) => Shape::Type(name),
            Some(Token::Word(word)) => self.shape_of(&word)?,
            None => return Err("it ends too early".to_owned()),
        };
        while self.take("?") {
            shape = Shape::Option(Box::new(shape));
        }
        Ok(shape)
    }

    fn shape_of(&mut self, word: &str) -> Result<Shape, String> {
        Ok(match word {
            "null" => Shape::Unit,
            "bool" => Shape::Bool,
            "char" => Shape::Char,
            "string" => Shape::Text,
            "bytes" => Shape::Bytes,
            "any" => Shape::Any,
            "f32" => Shape::Float(Float::F32),
            "f64" => Shape::Float(Float::F64),
            "opaque" => Shape::Opaque(self.quoted()?),
            "(" => Shape::Tuple(self.shapes(")")?),
            "[" => {
                let item = self.shape()?;
                if self.take(";") {
                    let count = self.word()?.parse().map_err(|_| "an array has no length".to_owned())?;
                    // What a type of an array in Rust can be read as, and more.
                    if count > 4_096 {
                        return Err("an array is too long".to_owned());
                    }
                    self.expect("]")?;
                    Shape::Tuple(vec![item; count])
                } else {
                    self.expect("]")?;
                    Shape::List(Box::new(item))
                }
            }
            "{" => {
                let key = self.shape()?;
                self.expect(":")?;
                let value = self.shape()?;
                self.expect("}")?;
                Shape::Map(Box::new(key), Box::new(value))
            }
            word if word.starts_with(|first: char| first.is_ascii_uppercase()) => Shape::Type(word.to_owned()),
            word => match Integer::ALL.into_iter().find(|integer| integer.to_string() == word) {
                Some(integer) => Shape::Integer(integer),
                None => return Err(format!("`{word}` is no shape")),
            },
        })
    }
}

#[cfg(test)]
pub(in crate::testing::lock) mod tests;
