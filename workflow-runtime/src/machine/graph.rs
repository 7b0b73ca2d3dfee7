//! The graph of a workflow: what was declared, as data.

use std::time::Duration;

use super::{AttributeInfo, EventPolicy};
use crate::kernel::JoinRule;
use crate::kernel::{AtOnce, BreakerPolicy, Jitter, OnFailure, Rate, StepLimits};
use crate::record::FIRST_VERSION;

/// A workflow as declared: states, handlers and their edges, steps. Every name in it is a persisted name.
///
/// `YourWorkflowState::GRAPH` is made at compile time, and [`Workflow::GRAPH`](super::Workflow::GRAPH) is the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The workflow's name.
    pub workflow: &'static str,
    /// The version of its code.
    pub version: u32,
    /// The doc comment of its impl.
    pub doc: &'static str,
    /// The state that executions start in.
    pub start: &'static str,
    /// Every state, in declaration order.
    pub states: &'static [StateInfo],
    /// Every event that some state takes, in declaration order.
    pub events: &'static [EventInfo],
    /// Every handler, in declaration order.
    pub handlers: &'static [HandlerInfo],
    /// Every step among the workflow's methods, in declaration order.
    pub steps: &'static [StepInfo],
    /// Every parallel function among the workflow's methods, in declaration order.
    pub parallels: &'static [ParallelInfo],
    /// What becomes of an execution that failed for good, where nothing catches the error.
    pub on_failure: OnFailure,
}

/// A parallel function in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParallelInfo {
    /// The function's name, which is persisted.
    pub name: &'static str,
    /// The names of its branches, where they are its bindings; they are persisted.
    pub branches: &'static [&'static str],
    /// Whether it has a branch for each item of a list.
    pub each: bool,
    /// How many branches run at once; without a limit, all.
    pub limit: Option<usize>,
    /// What is asked for of the branches.
    pub join: JoinRule,
    /// How long the whole may take.
    pub timeout: Option<Duration>,
    /// Its doc comment.
    pub doc: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line in that file, from 1.
    pub line: u32,
}

/// A state in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateInfo {
    /// Its persisted name.
    pub name: &'static str,
    /// Persisted names that it had before.
    pub was: &'static [&'static str],
    /// The name of its type.
    pub type_name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Whether the workflow ends there.
    pub end: bool,
    /// Whether entering it makes all that was done before final.
    pub pivot: bool,
    /// The fields that executions in it can be searched by.
    pub attributes: &'static [AttributeInfo],
}

/// An event in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInfo {
    /// Its persisted name.
    pub name: &'static str,
    /// Persisted names that it had before.
    pub was: &'static [&'static str],
    /// The name of its type.
    pub type_name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// What becomes of it where no edge takes it.
    pub policy: EventPolicy,
}

/// A handler in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HandlerInfo {
    /// The function's name, which is persisted.
    pub name: &'static str,
    /// What makes it run.
    pub trigger: Trigger,
    /// The state that it belongs to, or the group.
    pub from: &'static str,
    /// The group that it belongs to, if it is not one state alone.
    pub group: Option<GroupInfo>,
    /// The states that it may go to, as declared.
    pub to: &'static [&'static str],
    /// Those of them that it enters when all is undone: it declares `Unwind`.
    pub unwinds: &'static [&'static str],
    /// Whether it may keep the visit: it declares `Wait` or `Stay`.
    pub waits: bool,
    /// Whether it has no effects: a plain `fn`.
    pub pure: bool,
    /// The type that it answers its event with, as it is written there, if it does.
    pub reply: Option<&'static str>,
    /// Its doc comment.
    pub doc: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line in that file, from 1.
    pub line: u32,
}

/// The group that a handler belongs to, in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupInfo {
    /// The states in it, which need not all be of this workflow.
    pub members: &'static [&'static str],
    /// Whether it is every state of the workflow that is no end.
    pub any: bool,
}

/// What makes a handler run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// The state is entered.
    Entry,
    /// An event arrives.
    On {
        /// The event's persisted name.
        event: &'static str,
    },
    /// The state has lasted this long.
    After {
        /// How long.
        delay: Duration,
    },
    /// The state has lasted as long as a function of it says.
    AfterFn {
        /// The function, as it is written in the attribute.
        function: &'static str,
    },
    /// The time has come that the state names.
    At {
        /// The field, as it is written in the attribute.
        field: &'static str,
    },
    /// The state has lasted this long again.
    Every {
        /// How long.
        period: Duration,
    },
    /// A handler of the state failed for good.
    Catch {
        /// The name of the error's type.
        error: &'static str,
    },
}

