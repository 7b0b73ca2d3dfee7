//! A machine without an engine: transitions as plain function calls, over the generated enums.
//!
//! Generated code has one `match` for each event, whose arms are the handlers without effects. What is here is generic
//! over it, and is compiled into it: no transition allocates, boxes or encodes anything.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use super::{Asks, Decision, Handled, Trigger, Workflow, WorkflowState};
use crate::base::Error;
use crate::record::{Json, JsonError};

/// Why no edge was taken: an error of [`Workflow::take`] and its like.
///
/// The state comes back wherever no handler was given it.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotTaken<S: WorkflowState> {
    /// The state has no edge for it. An engine would keep, refuse or forget such an event, as its policy says.
    NoEdge {
        /// The state, as it was.
        state: S,
        /// The name of the event, or of the handler.
        asked: &'static str,
    },
    /// The edge's handler has effects: an [`Engine`](crate::Engine) or a [`Stepper`](crate::Stepper) runs it.
    Effects {
        /// The state, as it was.
        state: S,
        /// The handler.
        handler: &'static str,
    },
    /// The handler may leave the state as it was, by `Wait` or a refusal. As it is given the state by value, a copy is to
    /// be kept meanwhile.
    NotClone {
        /// The state, as it was.
        state: S,
        /// The handler.
        handler: &'static str,
    },
    /// The handler failed, and no `#[catch]` without effects takes the error.
    Failed {
        /// The handler.
        handler: &'static str,
        /// What it failed with.
        error: Error,
        /// The state that it was given, where that is `Clone` and a `#[catch]` might have taken it.
        state: Option<S>,
    },
}

impl<S: WorkflowState> fmt::Display for NotTaken<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEdge { state, asked } => {
                write!(formatter, "the state `{}` has no edge for `{asked}`", state.name())
            }
            Self::Effects { state, handler } => {
                let state = state.name();
                write!(formatter, "the handler `{handler}` of `{state}` has effects: an engine or a `Stepper` runs it")
            }
            Self::NotClone { state, handler } => {
                let state = state.name();
                write!(
                    formatter,
                    "the handler `{handler}` may leave the state `{state}` as it was, which is not `Clone`: derive that, or return `Stay`"
                )
            }
            Self::Failed { handler, .. } => write!(formatter, "the handler `{handler}` failed"),
        }
    }
}

impl<S: WorkflowState> StdError for NotTaken<S> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed { error, .. } => error.chain().next(),
            Self::NoEdge { .. } | Self::Effects { .. } | Self::NotClone { .. } => None,
        }
    }
}

impl<S: WorkflowState> NotTaken<S> {
    /// The state, as it was; `None` if the handler that failed was given it.
    #[must_use]
    pub fn into_state(self) -> Option<S> {
        match self {
            Self::NoEdge { state, .. } | Self::Effects { state, .. } | Self::NotClone { state, .. } => Some(state),
            Self::Failed { state, .. } => state,
        }
    }
}

/// Where an edge has led.
#[derive(Debug)]
pub enum Arrival<S> {
    /// Into this state, whose entry handler is to run.
    Entered(S),
    /// It has kept the visit.
    Kept(S),
}

/// What taking an edge has come to.
pub type Arrived<S> = Result<Arrival<S>, NotTaken<S>>;

/// What is kept of the state that a handler is given by value.
#[derive(Debug)]
pub enum Keep<S> {
    /// Nothing, as the handler leaves the state in any case.
    Nothing,
    /// A copy if that can be made, as an edge might catch what the handler fails with.
    ForCatch(fn(&S) -> Option<S>),
    /// A copy, as the handler may leave the state as it was.
    ForWait(fn(&S) -> Option<S>),
}

// Whatever the state is.
impl<S> Clone for Keep<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Keep<S> {}

/// What becomes of the answer of an edge.
pub trait Answers {
    /// The edge answers.
    fn reply<R: 'static>(&mut self, reply: R, encode: fn(&R) -> Result<Json, JsonError>);

    /// The edge refuses.
    fn refuse<R: 'static>(&mut self, refusal: R, encode: fn(&R) -> Result<Json, JsonError>);
}

/// Nobody waits for the answer.
#[derive(Debug)]
pub struct Unanswered;

