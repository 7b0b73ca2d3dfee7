//! A call of a step: found in the journal, or run until there is a result to record.

use std::borrow::Cow;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span};

use super::attempt::Failed;
use super::error::{Cut, StepError};
use super::heartbeat::{Heartbeat, details_entry, details_key};
use super::policy::{Policy, StepPolicy};
use super::scope::StepScope;
use crate::base::{Error, Name};
use crate::machine::digest::Digest;
use crate::machine::{Cx, Failure};
use crate::record::{ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json, JsonError, UndoableCall};

/// One call of a step: its place in the journal is taken when this is made.
#[doc(hidden)]
#[derive(Debug)]
pub struct StepCall {
    pub(super) cx: Cx,
    pub(super) name: Cow<'static, str>,
    pub(super) policy: Policy,
    /// Whether it has a place among those that can be limited.
    pub(super) has_limits: bool,
    pub(super) key: Name,
    /// What is saved before it runs, if it has an `undo`, and why it cannot be.
    pub(super) undo: Option<Box<UndoableCall>>,
    unsaveable: Option<Failure>,
}

/// The key under an old name of the step, where something is recorded under that: so that it is found, and what was
/// running when the name changed keeps its idempotency key.
fn key_of_old(cx: &Cx, key: Name, policy: &StepPolicy, arguments: &Digest) -> Name {
    let Some((_, count)) = key.rsplit_once(':') else { return key };
    let old =
        policy.was.iter().map(|was| Name::from(&format!("{}:{was}:{}:{count}", cx.caller(), arguments.hex().text())));
    old.into_iter().find(|old| cx.turn().claim_old(old)).unwrap_or(key)
}

impl StepCall {
    /// Takes the place in the journal of a call with these arguments.
    #[must_use]
    pub fn new(cx: &Cx, policy: &'static StepPolicy, arguments: &Digest) -> Self {
        Self { has_limits: true, ..Self::named(cx, Cow::Borrowed(policy.name), policy, arguments) }
    }

    pub(super) fn named(cx: &Cx, name: Cow<'static, str>, policy: &'static StepPolicy, arguments: &Digest) -> Self {
        let policy = Policy::Declared(policy);
        let key = match cx.key_again() {
            Some(key) => key.into(),
            None => {
                let key = cx.turn().claim(&[cx.caller(), &name, arguments.hex().text()]);
                match policy.was.is_empty() {
                    true => key,
                    false => key_of_old(cx, key, &policy, arguments),
                }
            }
        };
        let call = Self { cx: cx.clone(), name, policy, has_limits: false, key, undo: None, unsaveable: None };
        #[cfg(any(test, feature = "testing"))]
        call.called(arguments);
        call
    }

    /// The call of a step that is made once in its turn, and needs no arguments to be told from others.
    pub(in crate::machine) fn with_key(cx: &Cx, policy: &'static StepPolicy, key: Name) -> Self {
        Self {
            cx: cx.clone(),
            name: Cow::Borrowed(policy.name),
            policy: Policy::Declared(policy),
            has_limits: false,
            key,
            undo: None,
            unsaveable: None,
        }
    }

    /// Has it say that it was started, and with which arguments, before it runs: it has an `undo`. Arguments that cannot
    /// be saved are a failure of the handler.
    #[must_use]
    pub fn undoable(mut self, args: Result<Vec<Json>, JsonError>) -> Self {
        if self.cx.key_again().is_some() {
            // It runs to be undone, and what is saved of it is still there.
            return self;
        }
        match self.saveable("arguments", args.and_then(|args| Json::encode(&args))) {
            Ok(args) => {
                let (step, edge_number) = (Name::from(&*self.name), self.cx.turn().scope.edge_number);
                self.undo = Some(Box::new(UndoableCall { step, edge_number, args: Some(args), order: 0 }));
            }
            Err(failure) => self.unsaveable = Some(failure),
        }
        self
    }

