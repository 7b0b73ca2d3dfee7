//! Failures at every step and handler of a scenario.
//!
//! A first run counts the attempts of steps and the runs of handlers; then there are two runs for each of them, in which that one fails:
//! once, and for good. [`course`] says how a run is named, [`check`] what has to hold in each.

mod check;
mod course;

use std::fmt::{self, Write as _};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use self::check::Ended;
use self::course::{Course, VARIABLE};
use super::again::Call;
use super::crash::histories;
use super::sim::{Ending, FailPoint, FailWhat, Played, Sim, SimEvent, chain, play};
use crate::base::Result;
use crate::machine::panic_text;
use crate::record::{ErrorRecord, ExecutionKey, Status};

/// Plays a scenario once, then with a failure of each attempt of a step and of each run of a handler: once, and for good, where all later
/// ones of that step or handler in that execution fail, too. See
/// [`FailTest`] for what is checked, and for what can be set.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::fail_everywhere;
///
/// #[state] pub struct Placed { item: String }
/// #[state(end)] pub struct Shipped { parcel: String }
/// #[state(end)] pub struct Cancelled;
///
/// pub struct Order;
///
/// #[workflow(start = Placed, allow(small_machine))]
/// impl Order {
///     #[state]
///     async fn ship(&self, cx: &Cx, order: Placed) -> Result<Shipped> {
///         Ok(Shipped { parcel: self.book(cx, &order.item).await? })
///     }
///
///     #[catch]
///     fn gave_up(&self, _: Placed, _: Error) -> Cancelled { Cancelled }
///
///     #[step(retry(max = 3))]
///     async fn book(&self, _: &Cx, item: &str) -> Result<String> { Ok(format!("a box with a {item}")) }
/// }
///
/// // In a `#[test]`; no runtime is needed around it.
/// let report = fail_everywhere(|sim| async move {
///     sim.workflow(|| Order);
///     sim.start::<Order>("order-1", Placed { item: "kettle".into() }).await?.outcome().await?;
///     Ok(())
/// });
/// assert_eq!((report.attempts, report.handlers, report.runs), (1, 1, 4));
/// ```
///
/// # Panics
/// If something does not hold in one of them: with the place, the history, and how to run that one again.
#[track_caller]
pub fn fail_everywhere<T: fmt::Debug, F: Future<Output = Result<T>>>(scenario: impl Fn(Sim) -> F) -> FailReport {
    FailTest::new().run(scenario)
}

/// What [`fail_everywhere`] does, with settings.
///
/// The scenario is called for each run, so what it makes is new in each: the outside world belongs into it. In a run with a failure it
/// sees other outcomes than without, and says so as code does: with `?`, it ends with the error of an execution that is
/// parked, and that is allowed. What has to hold whatever fails, it asserts: a panic is a failure. After it has ended, thirty days pass, so that retries
/// and undos come to their end.
///
/// What has to hold in each run:
///
/// | what | |
/// |---|---|
/// | the scenario ends | well or with an error, but not with a panic. It may wait for ever only for executions that wait for an event, as they do where an edge for errors has led to a person |
/// | no execution is lost | each that has run is there in the end |
/// | every execution is at rest | in an end state, parked with its error, closed, or in a state that waits for an event, a timer, a child; it does not run or unwind for ever |
/// | what is undone is undone | an unwinding that came to its end has undone each step of the visit that had succeeded and has an `undo` |
/// | what the test says | in [`check`](Self::check) |
///
/// A step whose error is a type of its own fails as by a panic, and one with the boxed [`Error`](crate::Error) with a text.
#[must_use = "nothing is played before `run`"]
pub struct FailTest<'a> {
    seed: u64,
    only: Option<Result<Course, String>>,
    check: Option<Check<'a>>,
}

type Check<'a> = Box<dyn Fn(&[FailEnd]) -> Result<()> + 'a>;

impl fmt::Debug for FailTest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FailTest").field("seed", &self.seed).field("only", &self.only).finish_non_exhaustive()
    }
}

impl Default for FailTest<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// How an execution was left in a run with a failure.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FailEnd {
    /// The execution.
    pub key: ExecutionKey,
    /// What it does.
    pub status: Status,
    /// The persisted name of the state that it is in.
    pub state: String,
    /// The data of that, as JSON.
    pub data: Value,
    /// Why it is parked, if it is.
    pub error: Option<ErrorRecord>,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FailReport {
    /// How many attempts of steps there are without a failure.
    pub attempts: u64,
    /// How many runs of handlers there are without a failure, undos included.
    pub handlers: u64,
    /// How many runs with a failure there were.
    pub runs: usize,
    /// How many of them ended with an error of the scenario.
    pub refused: usize,
}

