//! What generated code calls. No part of the public interface: it changes without notice.
//!
//! The `Probe` types let generated code use what a type may or may not implement without demanding it: an inherent item
//! applies where the bound holds, and a trait's item of the same name where it does not. So one missing `#[state]` is
//! reported by the one assertion that demands it, and not by every line that was generated from the name.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use serde;

use super::{
    After, Catch, CatchError, Cx, Decided, Decision, Event, Failure, Handle, Handled, HandlerCall, HandlerError,
    HandlerRun, On, State, Workflow, WorkflowState,
};
use crate::base::Error;
pub use crate::record::{Json, JsonError};

pub use super::digest::{ArgProbe, Digest, UndigestedArg};
pub use super::step::{StepCall, StepPolicy};
pub use super::target::unions;
pub use crate::kernel::RetryPolicy;

/// What is known of a type that ought to be a state.
#[derive(Debug)]
pub struct StateProbe<T>(PhantomData<T>);

impl<T: State> StateProbe<T> {
    pub const IS_STATE: bool = true;
    pub const NAME: &'static str = T::NAME;
    pub const WAS: &'static [&'static str] = T::WAS;
    pub const END: bool = T::END;
    pub const DOC: &'static str = T::DOC;

    pub fn encode(state: &T) -> Result<Json, JsonError> {
        state.encode()
    }

    pub fn decode(json: &Json) -> Result<T, JsonError> {
        T::decode(json)
    }
}

/// The other side of [`StateProbe`]: code that does not compile anyway, because an assertion has failed.
pub trait NoState<T> {
    const IS_STATE: bool = false;
    const NAME: &'static str = "";
    const WAS: &'static [&'static str] = &[];
    const END: bool = false;
    const DOC: &'static str = "";

    fn encode(_: &T) -> Result<Json, JsonError> {
        Json::encode(&())
    }

    fn decode(_: &Json) -> Result<T, JsonError> {
        Err(no_such_type())
    }
}

impl<T> NoState<T> for StateProbe<T> {}

/// What is known of a type that ought to be an event.
#[derive(Debug)]
pub struct EventProbe<T>(PhantomData<T>);

impl<T: Event> EventProbe<T> {
    pub const IS_EVENT: bool = true;
    pub const NAME: &'static str = T::NAME;
    pub const WAS: &'static [&'static str] = T::WAS;

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

/// Demands that a handler's future is `Send`, where its state is: where it is not, the state has been reported.
#[derive(Debug)]
pub struct SendProbe<S>(PhantomData<S>);

impl<S: Send> SendProbe<S> {
    pub fn hold<F: Future + Send>(future: F) -> F {
        future
    }
}

/// The other side of [`SendProbe`].
pub trait NoSend<S> {
    fn hold<F: Future>(_: F) -> std::future::Pending<F::Output> {
        std::future::pending()
    }
}

impl<S> NoSend<S> for SendProbe<S> {}

/// What a field of a state or an event must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be persisted",
    label = "not serializable",
    note = "the data of a state or an event is saved as JSON: put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, or `#[serde(skip)]` on the field if it can be made anew"
)]
pub trait Persist {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Persist for T {}

/// What a field of a state or an event must be, besides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent between threads",
    label = "not `Send`",
    note = "an execution may go on in another thread after every await: use `Arc` instead of `Rc`, `Mutex` instead of `RefCell`"
)]
pub trait Portable {}

#[diagnostic::do_not_recommend]
impl<T: Send> Portable for T {}

/// A state that handlers may be written for.
pub const fn assert_persist<T: Persist + ?Sized>() {}
/// A field that may go to another thread.
pub const fn assert_portable<T: Portable + ?Sized>() {}
/// A type named as a state.
pub const fn assert_state<T: State>() {}
/// A type named as an event.
pub const fn assert_event<T: Event>() {}
/// A type named as a handler's error.
pub const fn assert_handler_error<E: HandlerError>() {}
/// A type named as the error of a `#[catch]` handler.
pub const fn assert_catch_error<E: CatchError>() {}
/// A type named as the error of a step.
pub const fn assert_step_error<E: super::StepError>() {}

