//! The graph of a workflow: what was declared, as data.

use std::time::Duration;

use crate::kernel::Jitter;

/// A workflow as declared: states, handlers and their edges, steps. Every name in it is a persisted name.
///
/// `YourWorkflowState::GRAPH` is made at compile time, and [`Workflow::GRAPH`](super::Workflow::GRAPH) is the same.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The workflow's name.
    pub workflow: &'static str,
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
}

/// A handler in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct HandlerInfo {
    /// The function's name, which is persisted.
    pub name: &'static str,
    /// What makes it run.
    pub trigger: Trigger,
    /// The state that it belongs to.
    pub from: &'static str,
    /// The states that it may go to, as declared.
    pub to: &'static [&'static str],
    /// Whether it may keep the visit: it declares `Wait` or `Stay`.
    pub waits: bool,
    /// Whether it has no effects: a plain `fn`.
    pub pure: bool,
    /// Its doc comment.
    pub doc: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line in that file, from 1.
    pub line: u32,
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
    /// Its retries, if it is retried.
    pub retry: Option<RetryInfo>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long one attempt may go without a sign of life.
    pub heartbeat: Option<Duration>,
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
        Self { workflow, doc, start, states, events, handlers, steps }
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
        Self { name, was, type_name, doc, end }
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
        Self { name, was, type_name, doc }
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
        Self { name, trigger, from, to, waits: false, pure: false, doc, file, line }
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
        Self { name: policy.name, retry, timeout: policy.timeout, heartbeat: policy.heartbeat, doc, file, line }
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
}

impl Graph {
    /// Every edge, in declaration order.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.handlers
            .iter()
            .flat_map(|handler| handler.to.iter().map(move |to| Edge { from: handler.from, to, handler }))
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

    /// The handlers of a state, in declaration order.
    pub fn handlers_of(&self, state: &str) -> impl Iterator<Item = &'static HandlerInfo> {
        let handlers: &'static [HandlerInfo] = self.handlers;
        handlers.iter().filter(move |handler| handler.from == state)
    }

    /// The handler of this name.
    #[must_use]
    pub fn handler(&self, name: &str) -> Option<&'static HandlerInfo> {
        self.handlers.iter().find(|handler| handler.name == name)
    }
}
