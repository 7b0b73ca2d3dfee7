//! Which states, edges, error paths and undos of a workflow the tests take.
//!
//! [`Coverage`] sees the simulations of one test. For all tests of a crate or a workspace there is one line, anywhere in it:
//!
//! ```
//! # use workflow_runtime::prelude::*;
//! # #[state] pub struct Asked;
//! # #[state(end)] pub struct Answered;
//! # #[event] pub struct Answer;
//! # pub struct Question;
//! # #[workflow(start = Asked)]
//! # impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
//! workflow_runtime::coverage!(Question, at_least = 90);
//! # fn main() {}
//! ```
//!
//! and two commands:
//!
//! ```sh
//! WORKFLOW_COVERAGE=record cargo test
//! WORKFLOW_COVERAGE=report cargo test workflow_coverage
//! ```
//!
//! In the first, each [`Sim`](super::Sim), and so each [`crash_everywhere`](super::crash_everywhere), records what it takes when it
//! ends, also if it fails: in files in `workflow-coverage` of cargo's target folder, or where `WORKFLOW_COVERAGE_DIR` says (a relative
//! path is one in the folder of the workspace). Any number of processes may do so at once (`cargo nextest`, too), and be killed. In the second, the test that the
//! line made prints the table, writes it with the diagram to `Question.md` beside the files, and fails if less is taken than is
//! demanded. Without `WORKFLOW_COVERAGE=report`, it passes and does nothing, as no test knows that it is the last one.
//!
//! The first recording after a report begins anew, for all workflows at once: one of which no test is left is not counted by what an
//! earlier run has taken of it, and its report fails. Until then what is recorded adds up, so that several commands may record (for
//! other features of the crate, for instance). What a change of the code has left without a place in the graph is told, and does not
//! count.
//!
//! What counts:
//!
//! | what | how many there are | taken |
//! |---|---|---|
//! | `state` | one for each state | when an execution was in it |
//! | `edge` | one for each arrow of the [graph](crate::Graph): events, timers, `#[catch]`, `#[on]` of `Cancel`; a handler for a group has its edges for each state that it is for | when an execution took it |
//! | `stay` | one for each arrow that says "(stays)": a handler that may keep the visit, by `Stay` or `Wait` | when it did |
//! | `error path` | one for each `#[step]` of the workflow | when a call of it failed for good, its retries used up; the table says what became of that: caught, parked, unwound |
//! | `undo` | one for each step with an `undo` | when it was undone |
//!
//! Real services, an [`Engine`](crate::Engine) or a [`Stepper`](crate::Stepper) outside of a `Sim`, are not seen. Not counted, and told where they were seen: executions that were parked, that ended by being cancelled or terminated where no
//! edge is for that, or that were moved by hand; steps that are functions of their own or written in a call (`cx.step`), as
//! nobody knows which there are. Nothing that counts is out of reach, as the graph has no edge that is not declared; what a
//! test has a reason not to take is left out by [`Coverage::without`].
//!
//! A fact counts for the version of the code that the execution was of: that of an execution before its migration counts for
//! the old version, so a [kept](crate::Keep) version beside the present one is a coverage of its own.

mod asked;
mod checks;
mod diagram;
mod fact;
mod observer;
mod recording;
mod report;
mod run;
mod watched;

use std::sync::{Arc, Mutex, PoisonError};

pub use self::checks::Checks;
pub(super) use self::checks::say;
use self::fact::Seen;
pub(super) use self::observer::{Glance, Observer};
pub use self::report::{CoverageItem, CoverageKind, CoverageReport};
pub(super) use self::watched::Watched;
use crate::machine::{Graph, Workflow};
use crate::testing::names::instead;

/// What the simulations of one test take of one workflow. See the [module](self) for what counts.
///
/// From when it is made it sees every [`Sim`](super::Sim) and every [`crash_everywhere`](super::crash_everywhere) of its thread, until it
/// is dropped.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::{Coverage, Sim};
///
/// #[state] pub struct Asked;
/// #[state(end)] pub struct Answered;
/// #[state(end)] pub struct Forgotten;
/// #[event] pub struct Answer;
///
/// pub struct Question;
///
/// #[workflow(start = Asked)]
/// impl Question {
///     #[on]
///     fn answered(&self, _: Asked, _: Answer) -> Answered { Answered }
///
///     #[after("30d")]
///     fn forgotten(&self, _: Asked) -> Forgotten { Forgotten }
/// }
///
/// // In a `#[test]`.
/// let coverage = Coverage::of::<Question>();
/// Sim::run(7, |sim| async move {
///     sim.workflow(|| Question);
///     sim.start::<Question>("q-1", Asked).await?.outcome().await?;
///     Ok(())
/// });
/// assert_eq!(coverage.report().percent(), 60, "two of three states, one of two edges");
/// let missing: Vec<_> = coverage.report().missing().map(ToString::to_string).collect();
/// assert_eq!(missing, ["state `answered`", "edge `asked` -> `answered`: answered · answer"]);
///
/// Sim::run(7, |sim| async move {
///     sim.workflow(|| Question);
///     sim.start::<Question>("q-2", Asked).await?.send(Answer).await?;
///     Ok(())
/// });
/// coverage.require(100);
/// ```
#[derive(Debug)]
pub struct Coverage {
    graph: &'static Graph,
    seen: Arc<Mutex<Seen>>,
    without: Vec<&'static str>,
}

impl Coverage {
    /// Begins to see what is taken of `W`.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        let seen = Arc::default();
        watched::add(&seen);
        Self { graph: W::GRAPH, seen, without: Vec::new() }
    }

    /// Leaves out what has this name: a state with its edges, the edges of a handler, the error path and the undo of a step.
    ///
    /// # Panics
    /// If the workflow has nothing of that name.
    #[must_use]
    #[track_caller]
    pub fn without(mut self, name: &'static str) -> Self {
        let known = report::names(self.graph);
        assert!(
            known.contains(&name),
            "{} has no state, handler or step `{name}`; it has {}",
            self.graph.workflow,
            instead(name, known.iter().copied())
        );
        self.without.push(name);
        self
    }

    /// What was taken so far, by simulations that have ended.
    #[must_use]
    pub fn report(&self) -> CoverageReport {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        CoverageReport::new(self.graph, &seen, &self.without)
    }

    /// Demands that so many per cent of what counts were taken.
    ///
    /// # Panics
    /// If less were, with a table of all, and what was not; if no simulation of the workflow has ended since this was made; if
    /// `percent` is over 100.
    #[track_caller]
    pub fn require(&self, percent: u32) {
        let report = self.report();
        assert!(
            !report.is_empty(),
            "no simulation of {} has ended in this thread since its coverage was made: make it before the first one",
            report.workflow()
        );
        if let Err(failure) = report.require(percent) {
            panic!("{failure}");
        }
    }
}
