//! A simulated world: virtual time, one thread, one seed.
//!
//! The scenario is a future on a tokio runtime whose clock is paused, and so are the tasks of the engine: one thread runs
//! all of it, in an order that follows from the seed. The [`world`] keeps one process (an engine) up: it is started when it
//! is first needed, and started again when it has died. Between the engine and its store is a [`line`] which counts the
//! writes, is cut when the process dies, and delays answers as the seed has it. The [`tape`] sees every attempt of a step; what
//! of it is on disk is told by what the store answers, and by what the next process finds ([`given`]). A
//! [`watchdog`] finds out that nothing more will come.

mod clock;
mod ending;
mod execution;
mod fold;
mod fuse;
mod given;
mod injected;
mod line;
mod rest;
mod seed;
mod stuck;
mod tape;
mod told;
mod watchdog;
mod world;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "proptest")]
pub(super) use ending::outside_of_a_runtime;
pub(super) use ending::{Ending, Played, chain, play};
pub use execution::SimExecution;
pub(super) use fold::{Line, folded};
pub(super) use fuse::Point;
pub use injected::Injection;
pub(super) use injected::{FailPoint, FailWhat};
pub(super) use seed::chosen;
pub use tape::{SimCall, SimEvent};
pub(super) use told::{after, history as told_history};
pub(super) use world::Kept;

use self::world::{Up, World};
use crate::base::{Clock as _, ExecutionId, Result, Timestamp};
use crate::engine::{Engine, EngineBuilder, EngineError, Interval};
use crate::machine::{Interceptor, State as _, Workflow};
use crate::record::ExecutionKey;
use crate::store::{HistoryRow, Store};
use crate::testing::AnyMock;
use crate::testing::names::{instead, steps_of};

/// A simulated world in which workflows run: with virtual time, on one thread, in an order that follows from a seed. A clone
/// is the same world.
///
/// Thirty days pass in milliseconds: whenever everything waits, the clock moves on to the next time that somebody waits for.
/// That is tokio's paused clock, so what a step does with `tokio::time` is virtual, too. Two runs with one seed are the same,
/// to the millisecond of every row of a history.
///
/// ```
/// use std::time::Duration;
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::Sim;
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
/// // In a `#[test]`; no runtime is needed around it.
/// Sim::run(7, |sim| async move {
///     sim.workflow(|| Question);
///     let question = sim.start::<Question>("q-1", Asked).await?;
///     assert!(matches!(question.outcome().await?, QuestionOutcome::Forgotten(_)));
///     assert_eq!(sim.elapsed(), Duration::from_secs(30 * 24 * 60 * 60));
///     Ok(())
/// });
/// ```
///
/// # What the scenario is
///
/// It is the outside world: the clients, and the services that steps call. It lives on when the process dies, and so does what
/// it holds. The workflow does not: [`workflow`](Self::workflow) is given a function that makes it, which is called whenever
/// the process is started. What the scenario asks of an execution is asked when everything else has come to rest, and asked
/// again after a crash.
///
/// # What it cannot simulate
///
/// What takes real time: real connections, real threads. While one of those is waited for and nothing else, the clock moves
/// on, unless [`real_services`](Self::real_services) holds it. A `blocking` step runs on the thread of everything else. The order in which a `HashMap` or an unbiased
/// `tokio::select!` does things is chance that no seed reaches.
#[derive(Clone)]
pub struct Sim {
    world: Arc<World>,
}

/// A length of time, as a test has said it.
#[track_caller]
pub(super) fn length(duration: impl Into<Interval>) -> Duration {
    // No closure, whose panic would not be at the line of the test.
    match duration.into().duration() {
        Ok(length) => length,
        Err(text) => panic!("{text:?} is no length of time: write `30d` or `1h 30m`"),
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sim").field("seed", &self.world.seed).finish_non_exhaustive()
    }
}

