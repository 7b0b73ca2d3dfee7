use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Named, Tracer};
use crate::testing::lock::shape::{Content, Definition, Field, Tagging};

/// The shape of a type, and what the types in it are, as text.
fn trace<T: DeserializeOwned>() -> (String, Vec<String>) {
    let (mut tracer, mut named) = (Tracer::default(), Named::default());
    let traced = tracer.trace::<T>();
    let shape = named.shape(&tracer, traced).to_string();
    let types = named.types.iter().flat_map(|(name, definition)| match definition {
        Definition::Data(content) => lines(name, content),
        Definition::Enum(tagging, variants) => {
            let tagging = match tagging {
                Tagging::External => String::new(),
                other => format!("{name}: {other:?}"),
            };
            let variants = variants.iter().flat_map(|(variant, content)| lines(&format!("{name}::{variant}"), content));
            Some(tagging).filter(|text| !text.is_empty()).into_iter().chain(variants).collect()
        }
    });
    (shape, types.collect())
}

fn lines(name: &str, content: &Content) -> Vec<String> {
    match content {
        Content::Unit => vec![format!("{name}")],
        Content::Newtype(shape) => vec![format!("{name} = {shape}")],
        Content::Tuple(items) => vec![format!("{name} = {items:?}")],
        Content::Opaque(text) => vec![format!("{name} = opaque {text}")],
        Content::Struct(fields) => fields
            .iter()
            .map(|(field, what)| match what {
                Field::Own { shape, optional } => {
                    format!("{name}.{field}: {shape}{}", if *optional { ", optional" } else { "" })
                }
                Field::Alias(of) => format!("{name}.{field}: as {of}"),
            })
            .collect(),
    }
}

#[derive(Serialize, Deserialize)]
struct Plain {
    a: u32,
    b: String,
    c: Option<Vec<bool>>,
    #[serde(default)]
    d: f64,
    #[serde(alias = "old_e", rename = "e")]
    renamed: (i8, char, u128),
    map: HashMap<u16, BTreeMap<String, ()>>,
    array: [u8; 3],
    #[serde(skip)]
    _skipped: u8,
}

#[test]
fn a_struct_is_its_fields_and_what_may_be_missing_of_them() {
    let (shape, types) = trace::<Plain>();
    assert_eq!(shape, "Plain");
    let expected = [
        "Plain.a: u32",
        "Plain.array: [u8; 3]",
        "Plain.b: string",
        "Plain.c: [bool]?, optional",
        "Plain.d: f64, optional",
        "Plain.e: (i8, char, u128)",
        "Plain.map: {u16: {string: null}}",
        "Plain.old_e: as e",
    ];
    assert_eq!(types, expected);
}

#[derive(Serialize, Deserialize)]
enum Payment {
    Cash,
    Card(Card),
    Split(u32, String),
    Transfer { iban: String, note: Option<String> },
}

#[derive(Serialize, Deserialize)]
struct Card(String);

#[test]
fn an_enum_is_its_variants() {
    let (shape, types) = trace::<Vec<Payment>>();
    assert_eq!(shape, "[Payment]");
    let expected = [
        "Card = string",
        "Payment::Card = Card",
        "Payment::Cash",
        "Payment::Split = [Integer(Integer { signed: false, bits: 32 }), Text]",
        "Payment::Transfer.iban: string",
        "Payment::Transfer.note: string?, optional",
    ];
    assert_eq!(types, expected);
}

#[derive(Serialize, Deserialize)]
enum Expression {
    Add(Box<Expression>, Box<Expression>),
    Number(i64),
    Call { name: String, arguments: Vec<Expression> },
}

#[derive(Serialize, Deserialize)]
struct Tree {
    left: Option<Box<Tree>>,
    children: Vec<Tree>,
    value: Expression,
}

#[test]
fn types_that_hold_themselves_come_to_an_end() {
    let (_, types) = trace::<Tree>();
    let expected = [
        "Expression::Add = [Type(\"Expression\"), Type(\"Expression\")]",
        "Expression::Call.arguments: [Expression]",
        "Expression::Call.name: string",
        "Expression::Number = i64",
        "Tree.children: [Tree]",
        "Tree.left: Tree?, optional",
        "Tree.value: Expression",
    ];
    assert_eq!(types, expected);
}

/// A type that checks what it reads.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Iban(String);

impl TryFrom<String> for Iban {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("DE99") { Ok(Self(text)) } else { Err("no IBAN".to_owned()) }
    }
}

#[derive(Serialize, Deserialize)]
struct Account {
    iban: Iban,
    address: std::net::IpAddr,
    count: std::num::NonZeroU32,
    since: crate::Timestamp,
    wait: std::time::Duration,
    pair: (std::num::NonZeroU8, std::net::IpAddr, u8),
    stuck: (Iban, u8),
    last: bool,
}

#[test]
fn a_type_that_checks_hides_nothing_but_what_it_holds() {
    let (_, types) = trace::<Account>();
    let expected = [
        "Account.address: string",
        "Account.count: u32",
        "Account.iban: string",
        "Account.last: bool",
        "Account.pair: (u8, string, u8)",
        "Account.since: i64",
        "Account.stuck: (string, opaque \"behind a value that could not be guessed\")",
        "Account.wait: Duration",
        "Duration.nanos: u32",
        "Duration.secs: u64",
    ];
    assert_eq!(types, expected);
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
enum Beside {
    Nothing,
    One(u32),
    Maybe(Option<String>),
    Two(u8, u8),
}

#[test]
fn a_tag_beside_its_content_is_seen() {
    let (_, types) = trace::<Beside>();
    let expected = [
        "Beside: Adjacent(\"kind\", \"data\")",
        "Beside::Maybe = string?",
        "Beside::Nothing",
        "Beside::One = u32",
        "Beside::Two = [u8; 2]",
    ];
    assert_eq!(types, expected);
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
}

#[derive(Serialize, Deserialize)]
struct Outer {
    id: u8,
    #[serde(flatten)]
    inner: Plain,
}

#[test]
fn what_cannot_be_traced_is_opaque() {
    let (shape, _) = trace::<Untagged>();
    assert_eq!(shape, "opaque \"takes integer, string; data did not match any variant of untagged enum Untagged\"");
    let (shape, _) = trace::<Outer>();
    assert!(shape.starts_with("opaque"), "{shape}");
    let (shape, _) = trace::<serde_json::Value>();
    assert_eq!(shape, "any");
}

#[test]
fn two_types_of_one_name_are_two() {
    mod other {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct Card {
            number: u64,
        }
    }
    let (shape, types) = trace::<(Card, other::Card, Card)>();
    assert_eq!(shape, "(Card, Card~2, Card)");
    assert_eq!(types, ["Card = string", "Card~2.number: u64"]);
}

#[test]
fn the_trace_of_a_type_is_always_the_same() {
    assert_eq!(trace::<(Tree, Account, Payment)>(), trace::<(Tree, Account, Payment)>());
}
