//! User data in a record: JSON text, so that a store can be read by a person.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One JSON value, kept as its text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The most bytes of one value, unless an engine is told otherwise: 2 MiB.
    pub const DEFAULT_LIMIT: usize = 2 * 1024 * 1024;

    /// Writes `value` as JSON.
    ///
    /// # Errors
    /// If the value's `Serialize` fails, or it holds what JSON has no form for, such as a map whose keys are no text.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        let value = serde_json::value::to_raw_value(value).map_err(JsonError::Encode)?;
        Ok(Self(value))
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

/// Why a value could not be written as JSON, or read from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The value has no JSON form.
    #[error("the value cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The JSON is of another shape.
    #[error("the saved JSON does not have the shape that the type has now")]
    Decode(#[source] serde_json::Error),
}
