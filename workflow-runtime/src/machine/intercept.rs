//! The hook for tests: sees what turns do, and may do some of it in their place.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::{Cx, Failure, HandlerCall, Services};
use crate::base::{Error, Name};
use crate::record::{ErrorRecord, ExecutionKey, Json};

/// Sees each handler and each attempt of a step that runs with these [`Services`](super::Services), and may answer in its place. Every method
/// has a default that changes nothing. What is behind the test kit: mocks, the counting of attempts, injected errors.
///
/// It is called on whatever thread runs the handler, and is not to block.
pub trait Interceptor: fmt::Debug + Send + Sync + 'static {
    /// A handler is to run. With an error, it does not, and has failed with that.
    fn handler(&self, run: &HandlerSeen<'_>) -> Option<Error> {
        let _ = run;
        None
    }

    /// A step is called with these arguments, whether it is to run or has a result. [`StepSeen::attempt`] is 0. Told to test kits
    /// that have asked for it, and to nobody else.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    fn called(&self, step: &StepSeen<'_>, arguments: &[serde_json::Value]) {
        let _ = (step, arguments);
    }

    /// An attempt of a step begins. With an answer, the step's own code does not run, and this is its result; its timeout and
    /// its retries are as they are.
    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let _ = step;
        None
    }

    /// An attempt runs in which nothing answers in place of the step, or runs no more: it has ended, or was dropped.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    fn running(&self, step: &StepSeen<'_>, runs: bool) {
        let _ = (step, runs);
    }

    /// An attempt has ended, and what came of it is about to be recorded. One that is cut off with its handler does not end.
    fn ended(&self, step: &StepSeen<'_>, result: Result<&Json, &ErrorRecord>) {
        let _ = (step, result);
    }

    /// The attempt that has just ended was the last one of its call, which has failed for good.
    fn failed_for_good(&self, step: &StepSeen<'_>) {
        let _ = step;
    }

    /// A call of a step was answered from the journal. [`StepSeen::attempt`] is 0.
    fn recalled(&self, step: &StepSeen<'_>) {
        let _ = step;
    }

    /// What chance decides in the call with this digest: the same whenever the same call is made. Without, it is left to
    /// chance.
    fn chance(&self, call: u128) -> Option<u64> {
        let _ = call;
        None
    }
}

/// What an attempt of a step comes to that did not run: asked for as the step would be, so that it may take its time.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What came of an attempt, said by an [`Interceptor`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// It succeeded, with the JSON of its output.
    Done(Json),
    /// It failed. This is a value of the step's own error type; of [`Error`] if that is the boxed one.
    Failed(Box<dyn Any + Send>),
    /// It panicked, and this is what it said.
    Panicked(String),
    /// It failed with this, whatever its type: with the error itself, if that is the boxed one; else as if it panicked, as
    /// its type has no other.
    Broken(Error),
}

/// A handler that is to run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HandlerSeen<'a> {
    /// The execution.
    pub key: &'a ExecutionKey,
    /// The persisted name of the state it is in.
    pub state: &'a str,
    /// The visit.
    pub visit: u64,
    /// The handler's name.
    pub handler: &'a str,
}

/// A call of a step.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct StepSeen<'a> {
    /// The execution.
    pub key: &'a ExecutionKey,
    /// The visit.
    pub visit: u64,
    /// Which taking of an edge it is for: [`edge_number`](crate::record::ExecutionRecord::edge_number).
    pub edge_number: u64,
    /// The handler that called it. For what is undone, this begins with `~undo:`.
    pub handler: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// The key of the call in the journal.
    pub call: &'a Name,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Whether the step has an `undo`.
    pub undoable: bool,
    /// What tells the call from every other of every execution: the number behind [`Cx::idempotency_key`].
    pub digest: u128,
}

impl Cx {
    /// The failure that an interceptor has in place of the handler that `call` names.
    pub(super) fn intercepted(&self, call: &HandlerCall) -> Option<Failure> {
        let scope = &self.turn().scope;
        scope.services.intercepted(&scope.key, scope.visit, call)
    }
}

impl Services {
    /// The failure that an interceptor has in place of the handler that `call` names.
    pub(crate) fn intercepted(&self, key: &ExecutionKey, visit: u64, call: &HandlerCall) -> Option<Failure> {
        let interceptor = self.interceptor.as_ref()?;
        let handler = call.undo.as_ref().map_or(Cow::Borrowed(&*call.handler), |undo| Cow::Owned(undo.handler()));
        let seen = HandlerSeen { key, state: &call.state, visit, handler: &handler };
        interceptor.handler(&seen).map(Failure::failed)
    }
}

impl<'a> StepSeen<'a> {
    pub(super) fn of(cx: &'a Cx, step: &'a str, call: &'a Name, attempt: u32, undoable: bool) -> Self {
        let scope = &cx.turn().scope;
        Self {
            key: &scope.key,
            visit: scope.visit,
            edge_number: scope.edge_number,
            handler: &scope.handler,
            step,
            call,
            attempt,
            undoable,
            digest: cx.call_digest(call),
        }
    }

    /// The text that the step is handed as its idempotency key.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{:032x}", self.digest)
    }
}
