//! A call of a step: found in the journal, or run until there is a result to record.

use std::future::{Future, pending};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use super::attempt::Attempt;
use super::error::{StepError, StepPanicked, StepTimedOut};
use super::policy::StepPolicy;
use crate::base::Error;
use crate::machine::digest::Digest;
use crate::machine::{Cx, Failure};
use crate::record::{ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json, JsonError, UndoableCall};

/// One call of a step: its place in the journal is taken when this is made.
#[doc(hidden)]
#[derive(Debug)]
pub struct StepCall {
    pub(super) cx: Cx,
    pub(super) policy: &'static StepPolicy,
    key: String,
    /// What is saved before it runs, if it has an `undo`.
    undo: Option<UndoableCall>,
}

impl StepCall {
    /// Takes the place in the journal of a call with these arguments.
    #[must_use]
    pub fn new(cx: &Cx, policy: &'static StepPolicy, arguments: &Digest) -> Self {
        if let Some(key) = cx.key_again() {
            return Self::with_key(cx, policy, key.to_owned());
        }
        let key = cx.turn().claim(&format!("{}:{}:{:032x}", cx.caller(), policy.name, arguments.finish()));
        Self::with_key(cx, policy, key)
    }

    /// A call with this key, in a turn that makes it once.
    pub(in crate::machine) fn with_key(cx: &Cx, policy: &'static StepPolicy, key: String) -> Self {
        Self { cx: cx.clone(), policy, key, undo: None }
    }

    /// Has it say that it was started, and with which arguments, before it runs: it has an `undo`. Arguments that cannot
    /// be saved are a failure of the handler.
    #[must_use]
    pub fn undoable(mut self, args: Result<Vec<Json>, JsonError>) -> Self {
        if self.cx.key_again().is_some() {
            // It runs to be undone, and what is saved of it is still there.
            return self;
        }
        match args.and_then(|args| Json::encode(&args)) {
            Ok(args) => {
                let (step, edge_number) = (self.policy.name.to_owned(), self.cx.turn().scope.edge_number);
                self.undo = Some(UndoableCall { step, edge_number, args: Some(args), order: 0 });
            }
            Err(error) => {
                let text = format!("the arguments of the step `{}` cannot be saved", self.policy.name);
                self.cx.turn().fail(Failure::unreadable(Error::from(error).context(text)));
            }
        }
        self
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
                JournalResult::Started | JournalResult::Sleeping { .. } => {}
            }
        } else if self.undo.is_some() {
            if turn.is_interrupted() {
                return pending().await;
            }
            // Saved at the gate, with all results before it.
            self.record(0, JournalResult::Started);
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
                            let due = turn.scope.services.clock.now() + pause;
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

    fn record(&self, attempts: u32, result: JournalResult) {
        let undo = match &result {
            JournalResult::Failed { error, .. } if error.kind == ErrorKind::Failed => None,
            JournalResult::Done(_) => self.undo.clone().map(|call| UndoableCall { args: None, ..call }),
            _ => self.undo.clone(),
        };
        self.cx.turn().record(JournalEntry { undo, ..JournalEntry::new(&self.key, attempts, result) });
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Json, Failure> {
        let json = Json::encode(value).map_err(|error| {
            let text = format!("the result of the step `{}` cannot be saved", self.policy.name);
            Failure::unreadable(Error::from(error).context(text))
        })?;
        let (len, limit) = (json.text().len(), self.cx.turn().scope.services.payload_limit);
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
