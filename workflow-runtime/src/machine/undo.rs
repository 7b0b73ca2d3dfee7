//! The run of one undo: what generated code gives for it, and how the two parts of it follow each other.
//!
//! Where the step's output is not known, the step is run again first, with the key that it had, so that it finds what was
//! recorded inside of it and hands the same idempotency key to its service. Then its undo runs, under keys of its own.
//! Both are calls of steps, so their results and their retries are recorded in the journal of the undo.

use std::future::{Future, Pending, pending};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::private::Decode;
use super::{Cx, Decided, Failure, HandlerRun, StepCall, StepError, StepPolicy, Workflow};
use crate::base::Error;
use crate::record::{ErrorKind, JournalResult, Json, JsonError, UndoOutput, UndoRecord};

/// Undoes what `undo` says. `again` runs the step with the arguments that were saved; `release` is its undo.
pub fn run_undo<'a, R, A, U>(
    cx: &'a Cx,
    undo: &'a UndoRecord,
    again: impl FnOnce(Cx, Vec<Json>) -> A + Send + 'a,
    release: impl FnOnce(Json) -> U + Send + 'a,
) -> HandlerRun<'a>
where
    A: Future<Output = R> + Send + 'a,
    U: Future<Output = Result<(), Failure>> + Send + 'a,
{
    HandlerRun::Future(Box::pin(async move {
        let output = match &undo.output {
            UndoOutput::Known(output) => output.clone(),
            UndoOutput::Unknown { args, .. } => {
                let args = args.as_ref().map(Json::decode).unwrap_or_else(|| Ok(Vec::new()));
                let args = args.map_err(|error| unreadable(undo, "arguments", error))?;
                // What came of it is in the journal, whatever its type.
                drop(again(cx.again(&undo.key.as_str().into()), args).await);
                match cx.turn().recorded(&undo.key).map(|entry| entry.result) {
                    Some(JournalResult::Done(output)) => output,
                    Some(JournalResult::Failed { error, .. }) if error.kind == ErrorKind::Failed => {
                        return Ok(Decided::Undone { effect: false });
                    }
                    Some(JournalResult::Failed { error, .. }) => {
                        let text = format!("whether the step `{}` has run cannot be found out", undo.step);
                        return Err(Failure { kind: error.kind, error: error.to_error().context(text) });
                    }
                    _ => {
                        let text = format!("the step `{}` was run again, and nothing came of it", undo.step);
                        return Err(Failure::failed(Error::msg(text)));
                    }
                }
            }
        };
        release(output).await?;
        Ok(Decided::Undone { effect: true })
    }))
}

/// What is run for the undo of a step that the workflow does not have: older data.
pub(super) fn run_lost_undo(undo: &UndoRecord) -> HandlerRun<'static> {
    let text = format!(
        "the workflow has no step `{}` with an `undo` any more, and an execution is to undo it: bring the two back, or give the step that replaces it `was = \"{}\"`",
        undo.step, undo.step
    );
    HandlerRun::Ready(Err(Failure::unreadable(Error::msg(text))))
}

/// The call of an undo that is not a step itself.
#[must_use]
pub fn call_undo(cx: &Cx, policy: &'static StepPolicy, undo: &UndoRecord) -> StepCall {
    StepCall::with_key(cx, policy, format!("{}:{}", undo.handler(), policy.name).into())
}

/// An argument of a step that is run again.
pub async fn undo_argument<T>(decode: Decode<T>, cx: &Cx, args: &[Json], place: usize) -> T {
    let decoded = match args.get(place) {
        Some(json) => decode(json),
        None => decode(&Json::null()),
    };
    or_fail(cx, decoded, "the arguments of the step that is to be undone").await
}

/// The output of a step, as its undo is given it.
pub async fn undo_output<T>(decode: Decode<T>, cx: &Cx, output: &Json) -> T {
    or_fail(cx, decode(output), "the output of the step that is to be undone").await
}