impl Answers for Unanswered {
    #[inline]
    fn reply<R: 'static>(&mut self, _: R, _: fn(&R) -> Result<Json, JsonError>) {}

    #[inline]
    fn refuse<R: 'static>(&mut self, _: R, _: fn(&R) -> Result<Json, JsonError>) {}
}

/// Whoever asks waits for it: `R`, or the refusal `F`.
struct Asked<R, F>(Option<Result<R, F>>);

impl<R: 'static, F: 'static> Answers for Asked<R, F> {
    #[inline]
    fn reply<A: 'static>(&mut self, reply: A, _: fn(&A) -> Result<Json, JsonError>) {
        self.0 = same(reply).map(Ok);
    }

    #[inline]
    fn refuse<A: 'static>(&mut self, refusal: A, _: fn(&A) -> Result<Json, JsonError>) {
        self.0 = same(refusal).map(Err);
    }
}

/// The value, as what it is by another name.
#[inline]
fn same<A: 'static, B: 'static>(value: A) -> Option<B> {
    let mut value = Some(value);
    let value: &mut dyn Any = &mut value;
    value.downcast_mut::<Option<B>>().and_then(Option::take)
}

/// Hands a state to the handler of its edge.
#[inline]
pub(super) fn decide_in<W, S>(
    state: S,
    handler: &'static str,
    keep: Keep<S>,
    decide: impl FnOnce(S) -> Handled<W>,
) -> Arrived<W::State>
where
    W: Workflow,
    W::State: From<S>,
{
    let kept = match keep {
        Keep::Nothing => None,
        Keep::ForCatch(copy) => copy(&state),
        Keep::ForWait(copy) => match copy(&state) {
            Some(kept) => Some(kept),
            None => return Err(NotTaken::NotClone { state: state.into(), handler }),
        },
    };
    arrived(decide(state), handler, || kept.map(W::State::from))
}

/// Whether a state is in the group that a handler is for.
#[derive(Debug)]
pub enum Member<S: WorkflowState, G> {
    /// It is, and a copy of it is kept where one is needed.
    In(G, Option<S>),
    /// It is not.
    NotIn(S),
    /// It is, and the handler cannot be run here.
    Refused(NotTaken<S>),
}

/// Puts a state into the group that a handler is for.
#[inline]
pub fn member<W: Workflow, G>(
    state: W::State,
    pure: bool,
    handler: &'static str,
    narrow: fn(W::State) -> Result<G, W::State>,
    keep: Keep<W::State>,
) -> Member<W::State, G> {
    let kept = match keep {
        _ if !pure => None,
        Keep::Nothing => None,
        Keep::ForCatch(copy) | Keep::ForWait(copy) => copy(&state),
    };
    let is_missing = matches!(keep, Keep::ForWait(_)) && kept.is_none();
    if !pure || is_missing {
        let mut handlers = W::GRAPH.handlers_of(state.name());
        return match handlers.any(|of_state| of_state.name == handler) {
            true if pure => Member::Refused(NotTaken::NotClone { state, handler }),
            true => Member::Refused(NotTaken::Effects { state, handler }),
            false => Member::NotIn(state),
        };
    }
    match narrow(state) {
        Ok(group) => Member::In(group, kept),
        Err(state) => Member::NotIn(state),
    }
}

#[inline]
pub(super) fn arrived<W: Workflow>(
    handled: Handled<W>,
    handler: &'static str,
    kept: impl FnOnce() -> Option<W::State>,
) -> Arrived<W::State> {
    match handled {
        Ok(Decision::Goto(state) | Decision::Unwind(state)) => Ok(Arrival::Entered(state)),
        Ok(Decision::Stay(state)) => Ok(Arrival::Kept(state)),
        Ok(Decision::Wait) => match kept() {
            Some(state) => Ok(Arrival::Kept(state)),
            None => Err(lost(handler)),
        },
        Ok(Decision::StayIn { state, data }) => stay_in::<W>(handler, state, data),
        // Of handlers with effects alone.
        Ok(Decision::Reply { .. } | Decision::Refuse { .. }) => Err(lost(handler)),
        Err(error) => Err(NotTaken::Failed { handler, error, state: kept() }),
    }
}

