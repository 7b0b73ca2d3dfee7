//! What an interceptor sees of a call, and says in its place.

use std::any::Any;
use std::pin::pin;

use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span};

use super::StepCall;
use super::attempt::Failed;
use super::error::{Cut, StepError};
use super::scope::StepScope;
use crate::base::Error;
#[cfg(any(test, feature = "testing"))]
use crate::machine::digest::Digest;
#[cfg(any(test, feature = "testing"))]
use crate::machine::intercept::Interceptor;
use crate::machine::intercept::{Answer, Answering, StepSeen};
use crate::record::{ErrorRecord, JournalResult, Json};

/// What is said of an error of another type than the step's.
pub(crate) const NOT_ITS_ERROR: &str = "the error in place of the step is not of the type of its errors";

/// An attempt that is the step's own.
#[cfg(any(test, feature = "testing"))]
pub(super) struct Running<'a> {
    interceptor: &'a dyn Interceptor,
    step: StepSeen<'a>,
}

#[cfg(any(test, feature = "testing"))]
impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.interceptor.running(&self.step, false);
    }
}

impl StepCall {
    fn seen(&self, attempt: u32) -> StepSeen<'_> {
        StepSeen::of(&self.cx, &self.name, &self.key, attempt, self.undo.is_some())
    }

    /// Tells what the call was made with.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn called(&self, arguments: &Digest) {
        if let Some(interceptor) = &self.cx.turn().scope.services.interceptor
            && !arguments.arguments().is_empty()
        {
            interceptor.called(&self.seen(0), arguments.arguments());
        }
    }

    /// Tells of an attempt that begins.
    pub(super) fn began(&self, attempt: u32) -> Option<Answering> {
        let interceptor = self.cx.turn().scope.services.interceptor.as_ref()?;
        interceptor.began(&self.seen(attempt))
    }

    /// Tells of an attempt that is the step's own, and, when this is dropped, that it is no more.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn running(&self, attempt: u32) -> Option<Running<'_>> {
        let interceptor = &**self.cx.turn().scope.services.interceptor.as_ref()?;
        let step = self.seen(attempt);
        interceptor.running(&step, true);
        Some(Running { interceptor, step })
    }

    /// Tells what came of an attempt.
    pub(super) fn ended(&self, attempt: u32, result: Result<&Json, &ErrorRecord>) {
        if let Some(interceptor) = &self.cx.turn().scope.services.interceptor {
            interceptor.ended(&self.seen(attempt), result);
        }
    }

    /// Tells that there is no further attempt after this one, which failed.
    pub(super) fn failed_for_good(&self, attempt: u32) {
        if let Some(interceptor) = &self.cx.turn().scope.services.interceptor {
            interceptor.failed_for_good(&self.seen(attempt));
        }
    }

    /// Tells that the call has a result in the journal.
    pub(super) fn recalled(&self, result: &JournalResult) {
        if let Some(interceptor) = &self.cx.turn().scope.services.interceptor
            && matches!(result, JournalResult::Done(_) | JournalResult::Failed { .. })
        {
            interceptor.recalled(&self.seen(0));
        }
    }

    /// The part of the pause after this attempt that is left to chance.
    pub(super) fn jitter(&self, attempt: u32) -> f64 {
        let digest = || self.cx.call_digest(&format!("{}:{attempt}", self.key));
        match self.cx.turn().scope.services.chance(digest) {
            Some(number) => fastrand::Rng::with_seed(number).f64(),
            None => fastrand::f64(),
        }
    }

    /// An attempt that is answered for: its limits in time are those of any.
    pub(super) async fn answered<T: DeserializeOwned, E: StepError>(
        &self,
        scope: &StepScope,
        answering: Answering,
        span: &Span,
    ) -> Result<T, Failed<E>> {
        let answering = async { Ok::<_, Error>(answering.await) };
        let answer = self.attempt(scope, pin!(answering.instrument(span.clone()))).await;
        let mistaken = |what: &str| Failed::Cut(Cut::panicked(&self.name, what));
        match answer {
            Ok(Answer::Done(json)) => json.decode().map_err(|error| {
                mistaken(&format!("the answer in place of the step is not of the type of its output: {error}"))
            }),
            Ok(Answer::Failed(error)) => Err(match (error as Box<dyn Any>).downcast::<E>() {
                Ok(error) => Failed::Own(*error),
                Err(_) => mistaken(NOT_ITS_ERROR),
            }),
            Ok(Answer::Panicked(message)) => Err(mistaken(&message)),
            Ok(Answer::Broken(error)) => {
                let message = error.to_string();
                Err(E::from_cut(error).map_or_else(|_| mistaken(&message), Failed::Own))
            }
            Err(Failed::Cut(cut)) => Err(Failed::Cut(cut)),
            Err(Failed::Own(error)) => Err(mistaken(&error.to_string())),
        }
    }
}