impl Sim {
    /// Plays a scenario in a world of its own, and gives back what comes of it.
    ///
    /// # Panics
    /// If the scenario panics or returns an error; if it does not end, with what waits for what.
    #[track_caller]
    pub fn run<T, F: Future<Output = Result<T>>>(seed: u64, scenario: impl FnOnce(Self) -> F) -> T {
        match play(seed, Vec::new(), scenario).ending {
            Ending::Returned(value) => value,
            Ending::Failed(text) | Ending::Stuck(text) => panic!("the simulation with seed {seed} failed: {text}"),
            Ending::Panicked(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Adds a workflow. `make` is called whenever the process is started: what it is made with (clients, pools) is of the
    /// outside world and survives a crash, what it keeps to itself does not.
    ///
    /// # Panics
    /// If an execution was started already.
    #[track_caller]
    pub fn workflow<W: Workflow>(&self, make: impl Fn() -> W + Send + Sync + 'static) {
        self.world.configure("workflow", Arc::new(move |builder| builder.workflow(make())));
        self.world.knows(W::GRAPH);
    }

    /// Changes what the engine is started with: its limits, or its feature flags. The clock and the store are those of the
    /// simulation whatever this says.
    ///
    /// ```no_run
    /// # use workflow_runtime::ExecutionKey;
    /// # use workflow_runtime::testing::Sim;
    /// # fn example(sim: Sim) {
    /// sim.engine(|engine| engine.flags(|flag: &str, _: &ExecutionKey| flag == "new_carrier"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If an execution was started already.
    #[track_caller]
    pub fn engine(&self, configure: impl Fn(EngineBuilder) -> EngineBuilder + Send + Sync + 'static) {
        self.world.configure("engine", Arc::new(configure));
    }

    /// Puts another store in place of the one in memory. `open` is called whenever the process is started, and gives what is
    /// left of it by then. A store with threads of its own goes into an [`AtOnce`](super::AtOnce):
    /// `sim.store(move || SqliteStore::open(&path).map(AtOnce::new))`.
    ///
    /// ```no_run
    /// use workflow_runtime::testing::{FaultyStore, Sim};
    ///
    /// # fn example(sim: Sim) {
    /// let store = FaultyStore::in_memory();
    /// sim.store(move || Ok(store.reopen()));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If an execution was started already.
    #[track_caller]
    pub fn store<S: Store>(&self, open: impl Fn() -> Result<S, crate::store::StoreError> + Send + Sync + 'static) {
        self.world.open_store_with(Arc::new(move || Ok(Arc::new(open()?) as _)));
    }

    /// Puts a mock in place of its step: `sim.mock(when(Shop::reserve).returns(7))`, or `sim.mock(&reserve)`, to ask it afterwards
    /// what it was called with. See [`Mock`](super::Mock).
    ///
    /// # Panics
    /// If the step has a mock already, or the mock is in another world.
    #[track_caller]
    pub fn mock(&self, mock: impl Into<AnyMock>) {
        self.world.tape.mocks().add(mock.into());
    }

    /// Has a step or a handler fail that does not by itself: see [`Injection`]. One that nothing comes to is a failure of the scenario,
    /// as it tests nothing.
    ///
    /// # Panics
    /// If no workflow that was added so far has this state or this handler.
    #[track_caller]
    pub fn inject(&self, failure: Injection) {
        if let Some(mistake) = failure.mistake(&self.world.graphs()) {
            panic!("{mistake}");
        }
        self.world.tape.injected().add(failure);
    }

    /// Has what is at this place fail.
    pub(super) fn fail_at(&self, point: FailPoint) {
        self.world.tape.injected().fail_at(point);
    }

    /// What was at the place of [`fail_at`](Self::fail_at), if the scenario came there.
    pub(super) fn has_failed(&self) -> Option<String> {
        self.world.tape.injected().told()
    }

    /// Has `interceptor` see what runs, and answer in its place where it likes. Of several, the first that answers counts.
    pub fn interceptor(&self, interceptor: impl Interceptor) {
        self.world.tape.also(Arc::new(interceptor));
    }

    /// Has the world begin at another time than 2030-01-01T00:00:00Z.
    pub fn begin_at(&self, start: Timestamp) {
        self.world.clock.begin_at(start);
    }

    /// How long the process stays dead after a crash; not at all, unless this is said.
    ///
    /// # Panics
    /// If `downtime` is a text that says no length of time, as `"5m"` does.
    #[track_caller]
    pub fn downtime(&self, downtime: impl Into<Interval>) {
        self.world.set_downtime(length(downtime));
    }

    /// Has virtual time stand still until nothing has happened for `wait` of real time. For services that are real, such as a
    /// database, which answer in real time: without this, time would run ahead of them. Some milliseconds will do. Each
    /// time that the clock moves takes that long, and what threads do at once is chance that no seed reaches.
    ///
    /// # Panics
    /// If `wait` is a text that says no length of time, as `"20ms"` does.
    #[track_caller]
    pub fn real_services(&self, wait: impl Into<Interval>) {
        self.world.rests.hold(length(wait));
    }

    /// Has the process started again a second after its store has failed, as a supervisor would; what the scenario asked for
    /// is asked for again. Without, the engine stops as any does, and whoever asks it is told so.
    pub fn supervised(&self) {
        self.world.supervise();
    }

    /// When the scenario is given up: when it has waited for one thing for so long (a year and a day, unless this is said), or
    /// while so many commits were made (a million).
    ///
    /// # Panics
    /// If `longest` is a text that says no length of time, as `"90d"` does.
    #[track_caller]
    pub fn patience(&self, longest: impl Into<Interval>, most_commits: u64) {
        self.world.watchdog.set(length(longest), most_commits);
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.world.seed
    }

    /// A number that follows from the seed, another one each time: for what the scenario leaves to chance.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.world.chance(self.world.number())
    }

    /// Mocks need not be called.
    #[cfg(feature = "proptest")]
    pub(super) fn leave_mocks(&self) {
        self.world.leave_mocks();
    }

    /// A name that nothing else in this world has; the same one in each run.
    pub(super) fn next_id(&self) -> String {
        format!("sim-{}", self.world.number())
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// How long the world has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.world.clock.elapsed()
    }

    /// Starts an execution of `W`, as [`Engine::start`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn start<W: Workflow>(
        &self,
        id: impl AsRef<str>,
        start: W::Start,
    ) -> Result<SimExecution<W>, EngineError> {
        self.start_from(id.as_ref(), start, None).await
    }

    /// Starts an execution of `W` that begins at `at`, as [`Engine::start_at`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn start_at<W: Workflow>(
        &self,
        id: impl AsRef<str>,
        start: W::Start,
        at: Timestamp,
    ) -> Result<SimExecution<W>, EngineError> {
        self.start_from(id.as_ref(), start, Some(at)).await
    }

