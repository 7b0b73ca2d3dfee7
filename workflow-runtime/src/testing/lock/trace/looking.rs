//! Types that look at the data before they say what they are: one kind of value after the other is shown to them.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{IntoDeserializer, Visitor};

use super::error::Refusal;
use super::knowledge::Kind;

/// What is shown, and what it is called where it is taken.
const NAMES: [&str; 8] = ["null", "bool", "integer", "negative integer", "float", "string", "list", "map"];

/// How many kinds there are.
pub(super) const SHOWN: usize = NAMES.len();

/// Shows one of them.
pub(super) fn show<'de, V: Visitor<'de>>(visitor: V, shown: usize) -> Result<V::Value, Refusal> {
    match shown {
        0 => visitor.visit_unit(),
        1 => visitor.visit_bool(true),
        2 => visitor.visit_u64(1),
        3 => visitor.visit_i64(-1),
        4 => visitor.visit_f64(0.5),
        5 => visitor.visit_str("a"),
        6 => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Nothing>())),
        _ => visitor.visit_map(MapDeserializer::new(std::iter::empty::<(Nothing, Nothing)>())),
    }
}

/// What is in a list and a map that are empty.
enum Nothing {}

impl<'de> IntoDeserializer<'de, Refusal> for Nothing {
    type Deserializer = serde::de::value::UnitDeserializer<Refusal>;

    fn into_deserializer(self) -> Self::Deserializer {
        match self {}
    }
}

/// What can be told of such a type: `None` if it takes everything.
pub(super) fn describe(answers: &[Result<(), Refusal>]) -> Option<String> {
    let taken: Vec<_> = NAMES.iter().zip(answers).filter(|(_, answer)| answer.is_ok()).map(|(name, _)| *name).collect();
    if taken.len() == SHOWN {
        return None;
    }
    let mut said: Vec<String> = Vec::new();
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let text = refusal.to_string();
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let takes = if taken.is_empty() { String::new() } else { format!("takes {}", taken.join(", ")) };
    let parts = [takes, said.join("; ")];
    Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; "))
}

/// Whether a type looks at the data, and takes nothing but `null`.
pub(super) fn is_null(kind: &Kind) -> bool {
    match kind {
        Kind::Looks(answers) => answers.iter().enumerate().all(|(place, answer)| answer.is_ok() == (place == 0)),
        _ => false,
    }
}
