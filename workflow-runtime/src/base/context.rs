//! What was being done when an error came up.

use super::{Error, Result};

/// Says what was being done when an error came up: `.context("…")` on a `Result` or an `Option`.
///
/// ```
/// use workflow_runtime::prelude::*;
///
/// fn port(text: Option<&str>) -> Result<u16> {
///     let text = text.context("no port is given")?;
///     text.parse().with_context(|| format!("`{text}` is not a port"))
/// }
/// assert_eq!(format!("{:#}", port(Some("x")).unwrap_err()), "`x` is not a port: invalid digit found in string");
/// assert_eq!(port(None).unwrap_err().to_string(), "no port is given");
/// ```
pub trait Context<T>: Sized {
    /// The same, with an error that says `message`; the present error is its source.
    ///
    /// # Errors
    /// If there is one already, or no value.
    fn context(self, message: impl Into<String>) -> Result<T> {
        self.with_context(|| message.into())
    }

    /// As [`context`](Self::context), with a message that is made only when it is needed.
    ///
    /// # Errors
    /// If there is one already, or no value.
    fn with_context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn with_context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|error| error.into().context(message()))
    }
}

impl<T> Context<T> for Option<T> {
    fn with_context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.ok_or_else(|| Error::msg(message()))
    }
}
