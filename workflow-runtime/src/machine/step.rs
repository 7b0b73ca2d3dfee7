//! Steps: effects whose results are recorded.

use std::error::Error as StdError;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use super::digest::Digest;
use super::turn::panic_text;
use super::{Cx, Failure};
use crate::base::Error;
use crate::kernel::RetryPolicy;
use crate::record::{ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json, JsonError};

/// How a step is run: what its `#[step(…)]` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepPolicy {
    /// The function's name.
    pub name: &'static str,
    /// When it is tried again; without, its first failure is final.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Whether an interruption of the handler cuts a running attempt off instead of letting it finish.
    pub cancel: bool,
}

#[doc(hidden)]
impl StepPolicy {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, retry: None, timeout: None, cancel: false }
    }

    #[must_use]
    pub const fn retry(mut self, max: u32, base: Duration, cap: Duration) -> Self {
        self.retry = Some(RetryPolicy { max, base, cap });
        self
    }

    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    #[must_use]
    pub const fn cancel(mut self) -> Self {
        self.cancel = true;
        self
    }
}

/// The last attempt of a step took longer than its `timeout`. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the step `{step}` was cut off after {timeout_millis} ms, its timeout")]
pub struct StepTimedOut {
    /// The step.
    pub step: String,
    /// Its timeout in milliseconds.
    pub timeout_millis: u64,
}

/// The last attempt of a step panicked. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the step `{step}` panicked: {message}")]
pub struct StepPanicked {
    /// The step.
    pub step: String,
    /// What the panic said.
    pub message: String,
}

/// The error of a step: a type that can be saved, so that it is the same after a restart, or the boxed [`Error`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a step",
    label = "not an error that can be saved",
    note = "a step's final error is recorded like its result: give `{Self}` `std::error::Error`, `serde::Serialize` and `serde::Deserialize`, or return `Result<T>` with the boxed `workflow_runtime::Error`"
)]
pub trait StepError: Sized {
    /// The error as it is saved: for people, and for the code that called the step.
    #[doc(hidden)]
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>);

    /// The error that was saved.
    #[doc(hidden)]
    fn from_recorded(record: &ErrorRecord, value: Option<&Json>) -> Result<Self, JsonError>;

    /// The error that stands for an attempt that was cut off, where the type has one.
    #[doc(hidden)]
    fn from_cut(cut: Error) -> Result<Self, Error>;
}

impl StepError for Error {
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        (ErrorRecord::new(ErrorKind::Failed, self), None)
    }

    fn from_recorded(record: &ErrorRecord, _: Option<&Json>) -> Result<Self, JsonError> {
        Ok(record.to_error())
    }

    fn from_cut(cut: Error) -> Result<Self, Error> {
        Ok(cut)
    }
}

#[diagnostic::do_not_recommend]
impl<E: StdError + Serialize + DeserializeOwned + Send + Sync + 'static> StepError for E {
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        let texts = std::iter::successors(self.source(), |error| (*error).source());
        let sources = texts.map(ToString::to_string).collect();
        let record = ErrorRecord { kind: ErrorKind::Failed, message: self.to_string(), sources };
        (record, Json::encode(self).ok())
    }

    fn from_recorded(record: &ErrorRecord, value: Option<&Json>) -> Result<Self, JsonError> {
        match value {
            Some(value) => value.decode(),
            None => Json::encode(&record.message)?.decode(),
        }
    }

    fn from_cut(cut: Error) -> Result<Self, Error> {
        Err(cut)
    }
}

/// One call of a step: its place in the journal is taken when this is made.
#[doc(hidden)]
#[derive(Debug)]
pub struct StepCall {
    cx: Cx,
    policy: &'static StepPolicy,
    key: String,
}

/// How an attempt ended, if not with a result of the step's own.
enum Cut {
    TimedOut(StepTimedOut),
    Panicked(StepPanicked),
}

enum Attempt<T, E> {
    Ended(Result<T, E>),
    Cut(Cut),
}