/// A step in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct StepInfo {
    /// The function's name, which is persisted.
    pub name: &'static str,
    /// Persisted names that it had before.
    pub was: &'static [&'static str],
    /// Its retries, if it is retried.
    pub retry: Option<RetryInfo>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// The method that undoes it, if it can be undone.
    pub undo: Option<&'static str>,
    /// How long one attempt may go without a sign of life.
    pub heartbeat: Option<Duration>,
    /// How many attempts may be under way at once, over all executions of an engine.
    pub limit: Option<AtOnce>,
    /// How many attempts may begin in a time, over all executions of an engine.
    pub rate: Option<Rate>,
    /// When attempts are held back because too many of them fail.
    pub breaker: Option<BreakerPolicy>,
    /// Whether it blocks its thread, and so has one of its own.
    pub blocking: bool,
    /// Its doc comment.
    pub doc: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line in that file, from 1.
    pub line: u32,
}

/// The retries of a step in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryInfo {
    /// Attempts in all, the first included.
    pub max: u32,
    /// The longest pause after the first failed attempt; it doubles from attempt to attempt.
    pub base: Duration,
    /// The longest pause at all.
    pub cap: Duration,
    /// Which part of a pause is left to chance.
    pub jitter: Jitter,
    /// The variants of the step's error after which it is tried again; empty for all.
    pub only: &'static [&'static str],
    /// The variants of the step's error that are final.
    pub never: &'static [&'static str],
}

// The types above are open to new fields, so generated code cannot write them as literals; it calls these instead.
#[doc(hidden)]
impl Graph {
    #[must_use]
    pub const fn declare(
        workflow: &'static str,
        doc: &'static str,
        start: &'static str,
        states: &'static [StateInfo],
        events: &'static [EventInfo],
        handlers: &'static [HandlerInfo],
        steps: &'static [StepInfo],
    ) -> Self {
        Self {
            workflow,
            version: FIRST_VERSION,
            doc,
            start,
            states,
            events,
            handlers,
            steps,
            parallels: &[],
            on_failure: OnFailure::Park,
        }
    }

    #[must_use]
    pub const fn parallels(mut self, parallels: &'static [ParallelInfo]) -> Self {
        self.parallels = parallels;
        self
    }

    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    #[must_use]
    pub const fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }
}

#[doc(hidden)]
impl ParallelInfo {
    #[must_use]
    pub const fn declare(policy: &super::ParallelPolicy, doc: &'static str, file: &'static str, line: u32) -> Self {
        let super::ParallelPolicy { name, branches, timeout, limit, each, join } = *policy;
        let limit = if each { Some(limit) } else { None };
        Self { name, branches, each, limit, join, timeout, doc, file, line }
    }
}

#[doc(hidden)]
impl StateInfo {
    #[must_use]
    pub const fn declare(
        name: &'static str,
        was: &'static [&'static str],
        type_name: &'static str,
        doc: &'static str,
        end: bool,
    ) -> Self {
        Self { name, was, type_name, doc, end, pivot: false, attributes: &[] }
    }

    #[must_use]
    pub const fn attributes(mut self, attributes: &'static [AttributeInfo]) -> Self {
        self.attributes = attributes;
        self
    }

    #[must_use]
    pub const fn pivot(mut self, pivot: bool) -> Self {
        self.pivot = pivot;
        self
    }
}

#[doc(hidden)]
impl EventInfo {
    #[must_use]
    pub const fn declare(
        name: &'static str,
        was: &'static [&'static str],
        type_name: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, was, type_name, doc, policy: EventPolicy::Defer }
    }

    #[must_use]
    pub const fn policy(mut self, policy: EventPolicy) -> Self {
        self.policy = policy;
        self
    }
}

#[doc(hidden)]
impl HandlerInfo {
    #[must_use]
    pub const fn declare(
        name: &'static str,
        trigger: Trigger,
        from: &'static str,
        to: &'static [&'static str],
        doc: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self {
            name,
            trigger,
            from,
            group: None,
            to,
            unwinds: &[],
            waits: false,
            pure: false,
            reply: None,
            doc,
            file,
            line,
        }
    }

    #[must_use]
    pub const fn replies(mut self, reply: &'static str) -> Self {
        self.reply = Some(reply);
        self
    }

    #[must_use]
    pub const fn in_group(mut self, group: super::graph_check::GroupFacts) -> Self {
        if group.is_group {
            self.group = Some(GroupInfo { members: group.members, any: group.any });
        }
        self
    }

    #[must_use]
    pub const fn unwinds(mut self, unwinds: &'static [&'static str]) -> Self {
        self.unwinds = unwinds;
        self
    }

    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    #[must_use]
    pub const fn pure(mut self) -> Self {
        self.pure = true;
        self
    }
}

