//! The types of what a workflow saves, told one after the other.
//!
//! What is generated names each type once, in a generic function: whoever wants to know them (the schema lock, in tests)
//! brings the code that looks at them, and a program that does not ask has none of it.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::probes::StepProbe;
use super::{Event, State, StepError};

/// What is saved under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saved {
    /// The data of a state.
    State,
    /// The payload of an event.
    Event,
    /// What an event is answered with.
    Reply,
    /// What an event is refused with.
    Refusal,
    /// The result of a step.
    Step,
    /// The final error of a step.
    Error,
    /// The arguments of a step that can be undone.
    Undo,
}

/// Is told the types that a workflow saves.
pub trait SavedTypes {
    /// One of them, and the name that it is saved under.
    fn saved<T: DeserializeOwned>(&mut self, what: Saved, name: &'static str);

    /// The names that a state or a step had before.
    fn renamed(&mut self, what: Saved, name: &'static str, was: &'static [&'static str]);
}

/// Types that are told of together, as each path in generated code takes time to compile: a tuple of states or events.
pub trait SavedStates {
    /// Tells of them.
    fn tell<V: SavedTypes>(types: &mut V);
}

/// The same of events.
pub trait SavedEvents {
    /// Tells of them.
    fn tell<V: SavedTypes>(types: &mut V);
}

macro_rules! together {
    ($($ty:ident)*) => {
        impl<$($ty: State + DeserializeOwned),*> SavedStates for ($($ty,)*) {
            fn tell<V: SavedTypes>(types: &mut V) {
                $(
                    types.saved::<$ty>(Saved::State, $ty::NAME);
                    types.renamed(Saved::State, $ty::NAME, $ty::WAS);
                )*
            }
        }

        impl<$($ty: Event + DeserializeOwned),*> SavedEvents for ($($ty,)*) {
            fn tell<V: SavedTypes>(types: &mut V) {
                $(types.saved::<$ty>(Saved::Event, $ty::NAME);)*
            }
        }
    };
}

together!(A);
together!(A B);
together!(A B C);
together!(A B C D);
together!(A B C D E);
together!(A B C D E F);
together!(A B C D E F G);
together!(A B C D E F G H);

/// Tells of states, where they can be read: where one cannot, that has been reported.
#[derive(Debug)]
pub struct SavedProbe<T>(PhantomData<T>);

impl<T: SavedStates> SavedProbe<T> {
    pub fn states<V: SavedTypes>(types: &mut V) {
        T::tell(types);
    }
}

/// The other side of [`SavedProbe`].
pub trait NoSavedStates<T> {
    fn states<V>(_: &mut V) {}
}

impl<T> NoSavedStates<T> for SavedProbe<T> {}

/// Tells of events, where they can be read.
#[derive(Debug)]
pub struct SavedEventsProbe<T>(PhantomData<T>);

impl<T: SavedEvents> SavedEventsProbe<T> {
    pub fn events<V: SavedTypes>(types: &mut V) {
        T::tell(types);
    }
}

/// The other side of [`SavedEventsProbe`].
pub trait NoSavedEvents<T> {
    fn events<V>(_: &mut V) {}
}

impl<T> NoSavedEvents<T> for SavedEventsProbe<T> {}

/// Tells of a type that may be none at all, where it can be read.
#[derive(Debug)]
pub struct SavedAs<T>(PhantomData<T>);

impl<T: DeserializeOwned> SavedAs<T> {
    pub fn tell<V: SavedTypes>(types: &mut V, what: Saved, name: &'static str) {
        types.saved::<T>(what, name);
    }
}

/// The other side of [`SavedAs`].
pub trait NoSavedAs<T> {
    fn tell<V>(_: &mut V, _: Saved, _: &'static str) {}
}

impl<T> NoSavedAs<T> for SavedAs<T> {}

/// The steps of a part, reached by the [key](super::EdgeKey) of a handler in it.
pub trait PartSaved<W, K> {
    /// Tells of them.
    fn saved<V: SavedTypes>(types: &mut V);
}

/// Tells of the steps of a part, if this is the handler that has them.
#[derive(Debug)]
pub struct PartSavedProbe<W, S, K>(PhantomData<(W, S, K)>);

impl<W, S: PartSaved<W, K>, K> PartSavedProbe<W, S, K> {
    pub fn saved<V: SavedTypes>(types: &mut V) {
        S::saved(types);
    }
}

/// The other side of [`PartSavedProbe`].
pub trait NoPartSaved<W, S, K> {
    fn saved<V>(_: &mut V) {}
}

impl<W, S, K> NoPartSaved<W, S, K> for PartSavedProbe<W, S, K> {}

impl<T: Serialize + DeserializeOwned, E: StepError> StepProbe<Result<T, E>> {
    pub fn saved<V: SavedTypes>(types: &mut V, name: &'static str) {
        types.saved::<T>(Saved::Step, name);
        E::saved(types, name);
    }
}

/// The other side of [`StepProbe`], for this.
pub trait NoSavedStep<R> {
    fn saved<V>(_: &mut V, _: &'static str) {}
}

impl<R> NoSavedStep<R> for StepProbe<R> {}
