//! Crashes at every point of a scenario.
//!
//! A first run counts the writes and the attempts of steps; then there is a run for each place that a process can die at, and
//! for pairs of them. [`course`] says which runs those are, [`compare`] and [`check`] what has to hold in each, [`told`] how a
//! failure reads.

mod check;
mod compare;
mod course;
mod runs;
mod told;

use std::fmt;
use std::future::Future;

use self::course::{Course, VARIABLE};
use self::runs::Runs;
pub(super) use self::told::histories;
use super::again::Call;
use super::sim::Sim;
use crate::base::Result as Ended;

/// How many pairs of crashes are tried, unless the test says otherwise.
const PAIRS: usize = 100;

/// Plays a scenario once, then once for every place at which the process can die, and once for pairs of such places; see
/// [`CrashTest`] for what is checked, and for what can be set.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::crash_everywhere;
///
/// #[state] pub struct Placed { item: String }
/// #[state(end)] pub struct Shipped { parcel: String }
///
/// pub struct Order;
///
/// #[workflow(start = Placed, allow(fragile_step, small_machine))]
/// impl Order {
///     #[state]
///     async fn ship(&self, cx: &Cx, order: Placed) -> Result<Shipped> {
///         Ok(Shipped { parcel: self.book(cx, &order.item).await? })
///     }
///
///     #[step]
///     async fn book(&self, cx: &Cx, item: &str) -> Result<String> {
///         Ok(format!("{item}-{}", cx.idempotency_key()))
///     }
/// }
///
/// // In a `#[test]`; no runtime is needed around it.
/// crash_everywhere(|sim| async move {
///     sim.workflow(|| Order);
///     let order = sim.start::<Order>("order-1", Placed { item: "kettle".into() }).await?;
///     let OrderOutcome::Shipped(shipped) = order.outcome().await?;
///     Ok(shipped.parcel)
/// });
/// ```
///
/// # Panics
/// If the workflow does not survive one of them: with the place, the history, and how to run that one again.
#[track_caller]
pub fn crash_everywhere<T: fmt::Debug, F: Future<Output = Ended<T>>>(scenario: impl Fn(Sim) -> F) -> CrashReport {
    CrashTest::new().run(scenario)
}

/// Plays a scenario once, then once for every attempt of a step that ends, with a crash before its result is saved: so each
/// step runs twice with the same idempotency key; and once with all of them. What is checked is what
/// [`crash_everywhere`] checks, so what a step does is to be known by its key wherever it is done.
///
/// # Panics
/// As [`crash_everywhere`].
#[track_caller]
pub fn repeat_everywhere<T: fmt::Debug, F: Future<Output = Ended<T>>>(scenario: impl Fn(Sim) -> F) -> CrashReport {
    CrashTest::new().repeats_alone().run(scenario)
}

/// What [`crash_everywhere`] does, with settings.
///
/// The scenario is called for each run, so what it makes is new in each: the outside world (a bank, a mailbox) belongs into it.
/// It is to be the same in each run, apart from the crashes. There is a run for a crash
///
/// * before each write, and after it, when nobody has been told of it;
/// * within each write of several commits, when the first half of them is on disk;
/// * at the end of each attempt of a step, before its result is saved: so each step runs twice;
/// * at pairs of these, up to a limit.
///
/// What has to hold in each of them:
///
/// | what | |
/// |---|---|
/// | the scenario ends | without a panic, an error or a wait that never ends |
/// | it returns the same | by its `Debug` text: return what the outside world has seen, and that is checked |
/// | every execution ends the same | its state and data, or why it was parked or closed, what it waits for and what waits in its inbox; a time within the simulation may be another one |
/// | no step runs again | once its result was saved; one in flight does, with the same key |
/// | every step is called as before | not with other arguments, which would depend on something that is not recorded |
/// | what was undone is undone | every step that is undone without the crash |
#[derive(Debug, Clone)]
#[must_use = "nothing is played before `run`"]
pub struct CrashTest {
    seeds: Vec<u64>,
    pairs: usize,
    only: Option<Result<Course, String>>,
    ignored: Vec<String>,
    repeats_alone: bool,
}

impl Default for CrashTest {
    fn default() -> Self {
        Self::new()
    }
}

impl CrashTest {
    /// With the seed 0 and 100 pairs.
    pub fn new() -> Self {
        Self { seeds: vec![0], pairs: PAIRS, only: None, ignored: Vec::new(), repeats_alone: false }
    }

    /// With another seed.
    pub fn seed(self, seed: u64) -> Self {
        self.seeds([seed])
    }

    /// All of it once for each of these seeds.
    pub fn seeds(mut self, seeds: impl IntoIterator<Item = u64>) -> Self {
        self.seeds = seeds.into_iter().collect();
        self
    }

    /// With at most so many pairs of crashes, which are spread over all that there are.
    pub fn pairs(mut self, most: usize) -> Self {
        self.pairs = most;
        self
    }

    /// Only this run, as a failure has named it: `seed=0,before=5`.
    pub fn only(mut self, run: &str) -> Self {
        self.only = Some(run.parse());
        self
    }

    /// Takes no notice of fields of this name in the data of states, at any depth: chance decides them, as it does a
    /// receipt's number that a step makes up. A field that nothing has at the end is a mistake, and the test fails.
    pub fn ignoring(mut self, field: impl Into<String>) -> Self {
        self.ignored.push(field.into());
        self
    }

    fn repeats_alone(mut self) -> Self {
        self.repeats_alone = true;
        self
    }

    /// Plays the scenario in all these ways.
    ///
    /// # Panics
    /// If the workflow does not survive one of them: with the place, the history, and how to run that one again.
    #[track_caller]
    pub fn run<T: fmt::Debug, F: Future<Output = Ended<T>>>(self, scenario: impl Fn(Sim) -> F) -> CrashReport {
        let call = Call::next(VARIABLE);
        let only = call.only(self.only.as_ref());
        let mut runs = Runs::new(&self, call, &scenario);
        let played = match only {
            Some(course) => runs.alone(&course),
            None => self.seeds.iter().try_for_each(|seed| runs.everywhere(*seed)),
        };
        match (played, runs.ignored_in_vain()) {
            (Ok(()), None) => runs.report(),
            (Ok(()), Some(mistake)) => panic!("{mistake}"),
            (Err(failure), None) => panic!("{failure}"),
            (Err(failure), Some(mistake)) => panic!("{failure}\n{mistake}"),
        }
    }
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CrashReport {
    /// How many writes there are without a crash; of the last seed.
    pub writes: u64,
    /// How many attempts of steps there are without a crash; of the last seed.
    pub steps: u64,
    /// How many runs with one crash there were.
    pub single: usize,
    /// How many runs with two crashes there were.
    pub pairs: usize,
    /// How many runs ended before they came to all of their crashes: none, unless services are real, which may need a write more
    /// or less from run to run.
    pub missed: usize,
    /// How many pairs there are.
    pub pairs_there_are: usize,
}

impl fmt::Display for CrashReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} writes, {} attempts of steps: survived {} crashes, and {} of {} pairs of them",
            self.writes, self.steps, self.single, self.pairs, self.pairs_there_are
        )
    }
}
