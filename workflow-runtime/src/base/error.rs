//! The error that handlers may return: any error, with its chain of sources.

use std::error::Error as StdError;
use std::fmt;

/// A result whose error is [`Error`] unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of user code, boxed, so that `?` works on all of them.
///
/// It carries the chain of sources. An error that has been through the store (after a restart, or in the history) is a
/// text with its chain: [`downcast_ref`](Self::downcast_ref) then finds nothing. To catch an error by its type after a
/// restart, give it `Serialize` and `Deserialize` and name it in a `#[catch]` handler.
///
/// ```
/// use workflow_runtime::Error;
///
/// fn parse(text: &str) -> workflow_runtime::Result<u16> {
///     if text.is_empty() {
///         return Err(Error::msg("no port given"));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("").unwrap_err().to_string(), "no port given");
/// assert!(parse("x").unwrap_err().is::<std::num::ParseIntError>());
/// ```
pub struct Error(Box<dyn StdError + Send + Sync + 'static>);

impl Error {
    /// An error that is only a text.
    #[must_use]
    pub fn msg(message: impl Into<String>) -> Self {
        Self(Box::new(Text { message: message.into(), source: None }))
    }

    /// This error as the source of another that says what was being done.
    ///
    /// ```
    /// # use workflow_runtime::Error;
    /// let error = Error::msg("connection refused").context("cannot reach the warehouse");
    /// assert_eq!(format!("{error:#}"), "cannot reach the warehouse: connection refused");
    /// assert_eq!(format!("{error:?}"), "cannot reach the warehouse\n\nCaused by:\n    connection refused");
    /// ```
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        Self(Box::new(Text { message: message.into(), source: Some(self.0) }))
    }

    /// The error with this text and these texts of its sources, nearest first: one that was recorded.
    pub(crate) fn from_texts(message: String, sources: Vec<String>) -> Self {
        let source = sources.into_iter().rev().fold(None, |source, message| {
            let text: Box<dyn StdError + Send + Sync> = Box::new(Text { message, source });
            Some(text)
        });
        Self(Box::new(Text { message, source }))
    }

    /// The error and its sources, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let outermost: &(dyn StdError + 'static) = &*self.0;
        std::iter::successors(Some(outermost), |error| (*error).source())
    }

    /// The first error of type `E` in the chain, outermost first.
    #[must_use]
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    /// Whether an error of type `E` is in the chain.
    #[must_use]
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }
}

// `Error` itself is no `std::error::Error`: that is what makes this conversion from every other error possible.
impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Error {
    /// The text; with `{:#}`, the text and those of its sources on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !formatter.alternate() {
            return fmt::Display::fmt(&self.0, formatter);
        }
        write!(formatter, "{}", self.0)?;
        self.chain().skip(1).try_for_each(|source| write!(formatter, ": {source}"))
    }
}

impl fmt::Debug for Error {
    /// The text and, below it, its sources: what `fn main() -> Result<()>` prints.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        for (index, source) in self.chain().skip(1).enumerate() {
            let heading = if index == 0 { "\n\nCaused by:" } else { "" };
            write!(formatter, "{heading}\n    {source}")?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Text {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync + 'static>>,
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Text {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