    /// Runs a step that is not retried, unless its result is recorded.
    ///
    /// # Errors
    /// The step's own.
    pub fn once<T, E, F, A>(self, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnOnce(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        let mut attempt = Some(attempt);
        self.run(move |cx| attempt.take().map(|attempt| attempt(cx)), |_| false)
    }

    /// Runs a step until it succeeds or no attempt is left, unless its result is recorded.
    ///
    /// # Errors
    /// The step's own, of the last attempt.
    pub fn retried<T, E, F, A>(self, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnMut(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        self.retried_if(attempt, |_| true)
    }

    /// As [`retried`](Self::retried), but not after an error that `again` says no to. An attempt that was cut off is tried
    /// again whatever it says.
    ///
    /// # Errors
    /// The step's own, of the last attempt.
    pub fn retried_if<T, E, F, A>(
        self,
        mut attempt: F,
        again: impl Fn(&E) -> bool,
    ) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnMut(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        self.run(move |cx| Some(attempt(cx)), again)
    }

    async fn run<T, E, F, A>(mut self, mut start: F, again: impl Fn(&E) -> bool) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: StepError,
        F: FnMut(Cx) -> Option<A>,
        A: Future<Output = Result<T, E>>,
    {
        let unsaveable = self.unsaveable.take();
        let turn = self.cx.turn();
        let mut failed = 0;
        if let Some(entry) = turn.recorded(&self.key) {
            self.recalled(&entry.result);
            match entry.result {
                JournalResult::Done(value) => match value.decode() {
                    Ok(value) => return Ok(value),
                    Err(error) => return self.unreadable(error).await,
                },
                JournalResult::Failed { error, value } => return self.failed_before(&error, value.as_ref()).await,
                JournalResult::Retrying { due, .. } => {
                    failed = entry.attempts;
                    turn.sleep_until(due, &self.key).await;
                }
                JournalResult::Started
                | JournalResult::Sleeping { .. }
                | JournalResult::Received { .. }
                | JournalResult::Child { .. }
                | JournalResult::Flag { .. }
                | JournalResult::Parallel(_)
                | JournalResult::Branch(_) => {}
            }
        }
        if let Some(failure) = unsaveable {
            turn.fail(failure);
            return pending().await;
        }
        loop {
            let mut permit = self.admitted().await;
            if self.undo.is_some() && turn.recorded(&self.key).is_none() {
                if turn.is_interrupted() {
                    return pending().await;
                }
                // Saved at the gate, with all results before it.
                self.record(0, JournalResult::Started);
            }
            self.gate(&mut permit).await;
            let Some(in_flight) = turn.attempt(self.policy.cancel) else { continue };
            let number = failed + 1;
            let scope = self.scope(number);
            let span = self.span(number);
            let ended = if let Some(answering) = self.began(number) {
                self.answered(&scope, answering, &span).await
            } else {
                let Some(attempt) = start(self.cx.in_step(&scope)) else {
                    return self.cut(Error::msg("a step without `retry` was to be tried again")).await;
                };
                #[cfg(any(test, feature = "testing"))]
                let _running = self.running(number);
                // It stays in one place, as it may be large, and is gone before anything else is done.
                let attempt = pin!(attempt.instrument(span.clone()));
                self.attempt(&scope, attempt).await
            };
            if let Some(permit) = permit {
                let (failed, overload) = self.verdict(ended.as_ref().err(), &again);
                permit.end(failed, overload);
            }
            let failure = match ended {
                Ok(value) => {
                    match self.encode(&value) {
                        Ok(json) => {
                            self.ended(number, Ok(&json));
                            self.record(number, JournalResult::Done(json));
                        }
                        Err(failure) => {
                            turn.fail(failure);
                            return pending().await;
                        }
                    }
                    drop(in_flight);
                    return self.unless_interrupted(Ok(value)).await;
                }
                Err(failure) => failure,
            };
            failed = number;
            let (error, value) = failure.to_recorded();
            self.ended(number, Err(&error));
            if let Some(pause) = self.pause(failed, &failure, &again) {
                span.in_scope(|| tracing::warn!(%error, ?pause, "the step failed and is tried again"));
                let due = turn.scope.services.clock.now() + pause;
                if let Some(details) = scope.heartbeat.take_unsaved() {
                    turn.record(details_entry(&self.key, details));
                }
                self.record(failed, JournalResult::Retrying { error, due });
                drop(in_flight);
                turn.sleep_until(due, &self.key).await;
                turn.begin_attempt(&self.key);
                continue;
            }
            span.in_scope(|| tracing::warn!(%error, "the step failed for good"));
            self.failed_for_good(failed);
            self.record(failed, JournalResult::Failed { error, value });
            drop(in_flight);
            return match failure {
                Failed::Own(error) => self.unless_interrupted(Err(error)).await,
                Failed::Cut(cut) => self.cut(cut.into_error()).await,
            };
        }
    }

    /// What the context of an attempt knows.
    fn scope(&self, attempt: u32) -> Arc<StepScope> {
        let turn = self.cx.turn();
        let previous = match turn.details(|| details_key(&self.key)).map(|entry| entry.result) {
            Some(JournalResult::Done(details)) => Some(details),
            _ => None,
        };
        let heartbeat = Heartbeat::new(&*turn.scope.services.clock, self.policy.heartbeat, previous);
        Arc::new(StepScope { key: self.key.clone(), attempt, heartbeat })
    }

    fn span(&self, attempt: u32) -> Span {
        tracing::info_span!(
            "step",
            step = &*self.name,
            attempt,
            workflow = self.cx.workflow(),
            execution = %self.cx.id(),
        )
    }

    /// Whether an attempt counts as failed for the breaker, and whether it took too long. Where the step says which errors
    /// are worth another attempt, the others say something of the call, and nothing of the service.
    fn verdict<E>(&self, failure: Option<&Failed<E>>, again: impl Fn(&E) -> bool) -> (bool, bool) {
        match failure {
            None => (false, false),
            Some(Failed::Own(error)) => (!self.policy.names_variants() || again(error), false),
            Some(Failed::Cut(cut)) => (true, cut.took_too_long()),
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn pause<E>(&self, failed: u32, failure: &Failed<E>, again: impl Fn(&E) -> bool) -> Option<Duration> {
        let may_go_on = match failure {
            Failed::Own(error) => again(error),
            Failed::Cut(_) => true,
        };
        self.policy.retry.filter(|_| may_go_on)?.pause(failed, self.jitter(failed))
    }

    /// Gives the handler its result, which is recorded, unless the handler is not to go on.
    async fn unless_interrupted<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        match self.cx.turn().is_interrupted() {
            true => pending().await,
            false => result,
        }
    }

    fn record(&self, attempts: u32, result: JournalResult) {
        let undo = match &result {
            JournalResult::Failed { error, .. } if error.kind == ErrorKind::Failed => None,
            JournalResult::Done(_) => self.undo.as_ref().map(|call| UndoableCall { args: None, ..(**call).clone() }),
            _ => self.undo.as_deref().cloned(),
        };
        self.cx.turn().record(JournalEntry { undo, ..JournalEntry::new(&self.key, attempts, result) });
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Json, Failure> {
        self.saveable("result", Json::encode(value))
    }

    /// Unless it cannot be saved, or is too long for it.
    fn saveable(&self, what: &str, json: Result<Json, JsonError>) -> Result<Json, Failure> {
        let json = json.map_err(|error| {
            let text = format!("the {what} of the step `{}` cannot be saved", self.name);
            Failure::unreadable(Error::from(error).context(text))
        })?;
        let (len, limit) = (json.text().len(), self.cx.turn().scope.services.payload_limit);
        if len > limit {
            let text = format!(
                "the {what} of the step `{}` is {len} bytes long, over the limit of {limit}: save a reference to it instead, or raise the engine's payload limit",
                self.name
            );
            return Err(Failure::failed(Error::msg(text)));
        }
        Ok(json)
    }

    async fn failed_before<T, E: StepError>(&self, error: &ErrorRecord, value: Option<&Json>) -> Result<T, E> {
        match Cut::from_recorded(error, value) {
            Ok(Some(cut)) => return self.cut(cut.into_error()).await,
            Ok(None) => {}
            Err(error) => return self.unreadable(error).await,
        }
        match E::from_recorded(error, value) {
            Ok(error) => Err(error),
            // The error's type has changed: its text is still worth more than a complaint about its shape.
            Err(_) => self.cut(error.to_error()).await,
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
        let text = format!("the recorded result of the step `{}` cannot be read", self.name);
        self.cx.turn().fail(Failure::unreadable(Error::from(error).context(text)));
        pending().await
    }
}