#[cold]
pub(super) fn lost<S: WorkflowState>(handler: &'static str) -> NotTaken<S> {
    let error = Error::msg("it leaves the state as it was, of which no copy was kept");
    NotTaken::Failed { handler, error, state: None }
}

fn stay_in<W: Workflow>(
    handler: &'static str,
    state: &'static str,
    data: Result<Json, JsonError>,
) -> Arrived<W::State> {
    let read = |data: Json| W::State::decode(state, &data).transpose();
    match data.and_then(read) {
        Ok(Some(state)) => Ok(Arrival::Kept(state)),
        Ok(None) => {
            let error = Error::msg(format!("the workflow has no state `{state}`"));
            Err(NotTaken::Failed { handler, error, state: None })
        }
        Err(error) => Err(NotTaken::Failed { handler, error: error.into(), state: None }),
    }
}

/// Goes on through pure entry handlers from where an edge has led.
#[inline]
pub(super) fn settle<W: Workflow>(
    workflow: &W,
    mut arrived: Arrived<W::State>,
) -> Result<W::State, NotTaken<W::State>> {
    loop {
        match arrived {
            Ok(Arrival::Kept(state)) => return Ok(state),
            Ok(Arrival::Entered(state)) => match workflow.enter_once(state) {
                // It waits there, or what is to run has effects.
                Err(NotTaken::NoEdge { state, .. } | NotTaken::Effects { state, .. }) => return Ok(state),
                entered => arrived = entered,
            },
            Err(NotTaken::Failed { handler, error, state: Some(state) }) => {
                arrived = Ok(caught(workflow, handler, error, state)?);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Why there is no generated arm for it: where no handler of an event is pure, there is none at all.
#[cold]
pub(super) fn not_taken<W: Workflow>(state: W::State, asked: &'static str) -> NotTaken<W::State> {
    let takes = |trigger: &Trigger| matches!(trigger, Trigger::On { event } if *event == asked);
    let mut handlers = W::GRAPH.handlers_of(state.name());
    match handlers.find(|handler| handler.name == asked || takes(&handler.trigger)) {
        Some(handler) if !handler.pure => NotTaken::Effects { state, handler: handler.name },
        Some(_) | None => NotTaken::NoEdge { state, asked },
    }
}

/// Where an edge that catches the error leads, if one without effects does.
#[cold]
fn caught<W: Workflow>(workflow: &W, handler: &'static str, error: Error, state: W::State) -> Arrived<W::State> {
    // What a `#[catch]` fails with is not caught again.
    let is_catch = W::GRAPH.handler(handler).is_some_and(|handler| matches!(handler.trigger, Trigger::Catch { .. }));
    let Some((catch, payload)) = workflow.catch(state.name(), &error).filter(|_| !is_catch) else {
        return Err(NotTaken::Failed { handler, error, state: Some(state) });
    };
    match workflow.take_named(catch, state, Some(&payload)) {
        Err(NotTaken::NoEdge { state, .. } | NotTaken::Effects { state, .. }) => {
            Err(NotTaken::Failed { handler, error, state: Some(state) })
        }
        Err(NotTaken::Failed { handler, error, state: _ }) => Err(NotTaken::Failed { handler, error, state: None }),
        arrived => arrived,
    }
}

/// What an edge has answered, besides where it has led.
pub(super) type Answered<W, E> = Result<
    (<W as Workflow>::State, Result<<W as Asks<E>>::Reply, <W as Asks<E>>::Refusal>),
    NotTaken<<W as Workflow>::State>,
>;

#[inline]
pub(super) fn ask<W: Asks<E>, E>(workflow: &W, state: W::State, question: E) -> Answered<W, E> {
    let mut asked = Asked::<W::Reply, W::Refusal>(None);
    let arrived = match workflow.take_once(state, question, &mut asked) {
        // It is what whoever asks is told, and not for an edge to catch.
        Err(NotTaken::Failed { handler, error, state }) => return Err(NotTaken::Failed { handler, error, state }),
        arrived => arrived,
    };
    let state = settle(workflow, arrived)?;
    match asked.0 {
        Some(answer) => Ok((state, answer)),
        None => {
            let error = Error::msg("the edge has not answered");
            Err(NotTaken::Failed { handler: W::event_name(), error, state: Some(state) })
        }
    }
}