/// The number that stands for a name in an [`EdgeKey`](super::EdgeKey): FNV-1a.
#[must_use]
pub const fn name_digest(name: &str) -> u64 {
    let mut bytes = name.as_bytes();
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    while let [byte, rest @ ..] = bytes {
        digest = (digest ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    digest
}

/// Whether two names are the same.
#[must_use]
pub const fn same_name(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return true,
            ([first, rest_of_left @ ..], [second, rest_of_right @ ..]) if *first == *second => {
                left = rest_of_left;
                right = rest_of_right;
            }
            _ => return false,
        }
    }
}

/// Whether `name` is one of `names`.
#[must_use]
pub const fn has_name(names: &[&str], name: &str) -> bool {
    let mut names = names;
    while let [first, rest @ ..] = names {
        if same_name(first, name) {
            return true;
        }
        names = rest;
    }
    false
}

/// Turns the error of a handler into the boxed one.
pub fn handler_error<E: HandlerError>(error: E) -> Error {
    error.into()
}

type Decode<T> = fn(&Json) -> Result<T, JsonError>;

/// Runs an entry handler.
pub fn run_entry<'a, W, S>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, decode: Decode<S>) -> HandlerRun<'a>
where
    W: Workflow,
    S: Handle<W> + 'a,
{
    match decode_state(call, decode) {
        Ok(state) => run(S::PURE, S::handle(workflow, cx, state)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// Runs an `#[on]` handler.
pub fn run_on<'a, W, S, E>(
    workflow: &'a W,
    cx: &'a Cx,
    call: &'a HandlerCall,
    decode: Decode<S>,
    decode_event: Decode<E>,
) -> HandlerRun<'a>
where
    W: Workflow,
    S: On<W, E> + 'a,
    E: 'a,
{
    match decode_state(call, decode).and_then(|state| Ok((state, decode_payload(call, decode_event)?))) {
        Ok((state, event)) => run(S::PURE, S::on(workflow, cx, state, event)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// Runs an `#[after]` handler.
pub fn run_after<'a, W, S, K>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, decode: Decode<S>) -> HandlerRun<'a>
where
    W: Workflow,
    S: After<W, K> + 'a,
    K: 'a,
{
    match decode_state(call, decode) {
        Ok(state) => run(S::PURE, S::after(workflow, cx, state)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// Runs a `#[catch]` handler.
pub fn run_catch<'a, W, S, E>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, decode: Decode<S>) -> HandlerRun<'a>
where
    W: Workflow,
    S: Catch<W, E> + 'a,
    E: CatchError + 'a,
{
    match decode_state(call, decode).and_then(|state| Ok((state, decode_payload(call, E::restore)?))) {
        Ok((state, error)) => run(S::PURE, S::catch(workflow, cx, state, error)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// What is run for a handler that the workflow does not have: older data, or a driver's mistake.
#[must_use]
pub fn run_unknown<'a>(call: &'a HandlerCall) -> HandlerRun<'a> {
    let text = format!(
        "the workflow has no handler `{}` for the state `{}`: it was removed or renamed while executions were in it",
        call.handler, call.state
    );
    HandlerRun::Ready(Err(Failure::unreadable(Error::msg(text))))
}

/// The first of `catches` that takes `error`.
#[must_use]
pub fn find_catch(
    error: &Error,
    catches: &[(&'static str, fn(&Error) -> Option<Json>)],
) -> Option<(&'static str, Json)> {
    catches.iter().find_map(|(handler, find)| Some((*handler, find(error)?)))
}

fn decode_state<S>(call: &HandlerCall, decode: Decode<S>) -> Result<S, Failure> {
    decode(&call.data).map_err(|error| {
        let error = Error::from(error).context(format!("the data of the state `{}` cannot be read", call.state));
        Failure::unreadable(error)
    })
}

fn decode_payload<T>(call: &HandlerCall, decode: Decode<T>) -> Result<T, Failure> {
    let Some(payload) = &call.payload else {
        let text = format!("the handler `{}` is to run without the event or error that it takes", call.handler);
        return Err(Failure::unreadable(Error::msg(text)));
    };
    decode(payload).map_err(|error| {
        let error = Error::from(error).context(format!("what the handler `{}` is given cannot be read", call.handler));
        Failure::unreadable(error)
    })
}

fn run<'a, W: Workflow>(pure: bool, handled: impl Future<Output = Handled<W>> + Send + 'a) -> HandlerRun<'a> {
    if pure {
        // A pure handler has nothing to wait for: one poll is all, and no box is needed.
        let mut handled = pin!(handled);
        return match handled.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(handled) => HandlerRun::Ready(decided(handled)),
            Poll::Pending => HandlerRun::Ready(Err(Failure::failed(Error::msg("a pure handler waits")))),
        };
    }
    let future: Pin<Box<dyn Future<Output = _> + Send + 'a>> = Box::pin(async move { decided(handled.await) });
    HandlerRun::Future(future)
}

fn decided<W: Workflow>(handled: Handled<W>) -> Result<Decided, Failure> {
    let unwritable = |state: &W::State, error: JsonError| {
        let error = Error::from(error).context(format!("the data of the state `{}` cannot be saved", state.name()));
        Failure::unreadable(error)
    };
    match handled.map_err(Failure::failed)? {
        Decision::Goto(state) => match state.encode() {
            Ok(data) => Ok(Decided::Goto { state: state.name(), data }),
            Err(error) => Err(unwritable(&state, error)),
        },
        Decision::Stay(state) => match state.encode() {
            Ok(data) => Ok(Decided::Stay { data }),
            Err(error) => Err(unwritable(&state, error)),
        },
        Decision::Wait => Ok(Decided::Wait),
    }
}

/// Writes the enum of states as `{"name": data}`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_variant<S: serde::Serializer>(
    serializer: S,
    name: &'static str,
    data: Result<Json, JsonError>,
) -> Result<S::Ok, S::Error> {
    use serde::ser::{Error as _, SerializeMap as _};
    let data = data.map_err(S::Error::custom)?;
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, &data)?;
    map.end()
}

/// Reads `{"name": data}`.
///
/// # Errors
/// If it is no such map, or `decode` does not know the name.
pub fn deserialize_variant<'de, D, T>(
    deserializer: D,
    decode: fn(&str, &Json) -> Option<Result<T, JsonError>>,
) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
{
    use serde::Deserialize as _;
    use serde::de::Error as _;
    let map = std::collections::BTreeMap::<String, Json>::deserialize(deserializer)?;
    let mut entries = map.iter();
    let (Some((name, data)), None) = (entries.next(), entries.next()) else {
        return Err(D::Error::custom("expected a map with one entry: a name and its data"));
    };
    match decode(name, data) {
        Some(Ok(value)) => Ok(value),
        Some(Err(JsonError::Decode(error) | JsonError::Encode(error))) => Err(D::Error::custom(error)),
        None => Err(D::Error::custom(format_args!("`{name}` is not a name that this workflow has"))),
    }
}

/// Writes the enum of states for `{:?}`: its data need not be `Debug`.
///
/// # Errors
/// Those of the formatter.
pub fn debug_variant(
    formatter: &mut std::fmt::Formatter<'_>,
    variant: &str,
    data: Result<Json, JsonError>,
) -> std::fmt::Result {
    match data {
        Ok(data) => write!(formatter, "{variant}({})", data.text()),
        Err(error) => write!(formatter, "{variant}(<{error}>)"),
    }
}
