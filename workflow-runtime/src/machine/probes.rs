//! What generated code asks of types that may or may not be what they ought to be.
//!
//! A probe lets generated code use what a type may implement without demanding it: an inherent item applies where the
//! bound holds, and a trait's item of the same name where it does not. So one missing `#[state]` is reported by the one
//! assertion that demands it, and not by every line that was generated from the name.

use std::future::{Future, Pending, pending};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::graph_check::StateFacts;
use super::private::{Lists, Persist};
use super::step::StepCall;
use super::variants::{Part, Reader};
use super::{
    AttributeInfo, CatchError, Cx, Decision, Described, Event, EventPolicy, HandlerInfo, Source, State, StepError,
    Workflow,
};
use crate::base::Error;
use crate::record::{Json, JsonError};

/// The other sides of the probes, to import where a probe is used; and short names for what is used for each state, as
/// every word of generated code takes the compiler's time.
pub mod fallbacks {
    pub use super::super::group::GroupProbe as __Group;
    pub use super::super::handler_probes::{
        AfterProbe as __AfterProbe, CatchProbe as __CatchProbe, EntryProbe as __EntryProbe, OnProbe as __OnProbe,
    };
    pub use super::super::private::debug_variant as __debug_variant;
    pub use super::super::target::unions::*;
    pub use super::{EventProbe as __Event, GotoProbe as __Goto, StateProbe as __State};

    pub use super::super::digest::UndigestedArg as _;
    pub use super::super::group::NoGroup as _;
    pub use super::super::handler_probes::{NoAccepts as _, NoAfter as _, NoCatch as _, NoEntry as _, NoOn as _};
    pub use super::super::migrating::NoVersionStates as _;
    pub use super::super::parallel::{NoBranchError as _, NoBranchValue as _, NoFailure as _, NoShare as _};
    pub use super::super::saved::{
        NoPartSaved as _, NoSavedAs as _, NoSavedEvents as _, NoSavedStates as _, NoSavedStep as _,
    };
    pub use super::super::undo::{NoPart as _, NoUndo as _, NotUndone as _};
    pub use super::{
        NoCatchError as _, NoEvent as _, NoEventOf as _, NoEventReader as _, NoGoto as _, NoHandler as _, NoJson as _,
        NoKeep as _, NoListedOf as _, NoPersistOf as _, NoSend as _, NoState as _, NoStateReader as _, NoStep as _,
    };
}

/// What is known of a type that ought to be a state.
#[derive(Debug)]
pub struct StateProbe<T>(PhantomData<T>);

impl<T: State> StateProbe<T> {
    pub const IS_STATE: bool = !T::REFUSED;
    pub const NAME: &'static str = T::NAME;
    pub const WAS: &'static [&'static str] = T::WAS;
    pub const END: bool = T::END;
    pub const ATTRIBUTES: &'static [AttributeInfo] = T::ATTRIBUTES;
    pub const PIVOT: bool = T::PIVOT;
    pub const DOC: &'static str = T::DOC;
    pub const FACTS: StateFacts = StateFacts {
        name: T::NAME,
        was: T::WAS,
        is_state: !T::REFUSED,
        end: T::END,
        pivot: T::PIVOT,
        attributes: T::ATTRIBUTES,
        doc: T::DOC,
        place: T::PLACE,
    };

    pub fn part(state: &T) -> Part {
        (T::NAME, state.encode())
    }

    pub fn encode(state: &T) -> Result<Json, JsonError> {
        state.encode()
    }

    pub fn decode(json: &Json) -> Result<T, JsonError> {
        T::decode(json)
    }

    pub fn read(_: &str, json: &Json) -> Result<T, JsonError> {
        T::decode(json)
    }
}

/// The other side of [`StateProbe`]: code that does not compile anyway, because an assertion has failed.
pub trait NoState<T> {
    const IS_STATE: bool = false;
    const NAME: &'static str = "";
    const WAS: &'static [&'static str] = &[];
    const END: bool = false;
    const ATTRIBUTES: &'static [AttributeInfo] = &[];
    const PIVOT: bool = false;
    const DOC: &'static str = "";
    const FACTS: StateFacts = StateFacts::NONE;

    fn part(_: &T) -> Part {
        ("", Json::encode(&()))
    }

    fn encode(_: &T) -> Result<Json, JsonError> {
        Json::encode(&())
    }

    fn decode(_: &Json) -> Result<T, JsonError> {
        Err(no_such_type())
    }

    fn read(_: &str, _: &Json) -> Result<T, JsonError> {
        Err(no_such_type())
    }
}

impl<T> NoState<T> for StateProbe<T> {}

/// Reads a state as a variant of the enum `E`.
#[derive(Debug)]
pub struct StateReader<E, T>(PhantomData<(E, T)>);

impl<E: From<T>, T: State> StateReader<E, T> {
    pub const READER: Reader<E> = Reader { name: T::NAME, was: T::WAS, read: |json| T::decode(json).map(E::from) };
}

/// The other side of [`StateReader`].
pub trait NoStateReader<E, T> {
    const READER: Reader<E> = Reader { name: "", was: &[], read: |_| Err(no_such_type()) };
}

