//! A lock as text: one fact a line, in order, so that two changes of two people meet in few lines.

use std::fmt::{self, Write as _};

use super::Lock;
use super::section::{Edge, Kind, Section};
use super::shape::{Content, Definition, Field, Quoted, Tagging, TypeName};

/// The version of the format that this build writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// Prints a lock. The same lock is always the same text.
pub(super) fn print(lock: &Lock) -> String {
    let mut text = format!(
        "\
# What executions of the workflow `{0}` are saved as, one fact a line. Commit this file.
# A test or a command writes it, nobody by hand: `cargo test` adds what fits what is stored, `WORKFLOW_LOCK=accept cargo test` takes
# what does not. Where two branches meet, keep the lines of both, in any order.
format {FORMAT}
workflow {1}
",
        lock.workflow,
        Name(&lock.workflow)
    );
    for (version, section) in &lock.versions {
        for block in blocks(section) {
            text.push('\n');
            for fact in block {
                let fact = format!("{version} {fact}");
                let _ = writeln!(text, "{} {fact}", check_digits(&fact));
            }
        }
    }
    text
}

/// What shows that a line was changed by hand.
pub(super) fn check_digits(fact: &str) -> String {
    format!("{:04x}", crc32fast::hash(fact.as_bytes()) & 0xffff)
}

/// The facts of a section: those of one kind or one type are a block.
fn blocks(section: &Section) -> Vec<Vec<String>> {
    let roots = |kind: Kind| {
        let of_kind = section.roots.iter().filter(move |((other, _), _)| *other == kind);
        let lines = of_kind.flat_map(move |((_, name), root)| {
            let (word, name) = (kind.word(), Name(name).to_string());
            let was: Vec<_> = root.was.iter().map(|was| format!("{word} {name} was {}", Name(was))).collect();
            std::iter::once(format!("{word} {name}: {}", root.shape)).chain(was)
        });
        lines.collect()
    };
    let edge = |Edge { from, to, handler }: &Edge| format!("edge {} -> {}: {}", Name(from), Name(to), Name(handler));
    let edges = section.edges.iter().map(edge).collect();
    let types = section.types.iter().map(|(name, definition)| type_facts(name, definition));
    let blocks = Kind::ALL.into_iter().map(roots).chain([edges]).chain(types);
    blocks.filter(|block: &Vec<String>| !block.is_empty()).collect()
}

fn type_facts(name: &str, definition: &Definition) -> Vec<String> {
    let at = format!("type {}", TypeName(name));
    match definition {
        Definition::Data(content) => content_facts(&at, content),
        Definition::Enum(tagging, variants) => {
            let head = match tagging {
                Tagging::External => format!("{at}: enum"),
                Tagging::Internal(tag) => format!("{at}: enum with {}", Name(tag)),
                Tagging::Adjacent(tag, content) => format!("{at}: enum with {} beside {}", Name(tag), Name(content)),
            };
            let variants = variants
                .iter()
                .flat_map(|(variant, content)| content_facts(&format!("{at}::{}", Name(variant)), content));
            std::iter::once(head).chain(variants).collect()
        }
    }
}

fn content_facts(at: &str, content: &Content) -> Vec<String> {
    let fields = match content {
        Content::Unit => return vec![format!("{at}: unit")],
        Content::Newtype(shape) => return vec![format!("{at}: is {shape}")],
        Content::Opaque(text) => return vec![format!("{at}: opaque {}", Quoted(text))],
        Content::Tuple(items) => {
            let mut fact = format!("{at}: tuple (");
            for (place, item) in items.iter().enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                let _ = write!(fact, "{comma}{item}");
            }
            fact.push(')');
            return vec![fact];
        }
        Content::Struct(fields) => fields,
    };
    let fields = fields.iter().map(|(name, field)| match field {
        Field::Own { shape, optional: true } => format!("{at}.{}: {shape}, may be missing", Name(name)),
        Field::Own { shape, optional: false } => format!("{at}.{}: {shape}", Name(name)),
        Field::Alias(of) => format!("{at}.{}: as {}", Name(name), Name(of)),
    });
    std::iter::once(format!("{at}: struct")).chain(fields).collect()
}

/// A name: as it is, or in quotes.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_word(self.0) { formatter.write_str(self.0) } else { Quoted(self.0).fmt(formatter) }
    }
}

/// Whether a name needs no quotes.
fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