impl fmt::Display for FailReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} attempts of steps, {} runs of handlers: survived {} failures, of which the scenario was told {}",
            self.attempts, self.handlers, self.runs, self.refused
        )
    }
}

impl<'a> FailTest<'a> {
    /// With the seed 0.
    pub fn new() -> Self {
        Self { seed: 0, only: None, check: None }
    }

    /// With another seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Only this run, as a failure has named it: `seed=0,attempt=5` or `seed=0,handler=3,for-good`.
    pub fn only(mut self, run: &str) -> Self {
        self.only = Some(run.parse());
        self
    }

    /// Has `check` look at how all executions were left, in each run: with an error, or where it panics, it has not held.
    ///
    /// It is given one [`FailEnd`] for each execution, children and schedules included, in the order of workflow and id, after the thirty
    /// days: of those that ended as of those that are parked. It is called for the run without a failure, too. What the outside world has seen is
    /// not in it: have the scenario leave that where the check finds it, so that it is looked at also where the scenario itself ended with an error.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use std::cell::RefCell;
    /// # use std::sync::{Arc, Mutex};
    /// # use workflow_runtime::testing::FailTest;
    /// # #[state] pub struct Placed;
    /// # #[state(end)] pub struct Paid;
    /// # #[state(end)] pub struct Cancelled;
    /// # pub struct Order { bank: Arc<Mutex<i64>> }
    /// # #[workflow(start = Placed, allow(small_machine))]
    /// # impl Order {
    /// #     #[state]
    /// #     async fn pay(&self, cx: &Cx, _: Placed) -> Result<Paid> { self.charge(cx).await?; self.mail(cx).await?; Ok(Paid) }
    /// #     #[catch]
    /// #     fn failed(&self, _: Placed, _: Error) -> Unwind<Cancelled> { Unwind(Cancelled) }
    /// #     #[step(retry(max = 2), undo = refund)]
    /// #     async fn charge(&self, _: &Cx) -> Result<()> { *self.bank.lock().unwrap() = 5; Ok(()) }
    /// #     async fn refund(&self, _: &Cx, _: ()) -> Result<()> { *self.bank.lock().unwrap() = 0; Ok(()) }
    /// #     #[step(retry(max = 2))]
    /// #     async fn mail(&self, _: &Cx) -> Result<()> { Ok(()) }
    /// # }
    /// let bank = RefCell::new(Arc::new(Mutex::new(0)));
    /// FailTest::new()
    ///     .check(|ends| {
    ///         // An undo that was forgotten shows here: nobody has paid for what was cancelled.
    ///         if ends[0].state == "cancelled" {
    ///             assert_eq!(*bank.borrow().lock().unwrap(), 0);
    ///         }
    ///         Ok(())
    ///     })
    ///     .run(|sim| {
    ///         let of_run = Arc::<Mutex<i64>>::default();
    ///         *bank.borrow_mut() = Arc::clone(&of_run);
    ///         sim.workflow(move || Order { bank: Arc::clone(&of_run) });
    ///         async move {
    ///             sim.start::<Order>("order-1", Placed).await?.outcome().await?;
    ///             Ok(())
    ///         }
    ///     });
    /// ```
    ///
    /// Or without the outside world:
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::testing::{FailTest, Sim};
    /// # use workflow_runtime::Status;
    /// # async fn scenario(_: Sim) -> Result<()> { Ok(()) }
    /// FailTest::new()
    ///     .check(|ends| match ends.iter().find(|end| end.status == Status::Parked) {
    ///         Some(end) => Err(Error::msg(format!("{} needs a person", end.key))),
    ///         None => Ok(()),
    ///     })
    ///     .run(scenario);
    /// ```
    pub fn check(mut self, check: impl Fn(&[FailEnd]) -> Result<()> + 'a) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Plays the scenario in all these ways.
    ///
    /// # Panics
    /// If something does not hold in one of them: with the place, the history, and how to run that one again.
    #[track_caller]
    pub fn run<T: fmt::Debug, F: Future<Output = Result<T>>>(self, scenario: impl Fn(Sim) -> F) -> FailReport {
        let call = Call::next(VARIABLE);
        let only = call.only(self.only.as_ref());
        let seed = only.as_ref().map_or(self.seed, |course| course.seed);
        let without = Course { seed, point: None };
        let (played, _) = self.play(&without, &scenario);
        if let Err(what) = self.holds(&played).and_then(|()| refusal(&played).map_or(Ok(()), Err)) {
            panic!("the scenario fails without a failure already\n{}", told(call, &without, &played, None, &what));
        }
        let count = |is: fn(&SimEvent) -> bool| played.events.iter().filter(|(_, event)| is(event)).count() as u64;
        let attempts = count(|event| matches!(event, SimEvent::Began { .. }));
        let handlers = count(|event| matches!(event, SimEvent::Handler { .. }));
        let mut report = FailReport { attempts, handlers, runs: 0, refused: 0 };
        let whats = (1..=attempts).map(FailWhat::Attempt).chain((1..=handlers).map(FailWhat::Handler));
        let all = whats
            .flat_map(|what| [false, true].map(|for_good| Course { seed, point: Some(FailPoint { what, for_good }) }));
        let courses: Vec<_> = match only {
            Some(course) => vec![course],
            None => all.collect(),
        };
        for course in courses {
            let (played, failed) = self.play(&course, &scenario);
            if let Err(what) = self.holds(&played) {
                panic!(
                    "what has to hold does not, where something fails\n{}",
                    told(call, &course, &played, failed.as_deref(), &what)
                );
            }
            if course.point.is_some() && failed.is_none() {
                let what = format!(
                    "the run ended before it came to that: without a failure there are {attempts} attempts of steps and {handlers} runs of handlers"
                );
                panic!(
                    "the run that was asked for fails nothing\n{}",
                    told(call, &course, &played, None, &Ended::of(what))
                );
            }
            report.runs += 1;
            report.refused += usize::from(refusal(&played).is_some());
        }
        report
    }

    /// One run, and what has failed in it.
    #[track_caller]
    fn play<T: fmt::Debug, F: Future<Output = Result<T>>>(
        &self,
        course: &Course,
        scenario: &impl Fn(Sim) -> F,
    ) -> (Played<Result<(), String>>, Option<String>) {
        let world = std::cell::RefCell::new(None);
        let played = play(course.seed, Vec::new(), |sim| {
            course.point.into_iter().for_each(|point| sim.fail_at(point));
            *world.borrow_mut() = Some(sim.clone());
            let scenario = scenario(sim.clone());
            async move {
                let ended = scenario.await.map(drop).map_err(|error| chain(&error));
                sim.advance("30d").await;
                Ok(ended)
            }
        });
        let failed = world.borrow().as_ref().and_then(Sim::has_failed);
        (played, failed)
    }

    /// Whether everything holds in a run.
    fn holds(&self, played: &Played<Result<(), String>>) -> Result<(), Ended> {
        check::holds(played)?;
        let Some(check) = &self.check else { return Ok(()) };
        let end = |kept: &super::sim::Kept| {
            let record = &kept.stored.record;
            FailEnd {
                key: kept.key.clone(),
                status: record.status(),
                state: record.state.to_string(),
                data: serde_json::from_str(record.data.text()).unwrap_or(Value::Null),
                error: record.parked.as_ref().map(|parked| parked.error.clone()),
            }
        };
        let ends: Vec<_> = played.kept.iter().map(end).collect();
        // What a test asserts is told with the run that it does not hold in.
        let checked = catch_unwind(AssertUnwindSafe(|| check(&ends)));
        let refused = match checked {
            Ok(checked) => checked.map_err(|error| chain(&error)),
            Err(panic) => Err(panic_text(&*panic).to_owned()),
        };
        refused.map_err(Ended::of)
    }
}

/// The error that the scenario ended with.
fn refusal(played: &Played<Result<(), String>>) -> Option<Ended> {
    match &played.ending {
        Ending::Returned(Err(error)) => Some(Ended::of(format!("the scenario failed: {error}"))),
        Ending::Stuck(what) => Some(Ended::of(what.clone())),
        _ => None,
    }
}

/// All that there is to say of a run in which something did not hold.
fn told(
    call: Call,
    course: &Course,
    played: &Played<Result<(), String>>,
    failed: Option<&str>,
    what: &Ended,
) -> String {
    let failed = failed.map_or_else(String::new, |failed| format!("\n       fails: {failed}"));
    let said = what.what.replace('\n', "\n       ");
    let mut text = format!("\nwhere: {course}{failed}\nwhat:  {said}\n{}", histories(played, what.about.as_ref()));
    if course.point.is_some() {
        let alone = call.command(&course.to_string());
        let _ = writeln!(text, "\nthis run alone: {alone}");
        let _ = writeln!(text, "            or: FailTest::new().only(\"{course}\").run(…)");
    }
    text
}
