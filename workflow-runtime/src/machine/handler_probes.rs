//! Probes that run a handler, where it exists: one in a part may be missing, which is reported elsewhere.
//!
//! `run` is for drivers: it reads the state from its persisted form. `take` is for machines without an engine.

use std::marker::PhantomData;

use super::private::{Decode, Read, run_after, run_catch, run_entry, run_on, timer_of};
use super::pure::{Answers, Arrived, Keep, Unanswered, arrived, decide_in, lost};
use super::{
    Accepts, After, Catch, Cx, Failure, Handle, HandlerCall, HandlerRun, NotTaken, On, Timer, Workflow, WorkflowState,
};
use crate::base::Error;
use crate::record::Json;

/// Takes the edge of an event. Where the workflow cannot be shared between threads, which is reported, it accepts none.
#[derive(Debug)]
pub struct AcceptsProbe<W, E>(PhantomData<(W, E)>);

impl<W: Accepts<E>, E> AcceptsProbe<W, E> {
    #[inline]
    pub fn take_once(workflow: &W, state: W::State, event: E) -> Arrived<W::State> {
        workflow.take_once(state, event, &mut Unanswered)
    }
}

/// The other side of [`AcceptsProbe`].
pub trait NoAccepts<W, E> {
    fn take_once<S: WorkflowState>(_: &W, state: S, _: E) -> Arrived<S> {
        Err(NotTaken::NoEdge { state, asked: "" })
    }
}

impl<W, E> NoAccepts<W, E> for AcceptsProbe<W, E> {}

fn missing(call: &HandlerCall) -> HandlerRun<'_> {
    let text = format!("the handler `{}` is in no part of the workflow", call.handler);
    HandlerRun::Ready(Err(Failure::unreadable(Error::msg(text))))
}

/// Runs the entry handler of a part.
#[derive(Debug)]
pub struct EntryProbe<W, S>(PhantomData<(W, S)>);

impl<W: Workflow, S: Handle<W>> EntryProbe<W, S> {
    pub fn run<'a>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, read: Read<S>) -> HandlerRun<'a>
    where
        S: 'a,
    {
        run_entry(workflow, cx, call, read)
    }

    #[inline]
    pub fn take(workflow: &W, state: S, handler: &'static str, keep: Keep<S>) -> Arrived<W::State>
    where
        W::State: From<S>,
    {
        match S::PURE {
            true => decide_in(state, handler, keep, |state| S::decide(workflow, state)),
            false => Err(NotTaken::Effects { state: state.into(), handler }),
        }
    }
}

/// The other side of [`EntryProbe`].
pub trait NoEntry<W, S> {
    fn run<'a>(_: &'a W, _: &'a Cx, call: &'a HandlerCall, _: Read<S>) -> HandlerRun<'a> {
        missing(call)
    }

    fn take(_: &W, state: S, handler: &'static str, _: Keep<S>) -> Arrived<W::State>
    where
        W: Workflow,
        W::State: From<S>,
    {
        Err(NotTaken::Effects { state: state.into(), handler })
    }
}

impl<W, S> NoEntry<W, S> for EntryProbe<W, S> {}

/// Runs an `#[on]` handler of a part.
#[derive(Debug)]
pub struct OnProbe<W, S, E>(PhantomData<(W, S, E)>);

impl<W: Workflow, S: On<W, E>, E> OnProbe<W, S, E> {
    pub const PURE: bool = S::PURE;

    pub fn run<'a>(
        workflow: &'a W,
        cx: &'a Cx,
        call: &'a HandlerCall,
        read: Read<S>,
        decode_event: Decode<E>,
    ) -> HandlerRun<'a>
    where
        S: 'a,
        E: 'a,
    {
        run_on(workflow, cx, call, read, decode_event)
    }

    #[inline]
    pub fn take<A: Answers>(
        workflow: &W,
        state: S,
        event: E,
        answers: &mut A,
        handler: &'static str,
        keep: Keep<S>,
    ) -> Arrived<W::State>
    where
        W::State: From<S>,
    {
        match S::PURE {
            true => decide_in(state, handler, keep, |state| S::decide(workflow, state, event, answers)),
            false => Err(NotTaken::Effects { state: state.into(), handler }),
        }
    }

    #[inline]
    pub fn take_group<A: Answers>(
        workflow: &W,
        group: S,
        event: E,
        answers: &mut A,
        handler: &'static str,
        kept: Option<W::State>,
    ) -> Arrived<W::State> {
        arrived(S::decide(workflow, group, event, answers), handler, || kept)
    }
}

/// The other side of [`OnProbe`].
pub trait NoOn<W, S, E> {
    const PURE: bool = false;

