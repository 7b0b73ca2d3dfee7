//! The workflow as a whole: what `#[workflow]` writes, and what drivers and libraries are generic over.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::migrating::{Keep, Leap, read_state};
use super::pure::{self, Answers, Arrival, Arrived, Unanswered, not_taken};
use super::{Asks, Cx, Graph, Group, NotTaken, SavedTypes, State, Timer};
use crate::base::{Error, Name};
use crate::kernel::Decided;
use crate::record::{FIRST_VERSION, Json, JsonError, UndoRecord};

/// A workflow: a type whose fields are dependencies, and whose handlers make a checked machine. `#[workflow]` writes
/// this impl.
///
/// Libraries are written against this trait: it gives the graph, the typed state of any execution, and every transition
/// that there can be.
///
/// # Without an engine
///
/// Handlers without effects need no engine: [`take`](Self::take) goes from a state to the next one by a `match` that the
/// compiler sees through. It is synchronous, and allocates and encodes nothing.
///
/// ```
/// use workflow_runtime::NotTaken;
/// use workflow_runtime::prelude::*;
///
/// #[state] struct Locked { cents: u32 }
/// #[state] struct Unlocked;
/// #[state(end)] struct Removed;
/// #[event] struct Coin { cents: u32 }
/// #[event] struct Push;
/// #[event] struct Remove;
///
/// struct Turnstile { price: u32 }
///
/// #[workflow(start = Locked)]
/// impl Turnstile {
///     #[on(allow(endless_wait))]
///     fn coin(&self, locked: Locked, coin: Coin) -> Next<(Stay<Locked>, Unlocked)> {
///         let cents = locked.cents + coin.cents;
///         if cents < self.price { goto(Stay(Locked { cents })) } else { goto(Unlocked) }
///     }
///     #[on]
///     fn push(&self, _: Unlocked, _: Push) -> Locked { Locked { cents: 0 } }
///     #[after("1m")]
///     fn too_late(&self, _: Unlocked) -> Locked { Locked { cents: 0 } }
///     #[on]
///     fn remove(&self, _: TurnstileLive, _: Remove) -> Removed { Removed }
/// }
///
/// let turnstile = Turnstile { price: 50 };
/// let state = turnstile.enter(Locked { cents: 0 })?;
/// let state = turnstile.take(state, Coin { cents: 20 })?;
/// let state = turnstile.take(state, Coin { cents: 30 })?;
/// assert!(matches!(state, TurnstileState::Unlocked(_)));
/// let state = turnstile.fire(state, TurnstileTransition::TooLateToLocked)?;
///
/// // What has no edge gives the state back.
/// let Err(NotTaken::NoEdge { state, .. }) = turnstile.take(state, Push) else { panic!() };
/// let state = turnstile.take_any(state, TurnstileEvent::Remove(Remove))?;
/// assert!(state.is_end());
/// # workflow_runtime::Result::<()>::Ok(())
/// ```
///
/// What happens is what happens in an engine, as far as there are no effects:
///
/// | the handler | gives |
/// |---|---|
/// | goes to a state | that state, or where its pure entry handler leads, and so on |
/// | returns `Stay` | the state with the new data; its entry handler is not run again |
/// | returns `Wait`, or refuses | the state as it was. A copy is kept for that, so it has to be `Clone`: else [`NotTaken::NotClone`] |
/// | returns `Unwind` | that state: what has no effects leaves nothing to undo |
/// | answers | the next state; the answer as well with [`ask`](Self::ask) |
/// | returns an error | what a pure `#[catch]` makes of it, which may go through the error's saved form; else [`NotTaken::Failed`] |
/// | has effects | [`NotTaken::Effects`], with the state; as an entry handler, it is left for an engine to run |
///
/// A handler owns the state that it is given, so an error takes that along, unless a pure `#[catch]` may be for it and the
/// state is `Clone`. What the handler of a group stays in goes through its saved form.
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
    /// The version of the code: `version = …`. Executions of older ones are brought to it when they are next touched.
    const VERSION: u32 = FIRST_VERSION;
    /// Which code the executions of this version go on with, once there is a newer one beside it.
    const KEEP: Keep = Keep::No;
    /// How states of older versions are brought to this one.
    #[doc(hidden)]
    const MIGRATIONS: &'static [Leap] = &[];

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

    /// What a state of an older version has become: the migrations from there to the present version, as an execution goes
    /// through them. `state` is its persisted name, and `data` what was saved of it. Nothing else is run.
    ///
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// mod v1 {
    ///     use workflow_runtime::prelude::*;
    ///
    ///     #[state] pub struct Pending { euros: u32 }
    ///     #[state(group)] pub enum States { Pending(Pending) }
    ///
    ///     impl Pending {
    ///         pub fn cents(&self) -> u32 { self.euros * 100 }
    ///     }
    /// }
    ///
    /// #[state] pub struct Pending { cents: u32 }
    /// #[state(end)] pub struct Paid;
    /// #[event] pub struct Payment;
    ///
    /// pub struct Sale;
    ///
    /// #[workflow(start = Pending, version = 2, from(1 = v1::States))]
    /// impl Sale {
    ///     #[migrate(from = 1)]
    ///     fn to_cents(old: v1::Pending) -> Pending { Pending { cents: old.cents() } }
    ///     #[on(allow(endless_wait))]
    ///     fn paid(&self, _: Pending, _: Payment) -> Paid { Paid }
    /// }
    ///
    /// let old = workflow_runtime::Json::encode(&serde_json::json!({ "euros": 5 }))?;
    /// let SaleState::Pending(pending) = Sale::migrate(1, "pending", &old)? else { panic!() };
    /// assert_eq!(pending.cents, 500);
    /// # workflow_runtime::Result::<()>::Ok(())
    /// ```
    ///
    /// # Errors
    /// If the version is newer than the code or there is no way from there, the data does not fit its state, or a migration
    /// fails.
    fn migrate(version: u32, state: &str, data: &Json) -> Result<Self::State, Error> {
        read_state::<Self>(version, state, data)
    }

    /// Tells the types of all that is saved.
    #[doc(hidden)]
    fn saved_types<V: SavedTypes>(types: &mut V) {
        let _ = types;
    }

    /// The same of the states of an older version. `false` if nothing is known of them.
    #[doc(hidden)]
    fn old_types<V: SavedTypes>(version: u32, types: &mut V) -> bool {
        let _ = (version, types);
        false
    }

    /// Takes the edge of `state` for `event`, and gives the state in which the machine comes to rest: pure entry handlers
    /// on the way are run. See [above](#without-an-engine).
    ///
    /// # Errors
    /// If the state has no such edge, its handler has effects, or fails.
    #[inline]
    fn take<E>(&self, state: Self::State, event: E) -> Result<Self::State, NotTaken<Self::State>>
    where
        Self: Accepts<E>,
    {
        pure::settle(self, self.take_once(state, event, &mut Unanswered))
    }

    /// The same with any event of the workflow.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    #[inline]
    fn take_any(&self, state: Self::State, event: Self::Event) -> Result<Self::State, NotTaken<Self::State>> {
        pure::settle(self, self.take_any_once(state, event))
    }

    /// The same with what the edge answers, or refuses with.
    ///
    /// # Errors
    /// As [`take`](Self::take). What the edge's handler fails with is not caught.
    #[inline]
    fn ask<E>(&self, state: Self::State, question: E) -> pure::Answered<Self, E>
    where
        Self: Asks<E>,
    {
        pure::ask(self, state, question)
    }

    /// Takes the edge of a timer, as if it were due. Where its handler has several targets, any of its edges stands for
    /// all of them.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    #[inline]
    fn fire(&self, state: Self::State, timer: Self::Transition) -> Result<Self::State, NotTaken<Self::State>> {
        let taken = match self.take_named(timer.handler(), state, None) {
            Err(NotTaken::NoEdge { state, asked }) => Err(not_taken::<Self>(state, asked)),
            taken => taken,
        };
        pure::settle(self, taken)
    }

    /// Enters `state`, as an execution does that starts in it: runs its entry handler, if that is pure, and those of the
    /// states that it leads to. Without any, the state is given back as it is.
    ///
    /// # Errors
    /// If an entry handler fails.
    #[inline]
    fn enter(&self, state: impl Into<Self::State>) -> Result<Self::State, NotTaken<Self::State>> {
        pure::settle(self, Ok(Arrival::Entered(state.into())))
    }

    /// Runs the pure entry handler of `state`.
    #[doc(hidden)]
    #[inline]
    fn enter_once(&self, state: Self::State) -> Arrived<Self::State> {
        Err(NotTaken::NoEdge { state, asked: "" })
    }

    /// Takes the edge of any event.
    #[doc(hidden)]
    #[inline]
    fn take_any_once(&self, state: Self::State, event: Self::Event) -> Arrived<Self::State> {
        Err(not_taken::<Self>(state, event.name()))
    }

    /// Takes the edge of the timer or the `#[catch]` of this name.
    #[doc(hidden)]
    #[inline]
    fn take_named(&self, handler: &'static str, state: Self::State, payload: Option<&Json>) -> Arrived<Self::State> {
        let _ = payload;
        Err(NotTaken::NoEdge { state, asked: handler })
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

    /// The group of the state, if it is in that.
    #[doc(hidden)]
    fn narrow<G: Group>(self) -> Result<G, Self> {
        Err(self)
    }
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

    /// Takes the edge of `state` for it.
    #[doc(hidden)]
    #[inline]
    fn take_once<A: Answers>(&self, state: Self::State, event: E, answers: &mut A) -> Arrived<Self::State> {
        let _ = (event, answers);
        Err(not_taken::<Self>(state, Self::event_name()))
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
