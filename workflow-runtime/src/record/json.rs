//! User data in a record: JSON text, so that a store can be read by a person.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value, kept as its text. Cloning is cheap.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// How deep arrays and objects may be nested: what `serde_json` reads back.
    pub const DEEPEST: usize = 127;

    /// The most bytes of one value, unless an engine is told otherwise: 2 MiB.
    pub const DEFAULT_LIMIT: usize = 2 * 1024 * 1024;

    /// Writes `value` as JSON.
    ///
    /// # Errors
    /// If the value's `Serialize` fails, or it holds what JSON has no form for, such as a map whose keys are no text; or if
    /// it is nested deeper than it could be read back.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        let value = serde_json::value::to_raw_value(value).map_err(JsonError::Encode)?;
        match depth_if_deep(value.get()) {
            Some(depth) => Err(JsonError::TooDeep { depth }),
            None => Ok(Self(value.into())),
        }
    }

    /// The value `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }

    /// Reads the value back.
    ///
    /// # Errors
    /// If the text is of another shape than `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.text()).map_err(JsonError::Decode)
    }

    /// The JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|value| Self(value.into()))
    }
}

/// Reads a value that may be left out. What says that it is there by `null` is there: serde would take that for nothing.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

/// How deep a JSON text is nested, if that is deeper than can be read back.
fn depth_if_deep(text: &str) -> Option<usize> {
    // Every level takes two bytes, and what has few brackets is not deep: both are told much faster than the depth.
    let opens = || text.bytes().map(|byte| usize::from(byte == b'[') + usize::from(byte == b'{')).sum::<usize>();
    let may_be_deep = text.len() > 2 * Json::DEEPEST && opens() > Json::DEEPEST;
    may_be_deep.then(|| depth(text)).filter(|depth| *depth > Json::DEEPEST)
}

/// How deep the arrays and objects of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Why a value could not be written as JSON, or read from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The value has no JSON form.
    #[error("the value cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The value is nested too deep to be read back.
    #[error("the value is nested {depth} levels deep, and at most {} can be read back: keep it flatter", Json::DEEPEST)]
    TooDeep {
        /// How deep it is nested.
        depth: usize,
    },
    /// The JSON is of another shape.
    #[error("the saved JSON does not have the shape that the type has now")]
    Decode(#[source] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::record::BranchRecord;

    fn nested(depth: usize) -> Value {
        (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn what_is_written_can_be_read_back_however_deep() {
        let deepest = Json::encode(&nested(Json::DEEPEST)).unwrap();
        assert_eq!(deepest.decode::<Value>().unwrap(), nested(Json::DEEPEST));
        let error = Json::encode(&nested(Json::DEEPEST + 1)).unwrap_err();
        assert!(matches!(error, JsonError::TooDeep { depth: 128 }), "{error}");
    }

    #[test]
    fn what_is_null_is_there() {
        let read = |text| serde_json::from_str::<BranchRecord>(text).unwrap().value;
        assert_eq!((read("{\"value\":null}"), read("{}")), (Some(Json::null()), None));
        let null = BranchRecord { value: Some(Json::null()), ..BranchRecord::default() };
        assert_eq!(serde_json::to_string(&null).unwrap(), "{\"value\":null}");
    }

    #[test]
    fn brackets_in_texts_do_not_count() {
        assert_eq!(depth(r#"{"a":["[[[", "\"[", "\\"], "b{":[[]]}"#), 3);
    }
}