    /// Starts an execution of `W` that begins after `delay`, as [`Engine::start_after`] does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If `delay` is a text that says no length of time, as `"30d"` does.
    #[track_caller]
    pub fn start_after<W: Workflow>(
        &self,
        id: impl AsRef<str>,
        start: W::Start,
        delay: impl Into<Interval>,
    ) -> impl Future<Output = Result<SimExecution<W>, EngineError>> {
        let at = self.now() + length(delay);
        async move { self.start_from(id.as_ref(), start, Some(at)).await }
    }

    async fn start_from<W: Workflow>(
        &self,
        id: &str,
        start: W::Start,
        at: Option<Timestamp>,
    ) -> Result<SimExecution<W>, EngineError> {
        self.world.knows(W::GRAPH);
        let id = ExecutionId::new(id)?;
        let data = start.encode().map_err(|error| Engine::unwritable(W::Start::NAME, error))?;
        let what = format!("for the start of {}/{id}", W::NAME);
        self.repeat(what, Duration::ZERO, |engine, _| {
            let (id, data) = (id.clone(), data.clone());
            async move { engine.start_encoded::<W>(id, data, at).await }
        })
        .await?;
        Ok(SimExecution::new(self.clone(), id))
    }

    /// The execution of `W` with this id. Whether there is one shows when it is used.
    ///
    /// # Panics
    /// If nothing can be called that.
    #[track_caller]
    #[must_use]
    pub fn execution<W: Workflow>(&self, id: impl AsRef<str>) -> SimExecution<W> {
        let id = id.as_ref();
        match ExecutionId::new(id) {
            Ok(id) => {
                self.world.knows(W::GRAPH);
                SimExecution::new(self.clone(), id)
            }
            Err(error) => panic!("no execution can be called {id:?}: {error}"),
        }
    }

    /// Does something with the engine that has no method here: makes a schedule, cancels all that a query finds. It is done
    /// when everything else has come to rest, and again after a crash, so it is to be such that doing it twice is doing it
    /// once. `what` says what the scenario waits for meanwhile, should it wait for ever.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::testing::Sim;
    /// use workflow_runtime::Schedule;
    /// # #[state] pub struct Due;
    /// # #[state(end)] pub struct Done;
    /// # pub struct Backup;
    /// # #[workflow(start = Due)]
    /// # impl Backup {
    /// #     #[state]
    /// #     fn run(&self, _: Due) -> Done { Done }
    /// # }
    ///
    /// Sim::run(7, |sim| async move {
    ///     sim.workflow(|| Backup);
    ///     sim.with("the schedule", |engine| async move {
    ///         engine.schedule("nightly", Schedule::cron("30 2 * * *").start::<Backup>(Due)).await
    ///     })
    ///     .await?;
    ///     sim.advance("30d").await;
    ///     assert_eq!(sim.histories().await?.len(), 31, "the schedule, and what it has started");
    ///     Ok(())
    /// });
    /// ```
    ///
    /// # Errors
    /// What it fails with.
    pub async fn with<R, X, F>(&self, what: &str, ask: impl Fn(Engine) -> F) -> Result<R, X>
    where
        F: Future<Output = Result<R, X>>,
        X: From<EngineError>,
    {
        self.repeat(format!("for {what}"), Duration::ZERO, |engine, _| ask(engine)).await
    }

