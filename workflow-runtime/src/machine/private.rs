//! What generated code calls. No part of the public interface: it changes without notice.

use std::future::Future;
use std::pin::Pin;

use serde::de::DeserializeOwned;

pub use serde::{self, Deserialize, Deserializer, Serialize, Serializer};
pub use workflow_macros::picture;

use super::{
    After, Catch, CatchError, Cx, Decided, Decision, Described, Failure, Handle, Handled, HandlerCall, HandlerError,
    HandlerRun, On, State, Timer, Workflow, WorkflowState,
};
use crate::base::Error;
pub use crate::record::{Json, JsonError, UndoRecord};

pub use super::digest::{ArgProbe, Digest, UndigestedArg};
pub use super::edge_table::{EdgeTable, TableEdge, edge, edges};
pub use super::fields::{read_fields, write_fields};
pub use super::graph_check::{
    GroupFacts, Judged, Place, StateFacts, Ways, clashes, differs, event_place, judge, place, source, state_info,
};
pub use super::graph_told::{
    refuse, tell_at_handler, tell_at_name, tell_end, tell_entered, tell_event, tell_shared, tell_target, tell_wait,
};
pub use super::group::{GroupProbe, NoGroup, Source, first_of, narrow, of_member};
pub use super::handler_probes::*;
pub use super::migrating::{Leap, Migration, VersionProbe, assert_state_of, assert_states, migrated, read_old};
pub use super::migrating_told::{tell_twice, tell_unmigrated};
pub use super::parallel::*;
pub use super::probes::*;
pub use super::pure::{Answers, Arrival, Arrived, Keep, Member, Unanswered, member};
pub use super::saved::{PartSaved, PartSavedProbe, Saved, SavedAs, SavedEventsProbe, SavedProbe, SavedTypes};
pub use super::step::{StepCall, StepPolicy, blocking, blocking_free};
pub use super::target::AnyTargets;
pub use super::timer::{DelayOf, DueAt, at_field, delay_of};
pub use super::type_place::{TypePlace, type_place};
pub use super::undo::*;
pub use super::variants::{Part, Reader, is_state_of, names, read_state_of, read_variant};
pub use crate::kernel::MigratedState;
pub use crate::kernel::{Jitter, JoinRule, RetryPolicy};

/// What a field of a state or an event must be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be persisted",
    label = "not serializable",
    note = "the data of a state or an event is saved as JSON: put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, or `#[serde(skip)]` on the field if it can be made anew"
)]
pub trait Persist {}

#[diagnostic::do_not_recommend]
#[doc(hidden)]
impl<T: Serialize + DeserializeOwned> Persist for T {}

/// What a field of a state or an event must be, besides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent between threads",
    label = "not `Send`",
    note = "an execution may go on in another thread after every await: use `Arc` instead of `Rc`, `Mutex` instead of `RefCell`"
)]
pub trait Portable {}

#[diagnostic::do_not_recommend]
#[doc(hidden)]
impl<T: Send> Portable for T {}

/// What a step must return inside its `Result`.
#[diagnostic::on_unimplemented(
    message = "the result of a step cannot be `{Self}`",
    label = "not serializable",
    note = "a step's result is recorded as JSON, so that it is not run again after a crash: put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, or return only the part of it that is needed later"
)]
pub trait StepValue: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> StepValue for T {}

/// What a step must return.
#[diagnostic::on_unimplemented(
    message = "a step returns `Result<T>` or `Result<T, E>`, not `{Self}`",
    label = "not a `Result`",
    note = "a step's success or failure is recorded, so it has to be one of the two"
)]
pub trait StepResult {
    /// What is in `Ok`.
    type Value;
    /// What is in `Err`.
    type Error;
}

