//! Errors that a mock gives again and again.

use crate::base::Error;
use crate::machine::StepError;
use crate::record::{ErrorKind, ErrorRecord};

/// What a mock fails with: an error of the step's own type, a function that makes one, or, where the step returns
/// [`Result<T>`](crate::Result) with the boxed [`Error`], a text.
///
/// An error that is given as a value goes through its saved form, so that it can be given again. For a type of its own that
/// changes nothing; a boxed [`Error`] is a text with its chain then, as after a restart. To have it caught by the type inside
/// of it, give a function: `|| NoStock.into()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error of this step, which fails with `{E}`",
    label = "not a `{E}`",
    note = "give a `{E}`, or a function that makes one: `|| …`"
)]
pub trait FailsWith<E, By> {
    /// What makes it, again and again.
    #[doc(hidden)]
    fn maker(self) -> MakeError<E>;
}

pub(super) type MakeError<E> = Box<dyn Fn() -> E + Send + Sync>;

/// Marks what is an error itself.
#[doc(hidden)]
#[derive(Debug)]
pub enum ByValue {}

/// Marks the text of one.
#[doc(hidden)]
#[derive(Debug)]
pub enum ByText {}

/// Marks what makes one.
#[doc(hidden)]
#[derive(Debug)]
pub enum ByCall {}

impl<E: StepError + Send> FailsWith<E, ByValue> for E {
    #[track_caller]
    fn maker(self) -> MakeError<E> {
        let (record, value) = self.to_recorded();
        let again = move || E::from_recorded(&record, value.as_ref());
        if let Err(error) = again() {
            panic!("the error cannot be given again, as it cannot be read back from its saved form: {error}");
        }
        Box::new(move || again().unwrap_or_else(|error| unreachable!("it was read before: {error}")))
    }
}

impl FailsWith<Error, ByText> for &str {
    fn maker(self) -> MakeError<Error> {
        let record = ErrorRecord { kind: ErrorKind::Failed, message: self.to_owned(), sources: Vec::new() };
        Box::new(move || record.to_error())
    }
}

impl<E, F: Fn() -> E + Send + Sync + 'static> FailsWith<E, ByCall> for F {
    fn maker(self) -> MakeError<E> {
        Box::new(self)
    }
}
