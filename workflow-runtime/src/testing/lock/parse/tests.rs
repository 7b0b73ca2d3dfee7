use std::collections::{BTreeMap, BTreeSet};

use super::{ParseError, parse};
use crate::testing::lock::Lock;
use crate::testing::lock::print::{check_digits, print};
use crate::testing::lock::section::{Edge, Kind, Root, Section};
use crate::testing::lock::shape::{Content, Definition, Field, Float, Integer, Shape, Tagging};

/// Locks made at random, from a seed.
pub(in crate::testing::lock) struct Random(pub(in crate::testing::lock) fastrand::Rng);

const NAMES: [&str; 6] = ["Order", "order", "of \"two\" words", "é", "a~2", "type"];

impl Random {
    pub(in crate::testing::lock) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    fn name(&mut self) -> String {
        NAMES[self.0.usize(..NAMES.len())].to_owned()
    }

    fn shapes(&mut self, depth: usize) -> Vec<Shape> {
        (0..self.0.usize(..4)).map(|_| self.shape(depth)).collect()
    }

    fn shape(&mut self, depth: usize) -> Shape {
        match self.0.usize(..if depth == 0 { 9 } else { 14 }) {
            0 => Shape::Unit,
            1 => Shape::Bool,
            2 => Shape::Integer(Integer::ALL[self.0.usize(..10)]),
            3 => Shape::Float(if self.0.bool() { Float::F32 } else { Float::F64 }),
            4 => Shape::Text,
            5 => Shape::Char,
            6 => Shape::Bytes,
            7 => Shape::Type(self.name()),
            8 => {
                if self.0.bool() {
                    Shape::Any
                } else {
                    Shape::Opaque("takes \"a\"\nor b".to_owned())
                }
            }
            9 => Shape::Option(Box::new(self.shape(depth - 1))),
            10 => Shape::List(Box::new(self.shape(depth - 1))),
            11 => Shape::Tuple(self.shapes(depth - 1)),
            12 => {
                let item = self.shape(depth - 1);
                Shape::Tuple(vec![item; self.0.usize(2..33)])
            }
            _ => Shape::Map(Box::new(self.shape(depth - 1)), Box::new(self.shape(depth - 1))),
        }
    }

    fn content(&mut self) -> Content {
        match self.0.usize(..5) {
            0 => Content::Unit,
            1 => Content::Newtype(self.shape(2)),
            2 => Content::Tuple(self.shapes(2)),
            3 => Content::Opaque("what \\ it is".to_owned()),
            _ => {
                let mut fields: BTreeMap<_, _> = (0..self.0.usize(..5))
                    .map(|_| (self.name(), Field::Own { shape: self.shape(2), optional: self.0.bool() }))
                    .collect();
                if let Some(of) = fields.keys().next().cloned() {
                    fields.insert(format!("{of} of old"), Field::Alias(of));
                }
                Content::Struct(fields)
            }
        }
    }

    fn definition(&mut self) -> Definition {
        let tagging = match self.0.usize(..6) {
            0 => Tagging::External,
            1 => Tagging::Internal(self.name()),
            2 => Tagging::Adjacent(self.name(), self.name()),
            _ => return Definition::Data(self.content()),
        };
        Definition::Enum(tagging, (0..self.0.usize(..4)).map(|_| (self.name(), self.content())).collect())
    }

    pub(in crate::testing::lock) fn section(&mut self) -> Section {
        let names = (0..self.0.usize(..3)).map(|_| self.name()).collect();
        let root = |random: &mut Self, was: &BTreeSet<String>| Root { shape: random.shape(3), was: was.clone() };
        let roots = (0..self.0.usize(..8)).map(|_| {
            let kind = Kind::ALL[self.0.usize(..Kind::ALL.len())];
            ((kind, self.name()), root(self, &names))
        });
        let roots = roots.collect();
        let edges = (0..self.0.usize(..4)).map(|_| Edge { from: self.name(), to: self.name(), handler: self.name() });
        let edges = edges.collect();
        // Whatever is named is there.
        let types = NAMES.iter().map(|name| ((*name).to_owned(), self.definition())).collect();
        Section { roots, edges, types }
    }