impl<T, E> StepResult for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// What an event may be answered or refused with.
#[diagnostic::on_unimplemented(
    message = "an event cannot be answered with `{Self}`",
    label = "not serializable",
    note = "an answer is saved as JSON, so that it is the same for whoever asks again: put `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`"
)]
pub trait AnswerValue {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> AnswerValue for T {}

/// What an event is answered or refused with.
pub const fn assert_answer<T: AnswerValue>() {}

/// What the field of an event must be that is its key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an event",
    label = "not text",
    note = "a key is kept as text: name a field that implements `std::fmt::Display`, such as a `String` or a number"
)]
pub trait KeyText {
    /// The key.
    fn key_text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: std::fmt::Display> KeyText for T {
    fn key_text(&self) -> String {
        self.to_string()
    }
}

/// What is decided besides an answer.
pub fn boxed<T>(decision: T) -> Box<T> {
    Box::new(decision)
}

/// The text of a key.
pub type Text = String;

/// The key of an event.
pub fn key_text<T: KeyText>(field: &T) -> Option<String> {
    Some(field.key_text())
}

/// What is handed to a step by value, and so is needed again for each attempt.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is handed to a step by value, and the step is retried",
    label = "needed again for each attempt",
    note = "take `&{Self}`, or put `#[derive(Clone)]` on `{Self}`"
)]
pub trait Again: Sized {
    /// One more.
    fn again(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {
    fn again(&self) -> Self {
        self.clone()
    }
}

/// What every branch of a parallel function is given.
#[diagnostic::on_unimplemented(
    message = "each branch needs a `{Self}` of its own",
    label = "handed to every branch",
    note = "put `#[derive(Clone)]` on `{Self}`, or take an `Arc` of it"
)]
pub trait AgainForBranch: Sized {
    /// One more.
    fn again(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> AgainForBranch for T {
    fn again(&self) -> Self {
        self.clone()
    }
}

/// One more of an argument, for a branch.
pub fn again_for_branch<T: AgainForBranch>(argument: &T) -> T {
    argument.again()
}

/// One more of an argument.
pub fn again<T: Again>(argument: &T) -> T {
    argument.again()
}

/// What a workflow as one function takes by value as `#[dep]`.
#[diagnostic::on_unimplemented(
    message = "the dependency `{Self}` is taken by value, so each execution needs one",
    label = "cannot be cloned",
    note = "take `&{Self}` or an `Arc<{Self}>`, or put `#[derive(Clone)]` on `{Self}`"
)]
pub trait Dependency: Sized {
    /// One more.
    fn another(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Dependency for T {
    fn another(&self) -> Self {
        self.clone()
    }
}

/// One more of a dependency.
pub fn dependency<T: Dependency>(dependency: &T) -> T {
    dependency.another()
}

/// Says that the main impl of a workflow lists a handler in its `include(…)`. `HANDLER` is the digest of its name.
#[diagnostic::on_unimplemented(
    message = "the main impl of `{Self}` does not include this handler",
    label = "it would never run",
    note = "list it in the main impl: `#[workflow(start = …, include(on name(State, Event) -> Target))]`"
)]
pub trait Lists<const HANDLER: u64> {}

/// A field that may go to another thread.
pub const fn assert_portable<T: Portable + ?Sized>() {}
/// An argument of a step, which may go to another thread.
pub const fn assert_portable_argument<T: Portable>(_: &T) {}
/// A field that executions can be searched by.
pub const fn attribute<T: super::Attribute>(name: &'static str) -> super::AttributeInfo {
    super::AttributeInfo::declare(name, T::KIND)
}
/// A type named as a state.
pub const fn assert_state<T: State>() {}
/// A type named as what a handler is for.
pub const fn assert_source<T: Source>() {}
/// A type named as a handler's error.
pub const fn assert_handler_error<E: HandlerError>() {}
/// A type named as the error of a `#[catch]` handler.
pub const fn assert_catch_error<E: CatchError>() {}
/// A type named as the error of a step.
pub const fn assert_step_error<E: super::StepError>() {}

/// What a step returns inside its `Result`.
pub const fn assert_step_value<T: StepValue>() {}
/// A handler that a part describes.
pub const fn assert_described<S: Described<K>, K>() {}
/// A type that a part is of.
pub const fn assert_workflow<W: Workflow>() {}

/// Turns the error of a handler into the boxed one.
pub fn handler_error<E: HandlerError>(error: E) -> Error {
    error.into()
}

/// The handler that `call` names.
#[must_use]
pub fn handler_name(call: &HandlerCall) -> &str {
    &call.handler
}

/// Whether `name` is the current name.
#[must_use]
pub fn is_name(name: &str, current: &str, _: &[&str]) -> bool {
    name == current
}

/// Whether `name` is an old name.
#[must_use]
pub fn is_old_name(name: &str, _: &str, was: &[&str]) -> bool {
    was.contains(&name)
}