impl<E, T> NoStateReader<E, T> for StateReader<E, T> {}

/// Reads an event as a variant of the enum `E`.
#[derive(Debug)]
pub struct EventReader<E, T>(PhantomData<(E, T)>);

impl<E: From<T>, T: Event> EventReader<E, T> {
    pub const READER: Reader<E> = Reader { name: T::NAME, was: T::WAS, read: |json| T::decode(json).map(E::from) };
}

/// The other side of [`EventReader`].
pub trait NoEventReader<E, T> {
    const READER: Reader<E> = Reader { name: "", was: &[], read: |_| Err(no_such_type()) };
}

impl<E, T> NoEventReader<E, T> for EventReader<E, T> {}

/// Copies a state, where it is `Clone`.
#[derive(Debug)]
pub struct KeepProbe<S>(PhantomData<S>);

impl<S: Clone> KeepProbe<S> {
    pub fn keep(state: &S) -> Option<S> {
        Some(state.clone())
    }
}

/// The other side of [`KeepProbe`].
pub trait NoKeep<S> {
    #[must_use]
    fn keep(_: &S) -> Option<S> {
        None
    }
}

impl<S> NoKeep<S> for KeepProbe<S> {}

/// What is known of a type that ought to be an event.
#[derive(Debug)]
pub struct EventProbe<T>(PhantomData<T>);

impl<T: Event> EventProbe<T> {
    pub const IS_EVENT: bool = true;
    pub const NAME: &'static str = T::NAME;
    pub const WAS: &'static [&'static str] = T::WAS;
    pub const DOC: &'static str = T::DOC;
    pub const POLICY: EventPolicy = T::POLICY;

    pub fn part(event: &T) -> Part {
        (T::NAME, event.encode())
    }

    pub fn key(event: &T) -> Option<String> {
        event.key()
    }

    pub fn encode(event: &T) -> Result<Json, JsonError> {
        event.encode()
    }

    pub fn decode(json: &Json) -> Result<T, JsonError> {
        T::decode(json)
    }
}

/// The other side of [`EventProbe`].
pub trait NoEvent<T> {
    const IS_EVENT: bool = false;
    const NAME: &'static str = "";
    const WAS: &'static [&'static str] = &[];
    const DOC: &'static str = "";
    const POLICY: EventPolicy = EventPolicy::Defer;

    fn part(_: &T) -> Part {
        ("", Json::encode(&()))
    }

    fn key(_: &T) -> Option<String> {
        None
    }

    fn encode(_: &T) -> Result<Json, JsonError> {
        Json::encode(&())
    }

    fn decode(_: &Json) -> Result<T, JsonError> {
        Err(no_such_type())
    }
}

impl<T> NoEvent<T> for EventProbe<T> {}

/// Writes and reads data whose type ought to be serializable.
#[derive(Debug)]
pub struct JsonProbe<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> JsonProbe<T> {
    pub fn encode(value: &T) -> Result<Json, JsonError> {
        Json::encode(value)
    }

    pub fn decode(json: &Json) -> Result<T, JsonError> {
        json.decode()
    }
}

/// The other side of [`JsonProbe`].
pub trait NoJson<T> {
    fn encode(_: &T) -> Result<Json, JsonError> {
        Json::encode(&())
    }

    fn decode(_: &Json) -> Result<T, JsonError> {
        Err(no_such_type())
    }
}

impl<T> NoJson<T> for JsonProbe<T> {}

fn no_such_type() -> JsonError {
    JsonError::Decode(serde::de::Error::custom("the type cannot be persisted"))
}

/// What a workflow's type has to be, in one word: to ask for both at each handler takes the compiler longer.
pub trait Shared: Send + Sync {}

impl<T: Send + Sync + ?Sized> Shared for T {}

/// Demands that a handler's future is `Send`, where its state is: where it is not, the state has been reported.
#[derive(Debug)]
pub struct SendProbe<S>(PhantomData<S>);

impl<S: Send> SendProbe<S> {
    pub fn pass<F: Future>(self, future: F) -> F {
        future
    }

    pub fn hold<F: Future + Send>(future: F) -> F {
        future
    }
}

/// The other side of [`SendProbe`].
pub trait NoSend<S>: Sized {
    fn pass<F: Future>(self, _: F) -> Pending<F::Output> {
        pending()
    }

    fn hold<F: Future>(_: F) -> Pending<F::Output> {
        pending()
    }
}

impl<S> NoSend<S> for SendProbe<S> {}

impl<S> SendProbe<S> {
    /// The same for one value more.
    pub fn and<T>(self, _: &T) -> SendProbe<(S, T)> {
        SendProbe(PhantomData)
    }
}

/// What is to be known of the arguments of a step.
#[must_use]
pub fn send_probe<S>() -> SendProbe<S> {
    SendProbe(PhantomData)
}

/// Demands that a type can be persisted, where it is `Send`: where it is not, that has been reported.
#[derive(Debug)]
pub struct PersistOf<T>(PhantomData<T>);

impl<T: Send> PersistOf<T> {
    pub fn assert_persist<U: Persist>() {}
}