    fn run<'a>(_: &'a W, _: &'a Cx, call: &'a HandlerCall, _: Read<S>, _: Decode<E>) -> HandlerRun<'a> {
        missing(call)
    }

    fn take<A>(_: &W, state: S, _: E, _: &mut A, handler: &'static str, _: Keep<S>) -> Arrived<W::State>
    where
        W: Workflow,
        W::State: From<S>,
    {
        Err(NotTaken::Effects { state: state.into(), handler })
    }

    fn take_group<A>(_: &W, _: S, _: E, _: &mut A, handler: &'static str, _: Option<W::State>) -> Arrived<W::State>
    where
        W: Workflow,
    {
        Err(lost(handler))
    }
}

impl<W, S, E> NoOn<W, S, E> for OnProbe<W, S, E> {}

/// Runs an `#[after]` handler of a part.
#[derive(Debug)]
pub struct AfterProbe<W, S, K>(PhantomData<(W, S, K)>);

impl<W: Workflow, S: After<W, K>, K> AfterProbe<W, S, K> {
    pub const PURE: bool = S::PURE;

    pub fn run<'a>(workflow: &'a W, cx: &'a Cx, call: &'a HandlerCall, read: Read<S>) -> HandlerRun<'a>
    where
        S: 'a,
        K: 'a,
    {
        run_after::<W, S, K>(workflow, cx, call, read)
    }

    #[inline]
    pub fn take(workflow: &W, state: S, handler: &'static str, keep: Keep<S>) -> Arrived<W::State>
    where
        W::State: From<S>,
    {
        match S::PURE {
            true => decide_in(state, handler, keep, |state| S::decide(workflow, state)),
            false => Err(NotTaken::Effects { state: state.into(), handler }),
        }
    }

    pub fn timer(workflow: &W, state: &str, data: &Json, read: Read<S>) -> Result<Option<Timer>, Error> {
        timer_of::<W, S, K>(workflow, state, data, read)
    }

    pub fn take_group(workflow: &W, group: S, handler: &'static str, kept: Option<W::State>) -> Arrived<W::State> {
        arrived(S::decide(workflow, group), handler, || kept)
    }
}

/// The other side of [`AfterProbe`].
pub trait NoAfter<W, S, K> {
    const PURE: bool = false;

    fn run<'a>(_: &'a W, _: &'a Cx, call: &'a HandlerCall, _: Read<S>) -> HandlerRun<'a> {
        missing(call)
    }

    fn take(_: &W, state: S, handler: &'static str, _: Keep<S>) -> Arrived<W::State>
    where
        W: Workflow,
        W::State: From<S>,
    {
        Err(NotTaken::Effects { state: state.into(), handler })
    }

    fn timer(_: &W, _: &str, _: &Json, _: Read<S>) -> Result<Option<Timer>, Error> {
        Ok(None)
    }

    fn take_group(_: &W, _: S, handler: &'static str, _: Option<W::State>) -> Arrived<W::State>
    where
        W: Workflow,
    {
        Err(lost(handler))
    }
}

impl<W, S, K> NoAfter<W, S, K> for AfterProbe<W, S, K> {}

/// Runs a `#[catch]` handler of a part.
#[derive(Debug)]
pub struct CatchProbe<W, S, E>(PhantomData<(W, S, E)>);

impl<W: Workflow, S: Catch<W, E>, E> CatchProbe<W, S, E> {
    pub const PURE: bool = S::PURE;

    pub fn run<'a>(
        workflow: &'a W,
        cx: &'a Cx,
        call: &'a HandlerCall,
        read: Read<S>,
        restore: Decode<E>,
    ) -> HandlerRun<'a>
    where
        S: 'a,
        E: 'a,
    {
        run_catch(workflow, cx, call, read, restore)
    }

    #[inline]
    pub fn take(
        workflow: &W,
        state: S,
        payload: Option<&Json>,
        restore: Decode<E>,
        handler: &'static str,
        keep: Keep<S>,
    ) -> Arrived<W::State>
    where
        W::State: From<S>,
    {
        match payload.map(restore) {
            Some(Ok(error)) if S::PURE => decide_in(state, handler, keep, |state| S::decide(workflow, state, error)),
            Some(Err(error)) => Err(NotTaken::Failed { handler, error: error.into(), state: Some(state.into()) }),
            Some(Ok(_)) | None => Err(NotTaken::Effects { state: state.into(), handler }),
        }
    }

    pub fn take_group(
        workflow: &W,
        group: S,
        payload: Option<&Json>,
        restore: Decode<E>,
        handler: &'static str,
        kept: Option<W::State>,
    ) -> Arrived<W::State> {
        match payload.map(restore) {
            Some(Ok(error)) => arrived(S::decide(workflow, group, error), handler, || kept),
            Some(Err(error)) => Err(NotTaken::Failed { handler, error: error.into(), state: kept }),
            None => Err(lost(handler)),
        }
    }
}

/// The other side of [`CatchProbe`].
pub trait NoCatch<W, S, E> {
    const PURE: bool = false;

    fn run<'a>(_: &'a W, _: &'a Cx, call: &'a HandlerCall, _: Read<S>, _: Decode<E>) -> HandlerRun<'a> {
        missing(call)
    }

    fn take(_: &W, state: S, _: Option<&Json>, _: Decode<E>, handler: &'static str, _: Keep<S>) -> Arrived<W::State>
    where
        W: Workflow,
        W::State: From<S>,
    {
        Err(NotTaken::Effects { state: state.into(), handler })
    }

    fn take_group(
        _: &W,
        _: S,
        _: Option<&Json>,
        _: Decode<E>,
        handler: &'static str,
        _: Option<W::State>,
    ) -> Arrived<W::State>
    where
        W: Workflow,
    {
        Err(lost(handler))
    }
}

impl<W, S, E> NoCatch<W, S, E> for CatchProbe<W, S, E> {}
