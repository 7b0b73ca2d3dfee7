//! Failures that a test puts where nothing fails by itself.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Error;
use crate::machine::{Answer, Answering, Graph, HandlerSeen, StepSeen};
use crate::record::ExecutionKey;
use crate::testing::names::{instead, steps_of};

/// A failure that a test injects: of a step, or of a handler, that is of an edge or of a state's entry. See
/// [`Sim::inject`](crate::testing::Sim::inject).
///
/// It fails the first run or attempt that it is for, unless [`nth`](Self::nth) or [`for_good`](Self::for_good) says otherwise. What is done
/// again after a crash counts again; what is to be the same over crashes is said by a [mock](crate::testing::Mock).
///
/// A step that returns the boxed [`Error`] fails with a text; one with an error type of its own is cut off as by a panic, as that
/// type has nothing for this. A mock of the step is not asked.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # use workflow_runtime::testing::Sim;
/// use workflow_runtime::testing::Injection;
///
/// # #[state] pub struct Placed { item: String }
/// # #[state(end)] pub struct Shipped { parcel: String }
/// # pub struct Order;
/// # #[workflow(start = Placed, allow(small_machine))]
/// # impl Order {
/// #     #[state]
/// #     async fn ship(&self, cx: &Cx, order: Placed) -> Result<Shipped> {
/// #         Ok(Shipped { parcel: self.book(cx, &order.item).await? })
/// #     }
/// #     #[step(retry(max = 3))]
/// #     async fn book(&self, cx: &Cx, item: &str) -> Result<String> { Ok(item.to_owned()) }
/// # }
/// Sim::run(7, |sim| async move {
///     sim.inject(Injection::step("book").attempt(2).of("order-1").error("no network"));
///     sim.inject(Injection::step("book").of("order-1"));
///     sim.inject(Injection::handler("placed", "ship").of("order-2"));
///     sim.workflow(|| Order);
///     let placed = || Placed { item: "kettle".into() };
///     assert!(sim.start::<Order>("order-1", placed()).await?.outcome().await.is_ok(), "in its third attempt");
///     assert!(sim.start::<Order>("order-2", placed()).await?.outcome().await.is_err(), "it is parked");
///     Ok(())
/// });
/// ```
#[derive(Debug, Clone)]
#[must_use = "it fails nothing before it is put into a simulation: `sim.inject(…)`"]
pub struct Injection {
    of: Of,
    execution: Option<String>,
    nth: u64,
    for_good: bool,
    error: String,
    /// Where the test has made it.
    made_at: &'static Location<'static>,
}

#[derive(Debug, Clone)]
enum Of {
    Step { name: String, attempt: Option<u32> },
    Handler { state: String, handler: String },
}

impl Injection {
    #[track_caller]
    fn new(of: Of) -> Self {
        let (error, made_at) = ("a failure that the test has injected".to_owned(), Location::caller());
        Self { of, execution: None, nth: 1, for_good: false, error, made_at }
    }

    /// Of attempts of the step with this name.
    #[track_caller]
    pub fn step(name: impl Into<String>) -> Self {
        Self::new(Of::Step { name: name.into(), attempt: None })
    }

    /// Of runs of this handler in the state with this persisted name. It does not begin then.
    #[track_caller]
    pub fn handler(state: impl Into<String>, handler: impl Into<String>) -> Self {
        Self::new(Of::Handler { state: state.into(), handler: handler.into() })
    }

    /// Only of attempts with this number, from 1; of a handler, nothing changes.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn attempt(mut self, number: u32) -> Self {
        assert!(number > 0, "attempts are counted from 1: `.attempt(0)` is none of them");
        if let Of::Step { attempt, .. } = &mut self.of {
            *attempt = Some(number);
        }
        self
    }

    /// Only in the execution with this id.
    pub fn of(mut self, id: impl Into<String>) -> Self {
        self.execution = Some(id.into());
        self
    }

    /// At the n-th of those that it is for, from 1.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn nth(mut self, nth: u64) -> Self {
        assert!(nth > 0, "what a failure is injected at is counted from 1: `.nth(0)` is none of them");
        self.nth = nth;
        self
    }

    /// That one, and each after it.
    pub fn for_good(mut self) -> Self {
        self.for_good = true;
        self
    }

    /// With this text.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = text.into();
        self
    }

    /// Why it is for nothing in these workflows, if that can be known: a step may be a function of its own.
    pub(super) fn mistake(&self, graphs: &[&'static Graph]) -> Option<String> {
        let Of::Handler { state, handler } = &self.of else { return None };
        if graphs.is_empty() || handler.starts_with("~undo:") {
            return None;
        }
        let states: Vec<&str> = graphs.iter().flat_map(|graph| graph.states).map(|state| state.name).collect();
        if !states.contains(&state.as_str()) {
            return Some(format!(
                "there is no state `{state}` in this simulation: its states are {}",
                instead(state, states)
            ));
        }
        let handlers: Vec<&str> =
            graphs.iter().flat_map(|graph| graph.handlers_of(state)).map(|handler| handler.name).collect();
        (!handlers.contains(&handler.as_str())).then(|| {
            format!(
                "there is no handler `{handler}` in the state `{state}`: its handlers are {}",
                instead(handler, handlers)
            )
        })
    }

    /// The steps that there are, if it is for one that is none.
    fn instead(&self, graphs: &[&'static Graph], called: &BTreeSet<String>) -> String {
        let Of::Step { name, .. } = &self.of else {
            return self.mistake(graphs).map_or_else(String::new, |mistake| format!(": {mistake}"));
        };
        let mut known = steps_of(graphs);
        known.extend(called.iter().map(String::as_str));
        match known.contains(name.as_str()) {
            true => String::new(),
            false => format!(": the steps are {}", instead(name, known)),
        }
    }

    fn is_for(&self, key: &ExecutionKey) -> bool {
        self.execution.as_ref().is_none_or(|id| id == key.id.as_str())
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Of::Step { name, attempt: None } => write!(formatter, "step `{name}`")?,
            Of::Step { name, attempt: Some(attempt) } => write!(formatter, "attempt {attempt} of step `{name}`")?,
            Of::Handler { state, handler } => write!(formatter, "handler `{handler}` in `{state}`")?,
        }
        self.execution.as_ref().map_or(Ok(()), |id| write!(formatter, " of `{id}`"))
    }
}