    /// Asks the engine for something, and the next one if it dies before there is an answer.
    pub(super) async fn repeat<R, X, F>(
        &self,
        what: String,
        at_least: Duration,
        ask: impl Fn(Engine, bool) -> F,
    ) -> Result<R, X>
    where
        F: Future<Output = Result<R, X>>,
    {
        let world = &self.world;
        world.watchdog.progress(at_least);
        let _waits = world.waits_for(what);
        let mut again = false;
        let answer = loop {
            // Its engine is not held until then: the next process would find the store in use.
            let process = world.up().await.process;
            world.rests.rest().await;
            let is_it = |up: &Up| up.process == process && !world.fuse.is_dead(process);
            let Some(up) = world.up_now().filter(is_it) else { continue };
            let asked = ask(up.engine, again);
            again = true;
            tokio::select! {
                biased;
                () = world.fuse.died(process) => {}
                answer = asked => break answer,
            }
        };
        world.watchdog.progress(Duration::ZERO);
        answer
    }

    /// Lets time pass, and everything happen that is due by then.
    ///
    /// # Panics
    /// If `duration` is a text that says no length of time, as `"30d"` or `"1h 30m"` does.
    #[track_caller]
    pub fn advance<D: Into<Interval>>(&self, duration: D) -> impl Future<Output = ()> + Send + use<D> {
        let duration = length(duration);
        let world = Arc::clone(&self.world);
        async move {
            world.watchdog.progress(duration);
            let _waits = world.waits_for(format!("for {duration:?} to pass"));
            world.up().await;
            // What is under way at this time happens at this time.
            world.rests.rest().await;
            tokio::time::sleep(duration).await;
            world.rests.rest().await;
            world.watchdog.progress(Duration::ZERO);
        }
    }

    /// Lets everything happen that can happen without time passing.
    pub async fn rest(&self) {
        self.advance(Duration::ZERO).await;
    }

    /// Has the process die here and now, and waits for the next one.
    pub async fn crash(&self) {
        let world = &self.world;
        let up = world.up().await;
        world.tape.crashed("the scenario".to_owned());
        world.fuse.kill_now();
        world.fuse.died(up.process).await;
        world.up().await;
    }

    /// Everything that has happened so far, with the times: handlers and steps that ran, results that were saved, crashes.
    #[must_use]
    pub fn events(&self) -> Vec<(Timestamp, SimEvent)> {
        self.world.tape.events()
    }

    /// How many attempts of steps of this name have begun. A step that is a function of its own, or is written in a call, is known here
    /// once it was called, or has a mock: `sim.mock(when(tell).optional())`, which only looks on.
    ///
    /// # Panics
    /// If no workflow that was [added](Self::workflow) has a step or an undo of this name, and none was called or mocked.
    #[must_use]
    #[track_caller]
    pub fn attempts(&self, step: &str) -> usize {
        let attempts = self.world.tape.attempts(step);
        if attempts == 0 {
            let (graphs, called) = (self.world.graphs(), self.world.tape.step_names());
            let mut known = steps_of(&graphs);
            known.extend(called.iter().map(String::as_str));
            known.extend(self.world.tape.mocks().steps());
            assert!(
                known.contains(step),
                "there is no step `{step}` in this simulation, so it has no attempts: its steps are {}",
                instead(step, known.iter().copied())
            );
        }
        attempts
    }

    /// The history of every execution, schedules included, in the order of workflow and id: what two runs with one seed have
    /// in common, to the last row.
    ///
    /// # Errors
    /// That of the store.
    pub async fn histories(&self) -> Result<Vec<(ExecutionKey, Vec<HistoryRow>)>, EngineError> {
        self.rest().await;
        Ok(self.world.everything().await?.into_iter().map(|kept| (kept.key, kept.history)).collect())
    }
}