async fn or_fail<T>(cx: &Cx, decoded: Result<T, JsonError>, what: &str) -> T {
    match decoded {
        Ok(value) => value,
        Err(error) => {
            cx.turn().fail(Failure::unreadable(Error::from(error).context(format!("{what} cannot be read"))));
            pending().await
        }
    }
}

fn unreadable(undo: &UndoRecord, what: &str, error: JsonError) -> Failure {
    Failure::unreadable(
        Error::from(error).context(format!("the saved {what} of the step `{}` cannot be read", undo.step)),
    )
}

/// What the argument of a step with an `undo` must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is an argument of a step with `undo`, and cannot be saved",
    label = "not serializable",
    note = "the arguments of such a step are saved before it runs, so that it can be run again to learn what is to be undone: put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, or take only the part of it that can be saved"
)]
pub trait UndoArgument {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> UndoArgument for T {}

/// An argument of a step with an `undo`.
pub const fn assert_undo_argument<T: UndoArgument>() {}

/// Says that an undo that takes `Self` takes the output `T` of its step.
#[diagnostic::on_unimplemented(
    message = "this undo takes `{Self}`, and the step's output is `{T}`",
    label = "does not take the output of the step",
    note = "an undo is given what its step has returned: write `async fn name(&self, cx: &Cx, output: {T}) -> Result<()>`"
)]
pub trait Undoes<T> {}

impl<T> Undoes<T> for T {}

/// What an undo takes.
pub const fn assert_undoes<U: Undoes<T>, T>() {}

/// The undos of a part, reached by the [key](super::EdgeKey) of a handler in it.
pub trait PartUndo<W, K> {
    /// Runs the undo of the step that `undo` names, if the part has it.
    fn undo<'a>(workflow: &'a W, cx: &'a Cx, undo: &'a UndoRecord) -> Option<HandlerRun<'a>>;
}

/// Hands the output of a step to its undo, where that takes it.
#[derive(Debug)]
pub struct UndoProbe<T, U>(PhantomData<(T, U)>);

impl<T> UndoProbe<T, T> {
    pub async fn take(output: T) -> T {
        output
    }
}

/// The other side of [`UndoProbe`].
pub trait NoUndo<T, U> {
    fn take(_: T) -> Pending<U> {
        pending()
    }
}

impl<T, U> NoUndo<T, U> for UndoProbe<T, U> {}

/// What an undo came to, where its error can be recorded.
#[derive(Debug)]
pub struct UndoneProbe<R>(PhantomData<R>);

impl<T, E: StepError> UndoneProbe<Result<T, E>> {
    pub fn undone(result: Result<T, E>) -> Result<(), Failure> {
        result.map(drop).map_err(|error| {
            let (record, _) = error.to_recorded();
            Failure { kind: record.kind, error: record.to_error() }
        })
    }
}

/// The other side of [`UndoneProbe`].
pub trait NotUndone<R> {
    fn undone(_: R) -> Result<(), Failure> {
        Ok(())
    }
}

impl<R> NotUndone<R> for UndoneProbe<R> {}

/// Runs the undo of a step of a part, if this is the one that has it.
#[derive(Debug)]
pub struct PartProbe<W, S, K>(PhantomData<(W, S, K)>);

impl<W: Workflow, S: PartUndo<W, K>, K> PartProbe<W, S, K> {
    pub fn undo<'a>(workflow: &'a W, cx: &'a Cx, undo: &'a UndoRecord) -> Option<HandlerRun<'a>> {
        S::undo(workflow, cx, undo)
    }
}

/// The other side of [`PartProbe`].
pub trait NoPart<W, S, K> {
    fn undo<'a>(_: &'a W, _: &'a Cx, _: &'a UndoRecord) -> Option<HandlerRun<'a>> {
        None
    }
}

impl<W, S, K> NoPart<W, S, K> for PartProbe<W, S, K> {}
