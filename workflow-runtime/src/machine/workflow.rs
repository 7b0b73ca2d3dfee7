//! The workflow as a whole: what `#[workflow]` writes, and what drivers and libraries are generic over.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cx, Graph, State, Timer};
use crate::base::{Error, Name};
use crate::kernel::Decided;
use crate::record::{Json, JsonError, UndoRecord};

/// A workflow: a type whose fields are dependencies, and whose handlers make a checked machine. `#[workflow]` writes
/// this impl.
///
/// Libraries are written against this trait: it gives the graph, the typed state of any execution, and every transition
/// that there can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a workflow",
    label = "not a workflow",
    note = "put `#[workflow(start = …)]` on an `impl {Self}` block that holds its handlers"
)]
pub trait Workflow: Sized + Send + Sync + 'static {
    /// The persisted name: the type's identifier.
    const NAME: &'static str;
    /// States, handlers and edges, as declared.
    const GRAPH: &'static Graph;

    /// The state that an execution starts in.
    type Start: State;
    /// Every state, data inside.
    type State: WorkflowState;
    /// Every end state, data inside.
    type Outcome: Outcome<State = Self::State>;
    /// Every event that some state takes.
    type Event: WorkflowEvent;
    /// Every edge.
    type Transition: Transition;

    /// Runs the handler that `call` names. For drivers: use an engine or a stepper instead.
    fn run<'a>(&'a self, cx: &'a Cx, call: &'a HandlerCall) -> HandlerRun<'a>;

    /// Runs the undo of the step that `undo` names; `None` if the workflow has no such step, or one without an `undo`.
    /// For drivers.
    fn undo<'a>(&'a self, cx: &'a Cx, undo: &'a UndoRecord) -> Option<HandlerRun<'a>> {
        let _ = (cx, undo);
        None
    }

    /// The `#[catch]` handler of `state` that takes `error`, and the error as it is given to it. For drivers.
    fn catch(&self, state: &str, error: &Error) -> Option<(&'static str, Json)>;

    /// When `handler` is due in the state `state` with this data, where that hangs on the data. For drivers.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn timer(&self, handler: &str, state: &str, data: &Json) -> Result<Option<Timer>, Error> {
        let _ = (handler, state, data);
        Ok(None)
    }
}

/// The generated enum of a workflow's states: one variant per state, the data inside.
///
/// Its serde form is the state's persisted name and its data: `{"pending_payment": {…}}`.
pub trait WorkflowState: Sized + fmt::Debug + Serialize + DeserializeOwned + 'static {
    /// The persisted name of the state.
    fn name(&self) -> &'static str;

    /// Whether it is an end state.
    fn is_end(&self) -> bool;

    /// The data as it is persisted.
    ///
    /// # Errors
    /// If it has no JSON form.
    fn encode(&self) -> Result<Json, JsonError>;

    /// The state of this persisted name, current or old, with its data; `None` if the workflow has no such state.
    fn decode(name: &str, data: &Json) -> Option<Result<Self, JsonError>>;
}

/// The generated enum of a workflow's end states.
pub trait Outcome: Sized + fmt::Debug + Serialize + DeserializeOwned + 'static {
    /// The enum of all states.
    type State: WorkflowState;

    /// The outcome, if the state is an end state.
    ///
    /// # Errors
    /// Gives the state back if it is none.
    fn from_state(state: Self::State) -> Result<Self, Self::State>;
}

/// The generated enum of the events that a workflow takes.
pub trait WorkflowEvent: Sized + fmt::Debug + Serialize + DeserializeOwned + 'static {
    /// The persisted name of the event.
    fn name(&self) -> &'static str;

    /// The payload as it is persisted.
    ///
    /// # Errors
    /// If it has no JSON form.
    fn encode(&self) -> Result<Json, JsonError>;

    /// The event of this persisted name, current or old; `None` if no state of the workflow takes it.
    fn decode(name: &str, payload: &Json) -> Option<Result<Self, JsonError>>;
}

/// The generated enum of a workflow's edges: one fieldless variant for each.
pub trait Transition: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Every edge, in declaration order.
    const ALL: &'static [Self];

    /// The persisted name of the state that it leaves; the name of the group, if it is one of a group.
    fn from(self) -> &'static str;

    /// The persisted names of the states that it may leave: one, or those of the group. In a state that has an edge of its own
    /// for the same event, it is not taken, which [`Graph::edges`] knows.
    fn sources(self) -> &'static [&'static str];

    /// The persisted name of the state that it enters.
    fn to(self) -> &'static str;

    /// The handler that takes it.
    fn handler(self) -> &'static str;

    /// Whether everything is undone before the state is entered.
    fn unwinds(self) -> bool {
        false
    }

    /// What makes it fire.
    fn trigger(self) -> super::Trigger;
}