impl StepCall {
    /// Takes the place in the journal of a call with these arguments.
    #[must_use]
    pub fn new(cx: &Cx, policy: &'static StepPolicy, arguments: &Digest) -> Self {
        let key = cx.turn().claim(&format!("{}:{}:{:032x}", cx.caller(), policy.name, arguments.finish()));
        Self { cx: cx.clone(), policy, key }
    }

    /// Runs a step that is not retried, unless its result is recorded.
    ///
    /// # Errors
    /// The step's own.
    pub async fn once<T, E, F, A>(self, attempt: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnOnce(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        let mut attempt = Some(attempt);
        self.run(move |cx| attempt.take().map(|attempt| attempt(cx))).await
    }

    /// Runs a step until it succeeds or no attempt is left, unless its result is recorded.
    ///
    /// # Errors
    /// The step's own, of the last attempt.
    pub async fn retried<T, E, F, A>(self, mut attempt: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnMut(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        self.run(move |cx| Some(attempt(cx))).await
    }

    async fn run<T, E, F, A>(self, mut start: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnMut(Cx) -> Option<A>,
        A: Future<Output = Result<T, E>>,
    {
        let turn = self.cx.turn();
        let mut failed = 0;
        if let Some(entry) = turn.recorded(&self.key) {
            match entry.result {
                JournalResult::Done(value) => match value.decode() {
                    Ok(value) => return Ok(value),
                    Err(error) => return self.unreadable(error).await,
                },
                JournalResult::Failed { error, value } => return self.failed_before(&error, value.as_ref()).await,
                JournalResult::Retrying { due, .. } => {
                    failed = entry.attempts;
                    turn.sleep_until(due).await;
                }
                JournalResult::Sleeping { .. } => {}
            }
        }
        loop {
            turn.gate().await;
            let number = failed + 1;
            let Some(attempt) = start(self.cx.in_step(&self.key, number)) else {
                return self.cut(Error::msg("a step without `retry` was to be tried again")).await;
            };
            let in_flight = turn.attempt(self.policy.cancel);
            let span = tracing::info_span!(
                "step",
                step = self.policy.name,
                attempt = number,
                workflow = self.cx.workflow(),
                execution = %self.cx.id(),
            );
            let attempt = self.attempt(attempt).instrument(span.clone()).await;
            let result = match attempt {
                Attempt::Ended(Ok(value)) => match self.encode(&value) {
                    Ok(json) => {
                        self.record(number, JournalResult::Done(json));
                        Ok(value)
                    }
                    Err(failure) => {
                        turn.fail(failure);
                        return pending().await;
                    }
                },
                ended => {
                    failed = number;
                    let (error, value) = match &ended {
                        Attempt::Ended(Err(error)) => error.to_recorded(),
                        Attempt::Cut(cut) => cut.to_recorded(),
                        Attempt::Ended(Ok(_)) => continue,
                    };
                    let pause = self.policy.retry.and_then(|retry| retry.pause(failed, fastrand::f64()));
                    match pause {
                        Some(pause) => {
                            span.in_scope(|| tracing::warn!(%error, ?pause, "the step failed and is tried again"));
                            let due = turn.scope.clock.now() + pause;
                            self.record(failed, JournalResult::Retrying { error, due });
                            drop(in_flight);
                            turn.sleep_until(due).await;
                            turn.begin_attempt(&self.key);
                            continue;
                        }
                        None => {
                            span.in_scope(|| tracing::warn!(%error, "the step failed for good"));
                            self.record(failed, JournalResult::Failed { error, value });
                        }
                    }
                    match ended {
                        Attempt::Ended(result) => result,
                        Attempt::Cut(cut) => {
                            drop(in_flight);
                            return self.cut(cut.into_error()).await;
                        }
                    }
                }
            };
            drop(in_flight);
            if turn.is_interrupted() {
                // The result is recorded; the handler does not go on.
                return pending().await;
            }
            return result;
        }
    }

    /// One attempt, with its time limit, and with a panic turned into a failure.
    async fn attempt<T, E>(&self, attempt: impl Future<Output = Result<T, E>>) -> Attempt<T, E> {
        let clock = &self.cx.turn().scope.clock;
        let mut limit = self.policy.timeout.map(|timeout| (timeout, clock.sleep_until(clock.now() + timeout)));
        let mut attempt = pin!(attempt);
        poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context))) {
                Ok(Poll::Ready(result)) => return Poll::Ready(Attempt::Ended(result)),
                Ok(Poll::Pending) => {}
                Err(panic) => {
                    let message = panic_text(&*panic).to_owned();
                    let cut = StepPanicked { step: self.policy.name.to_owned(), message };
                    return Poll::Ready(Attempt::Cut(Cut::Panicked(cut)));
                }
            }
            let Some((timeout, over)) = &mut limit else { return Poll::Pending };
            over.as_mut().poll(context).map(|()| {
                let timeout_millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                Attempt::Cut(Cut::TimedOut(StepTimedOut { step: self.policy.name.to_owned(), timeout_millis }))
            })
        })
        .await
    }

    fn record(&self, attempts: u32, result: JournalResult) {
        self.cx.turn().record(JournalEntry { key: self.key.clone(), attempts, result });
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Json, Failure> {
        let json = Json::encode(value).map_err(|error| {
            let text = format!("the result of the step `{}` cannot be saved", self.policy.name);
            Failure::unreadable(Error::from(error).context(text))
        })?;
        let (len, limit) = (json.text().len(), self.cx.turn().scope.payload_limit);
        if len > limit {
            let text = format!(
                "the result of the step `{}` is {len} bytes long, over the limit of {limit}: save a reference to it instead, or raise the engine's payload limit",
                self.policy.name
            );
            return Err(Failure::failed(Error::msg(text)));
        }
        Ok(json)
    }

    async fn failed_before<T, E: StepError>(&self, error: &ErrorRecord, value: Option<&Json>) -> Result<T, E> {
        let cut = match (error.kind, value) {
            (ErrorKind::TimedOut, Some(value)) => value.decode().map(|cut: StepTimedOut| Error::from(cut)),
            (ErrorKind::Panicked, Some(value)) => value.decode().map(|cut: StepPanicked| Error::from(cut)),
            _ => match E::from_recorded(error, value) {
                Ok(error) => return Err(error),
                // The error's type has changed: its text is still worth more than a complaint about its shape.
                Err(_) => Ok(error.to_error()),
            },
        };
        match cut {
            Ok(cut) => self.cut(cut).await,
            Err(error) => self.unreadable(error).await,
        }
    }

    /// Gives the handler the error that stands for `cut`, or ends the handler with it where the step's type has none.
    async fn cut<T, E: StepError>(&self, cut: Error) -> Result<T, E> {
        if self.cx.turn().is_interrupted() {
            // It is recorded; what interrupts the handler goes before it.
            return pending().await;
        }
        match E::from_cut(cut) {
            Ok(error) => Err(error),
            Err(cut) => {
                self.cx.turn().fail(Failure::failed(cut));
                pending().await
            }
        }
    }

    async fn unreadable<T, E>(&self, error: JsonError) -> Result<T, E> {
        let text = format!("the recorded result of the step `{}` cannot be read", self.policy.name);
        self.cx.turn().fail(Failure::unreadable(Error::from(error).context(text)));
        pending().await
    }
}

impl Cut {
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        let (kind, message, value) = match self {
            Self::TimedOut(cut) => (ErrorKind::TimedOut, cut.to_string(), Json::encode(cut)),
            Self::Panicked(cut) => (ErrorKind::Panicked, cut.to_string(), Json::encode(cut)),
        };
        (ErrorRecord { kind, message, sources: Vec::new() }, value.ok())
    }

    fn into_error(self) -> Error {
        match self {
            Self::TimedOut(cut) => Error::from(cut),
            Self::Panicked(cut) => Error::from(cut),
        }
    }
}