#[doc(hidden)]
impl StepInfo {
    #[must_use]
    pub const fn declare(policy: &super::StepPolicy, doc: &'static str, file: &'static str, line: u32) -> Self {
        let retry = match policy.retry {
            Some(retry) => Some(RetryInfo {
                max: retry.max,
                base: retry.base,
                cap: retry.cap,
                jitter: retry.jitter,
                only: policy.only,
                never: policy.never,
            }),
            None => None,
        };
        let super::StepPolicy { name, was, timeout, heartbeat, limits, blocking, .. } = *policy;
        let StepLimits { limit, rate, breaker } = limits;
        Self { name, was, retry, timeout, heartbeat, limit, rate, breaker, blocking, undo: None, doc, file, line }
    }

    #[must_use]
    pub const fn undo(mut self, undo: &'static str) -> Self {
        self.undo = Some(undo);
        self
    }
}

impl StepInfo {
    /// The limits that all executions of an engine share.
    #[must_use]
    pub const fn limits(&self) -> StepLimits {
        StepLimits { limit: self.limit, rate: self.rate, breaker: self.breaker }
    }
}

impl HandlerInfo {
    /// Whether everything is undone before it enters this state.
    #[must_use]
    pub fn unwinds_to(&self, state: &str) -> bool {
        self.unwinds.contains(&state)
    }
}

/// One way from a state to another: a handler and one of its targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The state that it leaves.
    pub from: &'static str,
    /// The state that it enters.
    pub to: &'static str,
    /// The handler that takes it.
    pub handler: &'static HandlerInfo,
    /// Whether everything is undone before the state is entered.
    pub unwinds: bool,
}

impl Graph {
    /// Every edge, in declaration order.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.handlers.iter().flat_map(move |handler| {
            let sources = self.sources(handler);
            sources.flat_map(move |from| {
                handler.to.iter().map(move |to| Edge { from, to, handler, unwinds: handler.unwinds_to(to) })
            })
        })
    }

    /// The states that `handler` is for, in declaration order: its own, or those of its group that have no handler for the
    /// same event or error that goes before it.
    pub fn sources(&self, handler: &HandlerInfo) -> impl Iterator<Item = &'static str> {
        self.states.iter().filter(|state| self.is_for(handler, state)).map(|state| state.name)
    }

    fn is_for(&self, handler: &HandlerInfo, state: &StateInfo) -> bool {
        rank(handler, state.name).is_some_and(|own| {
            let before = |other: &&HandlerInfo| rank(other, state.name).is_some_and(|other| other < own);
            let same = |other: &&HandlerInfo| match (handler.trigger, other.trigger) {
                (Trigger::On { event }, Trigger::On { event: other }) => event == other,
                (Trigger::Catch { error }, Trigger::Catch { error: other }) => error == other,
                _ => false,
            };
            !self.handlers.iter().filter(same).any(|other| before(&other))
        })
    }

    /// The state of this persisted name, current or old.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&'static StateInfo> {
        let current = self.states.iter().find(|state| state.name == name);
        current.or_else(|| self.states.iter().find(|state| state.was.contains(&name)))
    }

    /// The event of this persisted name, current or old.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&'static EventInfo> {
        let current = self.events.iter().find(|event| event.name == name);
        current.or_else(|| self.events.iter().find(|event| event.was.contains(&name)))
    }

    /// The handlers of the state of this persisted name, in declaration order, with those of groups that it is in. One that
    /// goes before another for the same event or error leaves that out: its own, then a group's, then that for any state.
    pub fn handlers_of(&self, state: &str) -> impl Iterator<Item = &'static HandlerInfo> {
        let state = self.states.iter().find(|known| known.name == state);
        let handlers: &'static [HandlerInfo] = self.handlers;
        handlers.iter().filter(move |handler| state.is_some_and(|state| self.is_for(handler, state)))
    }

    /// The events that the state of this persisted name takes, in the order of its handlers: what an execution in it waits for.
    pub fn events_of(&self, state: &str) -> impl Iterator<Item = &'static EventInfo> {
        self.handlers_of(state).filter_map(|handler| match handler.trigger {
            Trigger::On { event } => self.event(event),
            _ => None,
        })
    }

    /// The handler of this name.
    #[must_use]
    pub fn handler(&self, name: &str) -> Option<&'static HandlerInfo> {
        self.handlers.iter().find(|handler| handler.name == name)
    }
}

/// Which handler goes before which: that of the state itself, of a group, of any state. `None` if it is not for the state.
fn rank(handler: &HandlerInfo, state: &str) -> Option<u8> {
    match handler.group {
        None => (handler.from == state).then_some(0),
        Some(group) => group.members.contains(&state).then_some(if group.any { 2 } else { 1 }),
    }
}
