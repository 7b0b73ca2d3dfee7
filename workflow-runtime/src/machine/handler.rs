//! The behaviour of a state in a workflow, one trait per trigger.
//!
//! They are implemented for the state's type, so that any crate that owns the state can implement them: the main impl of
//! a workflow, a part of it in another file, or a free function in another crate.
//!
//! A handler with effects is a future that is given a context. One without is a plain function, `decide`, which is all
//! that is needed to run a machine [without an engine](super::Workflow#without-an-engine).

use std::error::Error as StdError;
use std::future::{Future, pending};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pure::Answers;
use super::{Cx, Handled, HandlerInfo, Workflow};
use crate::base::{Error, Timestamp};
use crate::record::Json;

/// The entry handler of a state: `#[state]` on a function.
#[diagnostic::on_unimplemented(
    message = "`{W}` includes a `#[state]` handler of `{Self}` that does not exist",
    label = "no part has it",
    note = "write `#[state] async fn name(&self, cx: &Cx, state: {Self}) -> …` in an impl with `#[workflow(part)]`, or as a free function"
)]
pub trait Handle<W: Workflow>: Sized {
    /// Whether it has no effects and never waits: then it has a `decide`.
    const PURE: bool = true;

    /// Runs it, if it has effects.
    fn handle(workflow: &W, cx: &Cx, state: Self) -> impl Future<Output = Handled<W>> + Send {
        let _ = (workflow, cx, state);
        pending()
    }

    /// Runs it, if it has none.
    ///
    /// # Errors
    /// What the handler fails with.
    fn decide(workflow: &W, state: Self) -> Handled<W> {
        let _ = (workflow, state);
        Err(has_effects())
    }
}

/// An edge of a state that an event of type `E` takes: `#[on]`.
#[diagnostic::on_unimplemented(
    message = "`{W}` includes an `#[on]` handler of `{Self}` for `{E}` that does not exist",
    label = "no part has it",
    note = "write `#[on] async fn name(&self, cx: &Cx, state: {Self}, event: {E}) -> …` in an impl with `#[workflow(part)]`"
)]
pub trait On<W: Workflow, E>: Sized {
    /// Whether it has no effects and never waits: then it has a `decide`.
    const PURE: bool = true;

    /// Runs it, if it has effects.
    fn on(workflow: &W, cx: &Cx, state: Self, event: E) -> impl Future<Output = Handled<W>> + Send {
        let _ = (workflow, cx, state, event);
        pending()
    }

    /// Runs it, if it has none.
    ///
    /// # Errors
    /// What the handler fails with.
    fn decide<A: Answers>(workflow: &W, state: Self, event: E, answers: &mut A) -> Handled<W> {
        let _ = (workflow, state, event, answers);
        Err(has_effects())
    }
}

/// An edge of a state that time takes: `#[after]`, `#[at]` or `#[every]`. `K` is the [`EdgeKey`] of the handler, as a state
/// may have several.
#[diagnostic::on_unimplemented(
    message = "`{W}` includes an `#[after]` handler of `{Self}` that does not exist",
    label = "no part has it",
    note = "write `#[after(\"15m\")] async fn name(&self, cx: &Cx, state: {Self}) -> …` in an impl with `#[workflow(part)]`"
)]
pub trait After<W: Workflow, K>: Sized {
    /// Whether it has no effects and never waits: then it has a `decide`.
    const PURE: bool = true;

    /// Runs it, if it has effects.
    fn after(workflow: &W, cx: &Cx, state: Self) -> impl Future<Output = Handled<W>> + Send {
        let _ = (workflow, cx, state);
        pending()
    }

    /// Runs it, if it has none.
    ///
    /// # Errors
    /// What the handler fails with.
    fn decide(workflow: &W, state: Self) -> Handled<W> {
        let _ = (workflow, state);
        Err(has_effects())
    }

    /// When it is due, where that hangs on the state's data: `#[after(Self::delay)]` and `#[at(field)]`. `None` if the data
    /// says that it is not, and where the graph tells the time.
    fn timer(workflow: &W, state: &Self) -> Option<Timer> {
        let _ = (workflow, state);
        None
    }
}

