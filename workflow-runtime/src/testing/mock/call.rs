//! A call of a step that was mocked.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::machine::StepSeen;
use crate::record::ExecutionKey;

/// A call of a step, as its mock has seen it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MockCall {
    /// The execution.
    pub key: ExecutionKey,
    /// The visit.
    pub visit: u64,
    /// The handler that called it. For what is undone, this begins with `~undo:`.
    pub handler: String,
    /// The attempt of the call, from 1.
    pub attempt: u32,
    /// Which attempt this is of all that the mock has seen, from 1.
    pub number: u64,
    /// What it was called with, as JSON, after the context. An argument that is not serializable (a client, a pool) is null. Empty for
    /// an undo, which is given the output of its step.
    pub arguments: Vec<Value>,
    digest: u128,
}

impl MockCall {
    pub(super) fn new(step: &StepSeen<'_>, number: u64, arguments: Vec<Value>) -> Self {
        Self {
            key: step.key.clone(),
            visit: step.visit,
            handler: step.handler.to_owned(),
            attempt: step.attempt,
            number,
            arguments,
            digest: step.digest,
        }
    }

    /// The caller's name for the execution.
    #[must_use]
    pub fn id(&self) -> &str {
        self.key.id.as_str()
    }

    /// What the step was handed as its idempotency key.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{:032x}", self.digest)
    }

    /// The argument in this place after the context, from 0.
    ///
    /// # Panics
    /// If there is none, or it is no `T`.
    #[track_caller]
    #[must_use]
    pub fn argument<T: DeserializeOwned>(&self, place: usize) -> T {
        let Some(argument) = self.arguments.get(place) else {
            panic!("the call has {} arguments after the context, and none in place {place}", self.arguments.len());
        };
        match serde_json::from_value(argument.clone()) {
            Ok(argument) => argument,
            Err(error) => panic!("the argument {argument} cannot be read as a {}: {error}", std::any::type_name::<T>()),
        }
    }

    pub(super) fn digest(&self) -> u128 {
        self.digest
    }
}