pub(super) type FindError = fn(&Error) -> Option<Json>;

pub type Decode<T> = fn(&Json) -> Result<T, JsonError>;

/// What comes of writing with this serializer.
pub type Wrote<S> = Result<<S as Serializer>::Ok, <S as Serializer>::Error>;

/// What comes of reading with this deserializer.
pub type Took<'de, T, D> = Result<T, <D as Deserializer<'de>>::Error>;

/// A name or a text, in short, as every word of generated code takes the compiler's time.
pub type Str = &'static str;

/// What becomes of data that is persisted.
pub type Encoded = Result<Json, JsonError>;

/// What becomes of data that is read.
pub type Decoded<T> = Result<T, JsonError>;

/// Reads a state, or a group, from the persisted name of the state and its data.
pub type Read<T> = fn(&str, &Json) -> Result<T, JsonError>;

/// Runs an entry handler.
pub fn run_entry<'a, W, S>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, read: Read<S>) -> HandlerRun<'a>
where
    W: Workflow,
    S: Handle<W> + 'a,
{
    match read_state(call, read) {
        Ok(state) if S::PURE => HandlerRun::Ready(decided(call, S::decide(workflow, state))),
        Ok(state) => run(call, S::handle(workflow, cx, state)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// Runs an `#[on]` handler.
pub fn run_on<'a, W, S, E>(
    workflow: &'a W,
    cx: &'a Cx,
    call: &'a HandlerCall,
    read: Read<S>,
    decode_event: Decode<E>,
) -> HandlerRun<'a>
where
    W: Workflow,
    S: On<W, E> + 'a,
    E: 'a,
{
    match read_state(call, read).and_then(|state| Ok((state, decode_payload(call, decode_event)?))) {
        Ok((state, event)) if S::PURE => {
            let mut answer = Answered::default();
            let handled = S::decide(workflow, state, event, &mut answer);
            HandlerRun::Ready(decided(call, handled).and_then(|then| answer.besides(then)))
        }
        Ok((state, event)) => run(call, S::on(workflow, cx, state, event)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// Runs an `#[after]` handler.
pub fn run_after<'a, W, S, K>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, read: Read<S>) -> HandlerRun<'a>
where
    W: Workflow,
    S: After<W, K> + 'a,
    K: 'a,
{
    match read_state(call, read) {
        Ok(state) if S::PURE => HandlerRun::Ready(decided(call, S::decide(workflow, state))),
        Ok(state) => run(call, S::after(workflow, cx, state)),
        Err(failure) => HandlerRun::Ready(Err(failure)),
    }
}

/// When an edge is due, as the state's data says.
///
/// # Errors
/// If the data cannot be read.
pub fn timer_of<W, S, K>(workflow: &W, state: &str, data: &Json, read: Read<S>) -> Result<Option<Timer>, Error>
where
    W: Workflow,
    S: After<W, K>,
{
    match read(state, data) {
        Ok(state) => Ok(S::timer(workflow, &state)),
        Err(error) => Err(Error::from(error).context(format!("the data of the state `{state}` cannot be read"))),
    }
}

/// Runs a `#[catch]` handler.
pub fn run_catch<'a, W, S, E>(
    workflow: &'a W,
    cx: &'a Cx,
    call: &'a HandlerCall,
    read: Read<S>,
    restore: Decode<E>,
) -> HandlerRun<'a>
where
    W: Workflow,
    S: Catch<W, E> + 'a,
    E: 'a,
{
    match read_state(call, read).and_then(|state| Ok((state, decode_payload(call, restore)?))) {
        Ok((state, error)) if S::PURE => HandlerRun::Ready(decided(call, S::decide(workflow, state, error))),
        Ok((state, error)) => run(call, S::catch(workflow, cx, state, error)),
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
pub fn find_catch(error: &Error, catches: &[(&'static str, FindError)]) -> Option<(&'static str, Json)> {
    catches.iter().find_map(|(handler, find)| Some((*handler, find(error)?)))
}

fn read_state<S>(call: &HandlerCall, read: Read<S>) -> Result<S, Failure> {
    read(&call.state, &call.data).map_err(|error| {
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

fn run<'a, W: Workflow>(
    call: &'a HandlerCall,
    handled: impl Future<Output = Handled<W>> + Send + 'a,
) -> HandlerRun<'a> {
    let future: Pin<Box<dyn Future<Output = _> + Send + 'a>> = Box::pin(async move { decided(call, handled.await) });
    HandlerRun::Future(future)
}

/// What a handler without effects answers, as it is persisted.
#[derive(Default)]
struct Answered(Option<Result<Result<Json, JsonError>, Result<Json, JsonError>>>);

impl Answers for Answered {
    fn reply<R: 'static>(&mut self, reply: R, encode: fn(&R) -> Result<Json, JsonError>) {
        self.0 = Some(Ok(encode(&reply)));
    }

    fn refuse<R: 'static>(&mut self, refusal: R, encode: fn(&R) -> Result<Json, JsonError>) {
        self.0 = Some(Err(encode(&refusal)));
    }
}

impl Answered {
    /// The answer, and what was decided besides.
    fn besides(self, then: Decided) -> Result<Decided, Failure> {
        match self.0 {
            None => Ok(then),
            Some(Ok(Ok(reply))) => Ok(Decided::Reply { reply, then: Box::new(then) }),
            Some(Err(Ok(refusal))) => Ok(Decided::Refuse { refusal }),
            Some(Ok(Err(error))) => Err(unanswerable("answer", error)),
            Some(Err(Err(error))) => Err(unanswerable("refusal", error)),
        }
    }
}

fn unanswerable(what: &str, error: JsonError) -> Failure {
    Failure::unreadable(Error::from(error).context(format!("the {what} cannot be saved")))
}

fn decided<W: Workflow>(call: &HandlerCall, handled: Handled<W>) -> Result<Decided, Failure> {
    let unwritable = |state: &W::State, error: JsonError| {
        let error = Error::from(error).context(format!("the data of the state `{}` cannot be saved", state.name()));
        Failure::unreadable(error)
    };
    match handled.map_err(Failure::failed)? {
        Decision::Goto(state) => match state.encode() {
            Ok(data) => Ok(Decided::Goto { state: state.name(), data }),
            Err(error) => Err(unwritable(&state, error)),
        },
        Decision::Unwind(state) => match state.encode() {
            Ok(data) => Ok(Decided::Unwind { state: state.name(), data }),
            Err(error) => Err(unwritable(&state, error)),
        },
        Decision::Stay(state) => match state.encode() {
            Ok(data) => Ok(Decided::Stay { data }),
            Err(error) => Err(unwritable(&state, error)),
        },
        Decision::StayIn { state, data } => {
            if W::GRAPH.state(&call.state).is_none_or(|present| present.name != state) {
                let (handler, present) = (&call.handler, &call.state);
                let text = format!(
                    "the handler `{handler}` stays in `{present}` with data of `{state}`: return `{state}` to go there"
                );
                return Err(Failure::failed(Error::msg(text)));
            }
            match data {
                Ok(data) => Ok(Decided::Stay { data }),
                Err(error) => {
                    let context = format!("the data of the state `{state}` cannot be saved");
                    Err(Failure::unreadable(Error::from(error).context(context)))
                }
            }
        }
        Decision::Wait => Ok(Decided::Wait),
        Decision::Reply { reply, then } => {
            let reply = reply.map_err(|error| unanswerable("answer", error))?;
            Ok(Decided::Reply { reply, then: Box::new(decided(call, Ok(*then))?) })
        }
        Decision::Refuse { refusal } => {
            let refusal = refusal.map_err(|error| unanswerable("refusal", error))?;
            Ok(Decided::Refuse { refusal })
        }
    }
}

/// Writes the enum of states as `{"name": data}`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_variant<S: Serializer>(serializer: S, (name, data): Part) -> Result<S::Ok, S::Error> {
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
    D: Deserializer<'de>,
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
        Some(Err(error @ JsonError::TooDeep { .. })) => Err(D::Error::custom(error)),
        None => Err(D::Error::custom(format_args!("`{name}` is not a name that this workflow has"))),
    }
}

/// Writes the enum of states for `{:?}`: its data need not be `Debug`.
///
/// # Errors
/// Those of the formatter.
pub fn debug_variant(formatter: &mut std::fmt::Formatter<'_>, (variant, data): Part) -> std::fmt::Result {
    match data {
        Ok(data) => write!(formatter, "{variant}({})", data.text()),
        Err(error) => write!(formatter, "{variant}(<{error}>)"),
    }
}