/// When an edge is due, as the data of a state says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// When the state has lasted this long.
    After(Duration),
    /// At this time.
    At(Timestamp),
}

/// An edge of a state that an error of type `E` takes when a handler of the state failed for good: `#[catch]`.
#[diagnostic::on_unimplemented(
    message = "`{W}` includes a `#[catch]` handler of `{Self}` for `{E}` that does not exist",
    label = "no part has it",
    note = "write `#[catch] async fn name(&self, cx: &Cx, state: {Self}, error: {E}) -> …` in an impl with `#[workflow(part)]`"
)]
pub trait Catch<W: Workflow, E>: Sized {
    /// Whether it has no effects and never waits: then it has a `decide`.
    const PURE: bool = true;

    /// Runs it, if it has effects.
    fn catch(workflow: &W, cx: &Cx, state: Self, error: E) -> impl Future<Output = Handled<W>> + Send {
        let _ = (workflow, cx, state, error);
        pending()
    }

    /// Runs it, if it has none.
    ///
    /// # Errors
    /// What the handler fails with.
    fn decide(workflow: &W, state: Self, error: E) -> Handled<W> {
        let _ = (workflow, state, error);
        Err(has_effects())
    }
}

/// What the graph says of a handler that is written outside the main impl. `K` is its [`EdgeKey`].
#[diagnostic::on_unimplemented(
    message = "an included handler of `{Self}` does not exist",
    label = "no part has a handler of this name for `{Self}`",
    note = "every handler in `include(…)` is written in an impl with `#[workflow(part)]`, or as a free `#[state]` function"
)]
pub trait Described<K> {
    /// The handler, as the graph shows it.
    const HANDLER: HandlerInfo;
    /// Whether it has mistakes, so that nothing is to be concluded from what it says.
    #[doc(hidden)]
    const REFUSED: bool = false;
}

/// Names one handler of one workflow as a type: the digests of the two names.
#[derive(Debug)]
pub struct EdgeKey<const WORKFLOW: u64, const HANDLER: u64>;

/// What a handler's `Result` may hold as its error: [`Error`], or any error type that turns into it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a handler",
    label = "not an error type",
    note = "return `Result<…>` with the boxed `workflow_runtime::Error`, or implement `std::error::Error` for `{Self}`"
)]
pub trait HandlerError: Into<Error> {}

impl HandlerError for Error {}

#[diagnostic::do_not_recommend]
impl<E: StdError + Send + Sync + 'static> HandlerError for E {}

/// What a `#[catch]` handler may take: [`Error`], which takes every failure, or an error type that can be saved.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be caught",
    label = "not an error that can be saved",
    note = "a caught error is saved before its handler runs: give `{Self}` `std::error::Error`, `serde::Serialize` and `serde::Deserialize`, or catch the boxed `workflow_runtime::Error`"
)]
pub trait CatchError: Sized {
    /// The error as it is saved, if `error` is or stems from one of this type.
    fn find(error: &Error) -> Option<Json>;

    /// The error from its saved form.
    ///
    /// # Errors
    /// If it is of another shape.
    fn restore(json: &Json) -> Result<Self, crate::record::JsonError>;
}

impl CatchError for Error {
    fn find(error: &Error) -> Option<Json> {
        let record = crate::record::ErrorRecord::new(crate::record::ErrorKind::Failed, error);
        Json::encode(&record).ok()
    }

    fn restore(json: &Json) -> Result<Self, crate::record::JsonError> {
        let record: crate::record::ErrorRecord = json.decode()?;
        Ok(record.to_error())
    }
}

#[diagnostic::do_not_recommend]
impl<E: StdError + Serialize + DeserializeOwned + 'static> CatchError for E {
    fn find(error: &Error) -> Option<Json> {
        error.downcast_ref::<E>().and_then(|error| Json::encode(error).ok())
    }

    fn restore(json: &Json) -> Result<Self, crate::record::JsonError> {
        json.decode()
    }
}

#[cold]
fn has_effects() -> Error {
    Error::msg("the handler has effects")
}