    fn lock(&mut self) -> Lock {
        let versions = (0..self.0.u32(..3)).map(|_| (self.0.u32(..20), self.section())).collect();
        Lock { workflow: self.name(), versions }
    }
}

#[test]
fn what_was_printed_is_read_as_it_was() {
    for seed in 0..400 {
        let lock = Random::new(seed).lock();
        let text = print(&lock);
        assert_eq!(parse(&text).as_ref(), Ok(&lock), "seed {seed}\n{text}");
        assert_eq!(print(&lock), text);
    }
}

#[test]
fn the_order_of_lines_does_not_matter_nor_does_a_line_that_is_there_twice() {
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let lock = random.lock();
        let text = print(&lock);
        let mut lines: Vec<_> = text.lines().chain(text.lines().filter(|_| seed % 2 == 0)).collect();
        random.0.shuffle(&mut lines);
        assert_eq!(parse(&lines.join("\n")), Ok(lock), "seed {seed}");
    }
}

#[test]
fn any_change_of_a_line_is_found_or_means_nothing() {
    let mut random = Random::new(7);
    for seed in 0..300 {
        let lock = Random::new(seed).lock();
        let text = print(&lock);
        let mut bytes = text.clone().into_bytes();
        let place = random.0.usize(..bytes.len());
        bytes[place] = random.0.u8(32..127);
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        match parse(&changed) {
            Err(_) => {}
            // A comment, the name, or the same letter.
            Ok(read) => assert!(read.versions == lock.versions, "seed {seed}, byte {place}\n{changed}"),
        }
    }
}

const TEXT: &str = "format 1\nworkflow Sale\n";

fn line(fact: &str) -> String {
    format!("{} {fact}\n", check_digits(fact))
}

#[test]
fn a_line_that_was_changed_by_hand_is_named() {
    let good = line("1 state paid: string");
    assert!(parse(&format!("{TEXT}{good}")).is_ok());
    let bad = good.replace("string", "u32");
    let error = parse(&format!("{TEXT}\n# a word\n{bad}")).unwrap_err();
    assert!(matches!(error, ParseError::Changed { line: 5, .. }), "{error}");
    for fact in
        ["1 state paid", "state paid: u32", "1 stat paid: u32", "1 state paid: u33", "1 state paid: u32 u32", "1"]
    {
        let error = parse(&format!("{TEXT}{}", line(fact))).unwrap_err();
        assert!(matches!(error, ParseError::Changed { line: 3, .. }), "{fact}: {error}");
    }
}

#[test]
fn the_marks_of_a_merge_are_told_as_such() {
    let text = format!("{TEXT}<<<<<<< HEAD\n{}=======\n>>>>>>> other\n", line("1 state paid: u32"));
    assert_eq!(parse(&text), Err(ParseError::Conflict { line: 3 }));
}

#[test]
fn two_lines_about_one_thing_are_both_named() {
    let text = format!("{TEXT}{}{}", line("1 state paid: u32"), line("1 state paid: string"));
    let error = parse(&text).unwrap_err();
    assert!(matches!(error, ParseError::Contradiction { first: 3, second: 4, .. }), "{error}");
}

#[test]
fn a_later_format_is_left_to_those_who_know_it() {
    let error = parse("format 2\nworkflow Sale\nwhatever it has\n").unwrap_err();
    assert_eq!(error, ParseError::Newer { format: 2 });
}

#[test]
fn a_line_that_is_missing_is_missed() {
    let fields = format!("{TEXT}{}{}", line("1 state paid: Paid"), line("1 type Paid.order: u32"));
    assert!(matches!(parse(&fields), Err(ParseError::Changed { line: 4, .. })));
    let types = format!("{TEXT}{}", line("1 state paid: Paid"));
    assert!(matches!(parse(&types), Err(ParseError::Incomplete { .. })));
    assert!(matches!(parse("format 1\n"), Err(ParseError::Incomplete { .. })));
    assert!(matches!(parse(""), Err(ParseError::Incomplete { .. })));
}
