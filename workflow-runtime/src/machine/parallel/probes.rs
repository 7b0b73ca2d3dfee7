//! What generated code asks of the types in a parallel function, whatever they can do.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::Error;
use crate::machine::StepError;
use crate::record::{ErrorKind, ErrorRecord, Json};

/// The error of a branch.
#[derive(Debug)]
pub struct BranchErrorProbe<E>(PhantomData<E>);

impl<E: StepError> BranchErrorProbe<E> {
    /// The error for people.
    pub fn describe(error: &E) -> ErrorRecord {
        error.to_recorded().0
    }

    /// The error that stands for what no branch said, where the type has one.
    ///
    /// # Errors
    /// The same error, where it has none.
    pub fn cut(error: Error) -> Result<E, Error> {
        E::from_cut(error)
    }
}

/// The other side of [`BranchErrorProbe`].
pub trait NoBranchError<E> {
    /// That there was an error.
    fn describe(_: &E) -> ErrorRecord {
        let message = format!("it failed with a `{}`", std::any::type_name::<E>());
        ErrorRecord { kind: ErrorKind::Failed, message, sources: Vec::new() }
    }

    /// Gives the error back.
    ///
    /// # Errors
    /// Always.
    fn cut(error: Error) -> Result<E, Error> {
        Err(error)
    }
}

impl<E> NoBranchError<E> for BranchErrorProbe<E> {}

/// What a branch comes to.
#[derive(Debug)]
pub struct BranchValueProbe<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> BranchValueProbe<T> {
    /// The value as it is recorded.
    pub fn encode(value: &T) -> Option<Json> {
        Json::encode(value).ok()
    }

    /// The value that was recorded.
    pub fn decode(json: &Json) -> Option<T> {
        json.decode().ok()
    }
}

/// The other side of [`BranchValueProbe`]: a value that cannot be recorded, and is found out again.
pub trait NoBranchValue<T> {
    /// Nothing.
    fn encode(_: &T) -> Option<Json> {
        None
    }

    /// Nothing.
    fn decode(_: &Json) -> Option<T> {
        None
    }
}

impl<T> NoBranchValue<T> for BranchValueProbe<T> {}

/// What a branch has bound: a failure, if it is the `Err` of a `Result`.
#[derive(Debug)]
pub struct FailureProbe<'a, T>(pub &'a T);

impl<T, E: StepError> FailureProbe<'_, Result<T, E>> {
    /// The error for people.
    #[must_use]
    pub fn failure(&self) -> Option<ErrorRecord> {
        self.0.as_ref().err().map(|error| error.to_recorded().0)
    }
}

/// The other side of [`FailureProbe`]: what is no `Result` has not failed.
pub trait NoFailure {
    /// Nothing.
    #[must_use]
    fn failure(&self) -> Option<ErrorRecord> {
        None
    }
}

impl<T> NoFailure for &FailureProbe<'_, T> {}

/// A binding that several branches use: each has one of its own if the type can be cloned, else they borrow it.
#[derive(Debug)]
pub struct ShareProbe<'a, T>(pub &'a T);

impl<T: Clone> ShareProbe<'_, T> {
    /// One more.
    pub fn share(&self) -> T {
        self.0.clone()
    }
}

/// The other side of [`ShareProbe`].
pub trait NoShare<'a, T> {
    /// The one there is.
    fn share(&self) -> &'a T;
}

impl<'a, T> NoShare<'a, T> for &ShareProbe<'a, T> {
    fn share(&self) -> &'a T {
        self.0
    }
}
