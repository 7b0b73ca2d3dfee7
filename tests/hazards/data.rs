//! What a state's data may look like.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use workflow_runtime::State;
use workflow_runtime::prelude::*;

#[state]
struct Unit;

#[state]
struct Empty {}

#[state]
struct Newtype(String);

#[state]
struct Tuple(u8, Vec<Option<u8>>);

#[state]
enum Choice {
    Nothing,
    Some(Box<Choice>),
    Named { map: BTreeMap<String, Vec<Choice>> },
}

#[state]
#[derive(Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Attributed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(rename = "last")]
    last_name: String,
    #[serde(skip)]
    cached: NotSerializable,
    #[serde(with = "as_text")]
    number: Number,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct NotSerializable;

#[derive(Debug, Clone, PartialEq)]
struct Number(u32);

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Number;

    pub(super) fn serialize<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.0.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Number).map_err(serde::de::Error::custom)
    }
}

#[state]
#[derive(Serialize, Deserialize)]
struct Derived {
    number: u8,
}

#[state(name = "renamed", was("a", "b"), end)]
struct Named;

#[state]
enum Conditional {
    #[cfg(test)]
    Here {
        number: u8,
        #[cfg(not(test))]
        other: Missing,
    },
    #[cfg(not(test))]
    NotHere(Missing),
}

macro_rules! declare {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[state]
        struct $name { $($field: $ty),* }
    };
}

declare!(FromMacro { number: u8, text: String });

fn roundtrip<S: State>(state: &S, expected: &str) -> S {
    let json = state.encode().unwrap();
    assert_eq!(json.text(), expected);
    S::decode(&json).unwrap()
}

#[test]
fn data_survives() {
    roundtrip(&Unit, "null");
    roundtrip(&Empty {}, "{}");
    assert_eq!(roundtrip(&Newtype("x".into()), r#""x""#).0, "x");
    let tuple = roundtrip(&Tuple(1, vec![None, Some(2)]), "[1,[null,2]]");
    assert_eq!((tuple.0, tuple.1), (1, vec![None, Some(2)]));
    let map = BTreeMap::from([("a".to_owned(), vec![Choice::Nothing])]);
    roundtrip(&Choice::Some(Box::new(Choice::Named { map })), r#"{"Some":{"Named":{"map":{"a":["Nothing"]}}}}"#);
    let attributed = Attributed {
        first_name: None,
        last_name: "x".into(),
        cached: NotSerializable,
        number: Number(3),
        rest: BTreeMap::new(),
    };
    assert_eq!(roundtrip(&attributed, r#"{"last":"x","number":"3"}"#), attributed);
    assert_eq!(roundtrip(&Derived { number: 1 }, r#"{"number":1}"#).number, 1);
    roundtrip(&Conditional::Here { number: 1 }, r#"{"Here":{"number":1}}"#);
    roundtrip(&FromMacro { number: 1, text: String::new() }, r#"{"number":1,"text":""}"#);
    assert_eq!((Named::NAME, Named::WAS, Named::END), ("renamed", &["a", "b"][..], true));
    // `Rc` is fine where it is not kept.
    assert_eq!(*Rc::new(1), 1);
}