/// Says that some state of the workflow takes the event `E`, so that a misdirected send does not compile.
#[diagnostic::on_unimplemented(
    message = "no state of `{Self}` takes the event `{E}`",
    label = "`{E}` would never be taken",
    note = "add an edge for it to the `#[workflow]` impl: `#[on] fn name(&self, state: S, event: {E}) -> Target`, or wait for it in one: `cx.recv::<{E}>().await`"
)]
pub trait Accepts<E>: Workflow {
    /// The persisted name of the event.
    #[doc(hidden)]
    fn event_name() -> &'static str;

    /// The payload as it is persisted.
    #[doc(hidden)]
    fn encode_event(event: &E) -> Result<Json, JsonError>;

    /// What tells it from another one.
    #[doc(hidden)]
    fn event_key(event: &E) -> Option<String> {
        let _ = event;
        None
    }
}

/// An event that there never is.
#[doc(hidden)]
#[derive(Debug)]
pub enum NoEvent {}

// Of a workflow that takes a single event, rustc would conclude that every event sent is meant to be that one.
#[diagnostic::do_not_recommend]
impl<W: Workflow> Accepts<NoEvent> for W {
    fn event_name() -> &'static str {
        ""
    }

    fn encode_event(event: &NoEvent) -> Result<Json, JsonError> {
        match *event {}
    }
}

/// Another one: of a workflow that takes no event at all, rustc would conclude the same.
#[doc(hidden)]
#[derive(Debug)]
pub enum NoOtherEvent {}

#[diagnostic::do_not_recommend]
impl<W: Workflow> Accepts<NoOtherEvent> for W {
    fn event_name() -> &'static str {
        ""
    }

    fn encode_event(event: &NoOtherEvent) -> Result<Json, JsonError> {
        match *event {}
    }
}

/// What a handler decided.
pub enum Decision<W: Workflow> {
    /// Take the edge to this state.
    Goto(W::State),
    /// Have everything undone, then enter this state.
    Unwind(W::State),
    /// Keep the visit, with this data.
    Stay(W::State),
    /// Keep the visit, with this data, which has to be that of the present state: what a handler of a group decides.
    StayIn {
        /// The persisted name of the state that the data is of.
        state: &'static str,
        /// The data as it is persisted.
        data: Result<Json, JsonError>,
    },
    /// Keep the visit as it is.
    Wait,
    /// Answer the event, and do this.
    Reply {
        /// The answer as it is persisted.
        reply: Result<Json, JsonError>,
        /// What it decided besides.
        then: Box<Decision<W>>,
    },
    /// Refuse the event, and keep the visit as it is.
    Refuse {
        /// What the sender is told, as it is persisted.
        refusal: Result<Json, JsonError>,
    },
}

impl<W: Workflow> fmt::Debug for Decision<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Goto(state) => formatter.debug_tuple("Goto").field(state).finish(),
            Self::Unwind(state) => formatter.debug_tuple("Unwind").field(state).finish(),
            Self::Stay(state) => formatter.debug_tuple("Stay").field(state).finish(),
            Self::StayIn { state, .. } => formatter.debug_tuple("StayIn").field(state).finish(),
            Self::Wait => formatter.write_str("Wait"),
            Self::Reply { then, .. } => formatter.debug_tuple("Reply").field(then).finish(),
            Self::Refuse { .. } => formatter.write_str("Refuse"),
        }
    }
}

/// What a handler came to.
pub type Handled<W> = Result<Decision<W>, Error>;

/// Which handler is to run, over what.
#[derive(Debug, Clone)]
pub struct HandlerCall {
    /// The persisted name of the state.
    pub state: Name,
    /// The state's data.
    pub data: Json,
    /// The handler's name.
    pub handler: Name,
    /// The event or the caught error, where the handler takes one.
    pub payload: Option<Json>,
    /// What is to be undone, if no handler of the workflow is to run, but an undo.
    pub undo: Option<UndoRecord>,
}

/// A handler under way.
pub enum HandlerRun<'a> {
    /// It was pure and is done.
    Ready(Result<Decided, super::Failure>),
    /// It has effects.
    Future(Pin<Box<dyn Future<Output = Result<Decided, super::Failure>> + Send + 'a>>),
}

impl fmt::Debug for HandlerRun<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(result) => formatter.debug_tuple("Ready").field(result).finish(),
            Self::Future(_) => formatter.write_str("Future"),
        }
    }
}