/// The other side of [`PersistOf`].
pub trait NoPersistOf<T> {
    fn assert_persist<U>() {}
}

impl<T> NoPersistOf<T> for PersistOf<T> {}

/// Demands that a type is an event, where `S` is a state: where it is not, the arguments are in the wrong order.
#[derive(Debug)]
pub struct EventOf<S>(PhantomData<S>);

impl<S: Source> EventOf<S> {
    pub fn assert_event<E: Event>() {}
}

/// The other side of [`EventOf`].
pub trait NoEventOf<S> {
    fn assert_event<E>() {}
}

impl<S> NoEventOf<S> for EventOf<S> {}

/// Makes the decision to go to `T` or to stay in it, where the workflow has that state.
#[derive(Debug)]
pub struct GotoProbe<W, T>(PhantomData<(W, T)>);

impl<W: Workflow, T> GotoProbe<W, T>
where
    W::State: From<T>,
{
    pub fn goto(state: T) -> Decision<W> {
        Decision::Goto(state.into())
    }

    pub fn unwind(state: T) -> Decision<W> {
        Decision::Unwind(state.into())
    }

    pub fn stay(state: T) -> Decision<W> {
        Decision::Stay(state.into())
    }
}

/// The other side of [`GotoProbe`]: a part goes where the main impl does not say that it does, which is reported there.
pub trait NoGoto<W: Workflow, T> {
    fn goto(_: T) -> Decision<W> {
        Decision::Wait
    }

    fn unwind(_: T) -> Decision<W> {
        Decision::Wait
    }

    fn stay(_: T) -> Decision<W> {
        Decision::Wait
    }
}

impl<W: Workflow, T> NoGoto<W, T> for GotoProbe<W, T> {}

/// What is known of an error that is to be caught.
#[derive(Debug)]
pub struct CatchErrorProbe<E>(PhantomData<E>);

impl<E: CatchError> CatchErrorProbe<E> {
    pub fn find(error: &Error) -> Option<Json> {
        E::find(error)
    }

    pub fn restore(json: &Json) -> Result<E, JsonError> {
        E::restore(json)
    }
}

/// The other side of [`CatchErrorProbe`].
pub trait NoCatchError<E> {
    fn find(_: &Error) -> Option<Json> {
        None
    }

    fn restore(_: &Json) -> Result<E, JsonError> {
        Err(no_such_type())
    }
}

impl<E> NoCatchError<E> for CatchErrorProbe<E> {}

/// Runs a step that returns `R`, where that can be recorded.
#[derive(Debug)]
pub struct StepProbe<R>(PhantomData<R>);

impl<T: Serialize + DeserializeOwned, E: StepError> StepProbe<Result<T, E>> {
    pub fn once<F, A>(call: StepCall, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        F: FnOnce(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        call.once(attempt)
    }

    pub fn retried<F, A>(call: StepCall, attempt: F) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        call.retried(attempt)
    }

    pub fn retried_if<F, A>(call: StepCall, attempt: F, again: fn(&E) -> bool) -> impl Future<Output = Result<T, E>>
    where
        F: FnMut(Cx) -> A,
        A: Future<Output = Result<T, E>>,
    {
        call.retried_if(attempt, again)
    }
}

/// The other side of [`StepProbe`].
pub trait NoStep<R> {
    fn once<F: FnOnce(Cx) -> A, A: Future<Output = R>>(_: StepCall, _: F) -> Pending<R> {
        pending()
    }

    fn retried<F: FnMut(Cx) -> A, A: Future<Output = R>>(_: StepCall, _: F) -> Pending<R> {
        pending()
    }

    fn retried_if<F: FnMut(Cx) -> A, A: Future<Output = R>, E>(_: StepCall, _: F, _: fn(&E) -> bool) -> Pending<R> {
        pending()
    }
}

impl<R> NoStep<R> for StepProbe<R> {}

/// Demands that the main impl of `W` lists a handler, where there is a main impl.
#[derive(Debug)]
pub struct ListedOf<W>(PhantomData<W>);

impl<W: Workflow> ListedOf<W> {
    pub fn assert_listed<const HANDLER: u64>()
    where
        W: Lists<HANDLER>,
    {
    }
}

/// The other side of [`ListedOf`].
pub trait NoListedOf<W> {
    fn assert_listed<const HANDLER: u64>() {}
}

impl<W> NoListedOf<W> for ListedOf<W> {}

/// What is known of a handler that a part ought to describe.
#[derive(Debug)]
pub struct HandlerProbe<S, K>(PhantomData<(S, K)>);

impl<S: Described<K>, K> HandlerProbe<S, K> {
    pub const HANDLER: HandlerInfo = S::HANDLER;
    pub const KNOWN: Option<HandlerInfo> = if S::REFUSED { None } else { Some(S::HANDLER) };
}

/// The other side of [`HandlerProbe`].
pub trait NoHandler<S, K> {
    const HANDLER: HandlerInfo = HandlerInfo::declare("", super::Trigger::Entry, "", &[], "", "", 0);
    const KNOWN: Option<HandlerInfo> = None;
}

impl<S, K> NoHandler<S, K> for HandlerProbe<S, K> {}