/// One place of all at which something can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::testing) struct FailPoint {
    pub(in crate::testing) what: FailWhat,
    /// Whether each later attempt of that step, or run of that handler, in that execution fails, too.
    pub(in crate::testing) for_good: bool,
}

/// The n-th of its kind, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::testing) enum FailWhat {
    Attempt(u64),
    Handler(u64),
}

/// The failures of one world.
#[derive(Debug, Default)]
pub(super) struct Injected {
    // Held only to read or change plain data.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    injections: Vec<(Injection, u64)>,
    point: Option<FailPoint>,
    attempts: u64,
    handlers: u64,
    /// What fails for good, once it has begun to.
    steps: BTreeSet<(ExecutionKey, String)>,
    runs: BTreeSet<(ExecutionKey, String)>,
    /// What has failed by the point, in words.
    told: Option<String>,
}

impl Injected {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, injection: Injection) {
        self.lock().injections.push((injection, 0));
    }

    pub(super) fn fail_at(&self, point: FailPoint) {
        self.lock().point = Some(point);
    }

    /// Those that nothing came to, in words.
    pub(super) fn unused(&self, graphs: &[&'static Graph], called: &BTreeSet<String>) -> Option<String> {
        let inner = self.lock();
        let unused = inner.injections.iter().filter(|(injection, seen)| *seen < injection.nth);
        let unused: Vec<_> = unused
            .map(|(injection, seen)| match seen {
                0 => format!(
                    "a failure was injected at {injection} (at {}), which never came: look at its name{}",
                    injection.made_at,
                    injection.instead(graphs, called)
                ),
                seen => {
                    format!(
                        "a failure was injected at number {} of {injection}, of which there were {seen}",
                        injection.nth
                    )
                }
            })
            .collect();
        (!unused.is_empty()).then(|| unused.join("; "))
    }

    /// Whether it is for a test of all places to decide what fails.
    pub(super) fn is_at_a_point(&self) -> bool {
        self.lock().point.is_some()
    }

    /// What the point has failed.
    pub(super) fn told(&self) -> Option<String> {
        self.lock().told.clone()
    }

    pub(super) fn handler(&self, run: &HandlerSeen<'_>) -> Option<Error> {
        let mut inner = self.lock();
        inner.handlers += 1;
        let place = || (run.key.clone(), run.handler.to_owned());
        if let Some(FailPoint { what: FailWhat::Handler(nth), for_good }) = inner.point {
            let is_it = nth == inner.handlers;
            if is_it {
                inner.told =
                    Some(format!("handler `{}` in `{}` of {}, visit {}", run.handler, run.state, run.key, run.visit));
                if for_good {
                    inner.runs.insert(place());
                }
            }
            if is_it || inner.runs.contains(&place()) {
                return Some(Error::msg(POINT));
            }
        }
        let is_for = |injection: &Injection| match &injection.of {
            Of::Handler { state, handler } => state == run.state && handler == run.handler && injection.is_for(run.key),
            Of::Step { .. } => false,
        };
        inner.fires(is_for).map(Error::msg)
    }

    pub(super) fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let mut inner = self.lock();
        inner.attempts += 1;
        let place = || (step.key.clone(), step.step.to_owned());
        if let Some(FailPoint { what: FailWhat::Attempt(nth), for_good }) = inner.point {
            let is_it = nth == inner.attempts;
            if is_it {
                inner.told = Some(format!(
                    "attempt {} of step `{}` of {}, visit {}",
                    step.attempt, step.step, step.key, step.visit
                ));
                if for_good {
                    inner.steps.insert(place());
                }
            }
            if is_it || inner.steps.contains(&place()) {
                return Some(failing(POINT.to_owned()));
            }
        }
        let is_for = |injection: &Injection| match &injection.of {
            Of::Step { name, attempt } => {
                name == step.step && attempt.is_none_or(|attempt| attempt == step.attempt) && injection.is_for(step.key)
            }
            Of::Handler { .. } => false,
        };
        inner.fires(is_for).map(failing)
    }
}

/// What fails where each place is tried.
const POINT: &str = "a failure that `fail_everywhere` has injected";

fn failing(text: String) -> Answering {
    Box::pin(async move { Answer::Broken(Error::msg(text)) })
}

impl Inner {
    /// Counts what happened for those that it is for: the text of the first that fails it.
    fn fires(&mut self, is_for: impl Fn(&Injection) -> bool) -> Option<String> {
        let mut text = None;
        for (injection, seen) in self.injections.iter_mut().filter(|(injection, _)| is_for(injection)) {
            // What another one fails is not there for this one.
            if text.is_some() {
                continue;
            }
            *seen += 1;
            if *seen == injection.nth || (injection.for_good && *seen > injection.nth) {
                text = Some(injection.error.clone());
            }
        }
        text
    }
}
