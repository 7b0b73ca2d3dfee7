//! One handler or step, called by itself: a context with no engine, no store and no runtime behind it.

mod clock;

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use self::clock::UnitClock;
use super::AnyMock;
use super::mock::Mocks;
use super::sim::chosen;
use crate::base::{Clock as _, ExecutionId, ManualClock, Timestamp};
use crate::kernel::Command;
use crate::machine::{Accepts, Answer, Answering, Cx, Flags, Interceptor, Services, StepSeen, Workflow};
use crate::record::{EventRecord, ExecutionKey, JournalEntry, JournalResult, NewEvent};

/// A context for calling one handler or step of `W` in a unit test, with no engine and no runtime: everything about it is the same in each
/// run.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::{cx, when};
///
/// #[state] pub struct Placed { item: String }
/// #[state(end)] pub struct Shipped { parcel: u64 }
///
/// pub struct Shop;
///
/// #[workflow(start = Placed, allow(small_machine))]
/// impl Shop {
///     #[state]
///     async fn ship(&self, cx: &Cx, order: Placed) -> Result<Shipped> {
///         let parcel = self.book(cx, &order.item).await?;
///         self.write(cx, parcel).await?;
///         Ok(Shipped { parcel })
///     }
///
///     #[step(retry(max = 5, backoff = "1s..1h"))]
///     async fn book(&self, _: &Cx, item: &str) -> Result<u64> { Ok(item.len() as u64) }
///
///     #[step(retry(max = 5, backoff = "1s..1h"))]
///     async fn write(&self, _: &Cx, _parcel: u64) -> Result<()> { Ok(()) }
/// }
///
/// # workflow_runtime::block_on(async {
/// // A step by itself, and a handler with the steps that it calls.
/// assert_eq!(Shop.book(&cx::<Shop>(), "kettle").await?, 6);
///
/// let write = when(Shop::write).fails_times(4, "no mail").then(());
/// let cx = cx::<Shop>().execution("order-1").mock(&write);
/// assert_eq!(Shop.ship(&cx, Placed { item: "kettle".into() }).await?.parcel, 6);
/// assert_eq!(cx.steps(), ["book", "write", "write", "write", "write", "write"]);
///
/// // As after a crash: what is recorded is not done again.
/// let cx = cx.recovered();
/// assert_eq!(Shop.ship(&cx, Placed { item: "kettle".into() }).await?.parcel, 6);
/// assert!(cx.steps().is_empty());
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
///
/// Handlers and steps that are private can be called, and mocked, in a unit test of their own module alone (`#[cfg(test)] mod tests` in the same
/// file): those that a test in `tests/` is to call are `pub`.
///
/// See [`UnitCx`] for what can be said of it, and for what it cannot do.
pub fn cx<W: Workflow>() -> UnitCx<W> {
    let setting = Setting::default();
    setting.mocks.knows(W::GRAPH);
    UnitCx { setting, made: OnceLock::new(), of: PhantomData }
}

/// 2030-01-01T00:00:00Z, as in a simulation.
const START: Timestamp = Timestamp::from_millis(1_893_456_000_000);

/// The context of [`cx`]. It is handed over as `&cx` wherever a `&Cx` is asked for.
///
/// | of it | is |
/// |---|---|
/// | [`Cx::now`] | the [time](Self::now) that was said, and what pauses have added to it |
/// | [`Cx::random`], [`Cx::uuid`] | the same for one [`seed`](Self::seed) |
/// | [`Cx::idempotency_key`] | the same for one [`execution`](Self::execution), [`visit`](Self::visit) and call |
/// | [`Cx::flag`] | off, unless [`flags`](Self::flags) says otherwise |
/// | steps | run for real, unless a [`mock`](Self::mock) takes their place; with their retries, and in no time between two attempts. Time stands still while one runs, also if another branch pauses, so its `timeout` cuts off a mock that takes too long, and nothing that is real |
/// | [`Cx::sleep`] | over at once, and the time is later |
/// | `#[parallel]` | as in an engine; branches share the thread |
/// | [`Cx::recv`] | an [event](Self::event) that was given beforehand. Without one it panics, and `recv_timeout` is over at once |
/// | [`Cx::send`], [`Cx::spawn`] | done, and nothing comes of it but what [`commands`](Self::commands) says |
/// | [`Cx::call`] | a panic: a child needs an engine, such as that of a [`Sim`](super::Sim) |
///
/// Where a step would end the handler, as one does that panics and whose error type has no room for that, it panics.
///
/// A [mock](super::Mock) that was never called is a failure when the context is dropped.
#[must_use = "it does nothing by itself: hand it to a handler or a step"]
pub struct UnitCx<W> {
    setting: Setting,
    made: OnceLock<Made>,
    of: PhantomData<fn() -> W>,
}

/// What is said of a context before it is used.
struct Setting {
    id: String,
    now: Timestamp,
    seed: u64,
    visit: u64,
    attempt: u32,
    flags: Option<Arc<dyn Flags>>,
    mocks: Arc<Mocks>,
    inbox: Vec<EventRecord>,
    journal: Vec<JournalEntry>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            id: "unit".to_owned(),
            now: START,
            seed: 0,
            visit: 1,
            attempt: 1,
            flags: None,
            mocks: Arc::new(Mocks::default()),
            inbox: Vec::new(),
            journal: Vec::new(),
        }
    }
}

/// A context in use.
struct Made {
    cx: Cx,
    clock: ManualClock,
    seen: Arc<Seen>,
}

impl<W: Workflow> fmt::Debug for UnitCx<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnitCx")
            .field("workflow", &W::NAME)
            .field("id", &self.setting.id)
            .finish_non_exhaustive()
    }
}

impl<W: Workflow> UnitCx<W> {
    /// Of the execution with this id; `unit`, unless this is said.
    ///
    /// # Panics
    /// If nothing can be called that; as all of these, if the context was used already.
    #[track_caller]
    pub fn execution(self, id: impl Into<String>) -> Self {
        let id = id.into();
        if let Err(error) = ExecutionId::new(&id) {
            panic!("no execution can be called {id:?}: {error}");
        }
        self.set(|setting| setting.id = id)
    }

    /// At this time; 2030-01-01T00:00:00Z, unless this is said. What [`Cx::now`] says is `(*cx).now()` in the test itself.
    ///
    /// # Panics
    /// If the context was used already.
    #[track_caller]
    pub fn now(self, now: Timestamp) -> Self {
        self.set(|setting| setting.now = now)
    }

    /// With this seed for what chance decides.
    ///
    /// # Panics
    /// If the context was used already.
    #[track_caller]
    pub fn seed(self, seed: u64) -> Self {
        self.set(|setting| setting.seed = seed)
    }

    /// In this visit; the first, unless this is said.
    ///
    /// # Panics
    /// If the context was used already.
    #[track_caller]
    pub fn visit(self, visit: u64) -> Self {
        self.set(|setting| setting.visit = visit)
    }

    /// The first attempt of each call that runs is this one: those before it have failed. Its step is to be retried, or there is no
    /// such attempt.
    ///
    /// # Panics
    /// If the context was used already.
    #[track_caller]
    pub fn attempt(self, attempt: u32) -> Self {
        self.set(|setting| setting.attempt = attempt)
    }

    /// With these feature flags: `.flags(|flag: &str, _: &ExecutionKey| flag == "new_carrier")`. In a simulation, the engine has them:
    /// see [`Sim::engine`](super::Sim::engine).
    ///
    /// # Panics
    /// If the context was used already.
    #[track_caller]
    pub fn flags(self, flags: impl Flags) -> Self {
        self.set(|setting| setting.flags = Some(Arc::new(flags)))
    }

    /// With a mock in place of its step, as in [`Sim::mock`](super::Sim::mock).
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn mock(self, mock: impl Into<AnyMock>) -> Self {
        self.setting.mocks.add(mock.into());
        self
    }

    /// With an event in the inbox, for a handler that waits for one with [`Cx::recv`].
    ///
    /// # Panics
    /// If the event cannot be saved, or the context was used already.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn event<E>(self, event: E) -> Self
    where
        W: Accepts<E>,
    {
        let payload = match W::encode_event(&event) {
            Ok(payload) => payload,
            Err(error) => panic!("the event `{}` cannot be saved: {error}", W::event_name()),
        };
        self.set(|setting| {
            let seq = setting.inbox.len() as u64 + 1;
            let (event_id, name) = (seq.to_string(), W::event_name().into());
            setting.inbox.push(EventRecord { seq, event: NewEvent { event_id, name, payload, sent_at: setting.now } });
        })
    }

    #[track_caller]
    fn set(mut self, set: impl FnOnce(&mut Setting)) -> Self {
        assert!(
            self.made.get().is_none(),
            "the context was used already: say all of it before, or make another one with `testing::cx`"
        );
        set(&mut self.setting);
        self
    }

    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let Setting { id, now, seed, visit, attempt, flags, mocks, inbox, journal } = &self.setting;
            let clock = ManualClock::new(*now);
            let unit = UnitClock::new(clock.clone());
            mocks.keep_time_by(unit.clone());
            let seen = Arc::new(Seen {
                seed: *seed,
                attempt: *attempt,
                clock: unit.clone(),
                mocks: Arc::clone(mocks),
                steps: Mutex::default(),
            });
            let mut services = Services::new(unit).interceptor(Arc::clone(&seen) as _);
            services.flags.clone_from(flags);
            let id = ExecutionId::new(id).unwrap_or_else(|error| unreachable!("it was looked at before: {error}"));
            let key = ExecutionKey { workflow: W::NAME.into(), id };
            Made { cx: Cx::of_unit(key, *visit, services, journal.clone(), inbox.clone()), clock, seen }
        })
    }

    /// The same execution after a crash: the same handler, called again, finds what is recorded so far, and does the rest. Mocks and
    /// chance go on as they were.
    pub fn recovered(&self) -> Self {
        let (made, said) = (self.made(), &self.setting);
        let journal = made.cx.journal();
        let is_there = |event: &&EventRecord| {
            let is_taken = |entry: &JournalEntry| matches!(&entry.result, JournalResult::Received { seq, .. } if *seq == event.seq);
            !journal.iter().any(is_taken)
        };
        let setting = Setting {
            id: said.id.clone(),
            now: made.clock.now(),
            seed: said.seed,
            visit: said.visit,
            attempt: said.attempt,
            flags: said.flags.clone(),
            mocks: Arc::clone(&said.mocks),
            inbox: said.inbox.iter().filter(is_there).cloned().collect(),
            journal,
        };
        Self { setting, made: OnceLock::new(), of: PhantomData }
    }

    /// What is recorded so far, in order: results of steps, times, random numbers.
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.made().cx.journal()
    }

    /// The attempts of steps that have begun, each by the name of its step. Since it was [recovered](Self::recovered), if it was.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        self.made().seen.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the handler had done to other executions: events sent, children spawned. Nothing but this comes of it.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        self.made().cx.commands()
    }

    /// How much time has passed, for the handler.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.made().clock.now().since(self.setting.now)
    }
}

impl<W: Workflow> Deref for UnitCx<W> {
    type Target = Cx;

    fn deref(&self) -> &Cx {
        &self.made().cx
    }
}

impl<W> Drop for UnitCx<W> {
    fn drop(&mut self) {
        // What the context was recovered to may still call them.
        let is_last = Arc::strong_count(&self.setting.mocks) <= 1 + usize::from(self.made.get().is_some());
        let called = self.made.get().map(|made| made.seen.told()).unwrap_or_default();
        if is_last
            && !thread::panicking()
            && let Some(unused) = self.setting.mocks.unused(&called)
        {
            panic!("{unused}");
        }
    }
}

/// What sees the steps of a context, and decides for them.
#[derive(Debug)]
struct Seen {
    seed: u64,
    attempt: u32,
    clock: UnitClock,
    mocks: Arc<Mocks>,
    // Held only to read or change plain data.
    steps: Mutex<Vec<String>>,
}

impl Seen {
    fn told(&self) -> Vec<String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().map(|step| format!("`{step}`")).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl Interceptor for Seen {
    fn called(&self, step: &StepSeen<'_>, arguments: &[Value]) {
        self.mocks.called(step, arguments);
    }

    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        if step.attempt < self.attempt {
            let message = format!("attempt {} has failed before the test begins", step.attempt);
            return Some(Box::pin(async move { Answer::Panicked(message) }));
        }
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step.step.to_owned());
        self.mocks.began(step)
    }

    fn running(&self, step: &StepSeen<'_>, runs: bool) {
        self.clock.running(step.call, runs);
    }

    fn chance(&self, call: u128) -> Option<u64> {
        Some(chosen(self.seed, call))
    }
}
