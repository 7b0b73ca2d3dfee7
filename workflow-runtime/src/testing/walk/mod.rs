//! Random walks: lists of events, waits, crashes and failures that chance makes, played against what is to hold always. A list
//! that breaks it is made as short as it can be.
//!
//! With the feature `proptest`, which makes the lists and shrinks them.

mod act;
mod play;
mod quiet;
mod run;
mod told;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy, Union};

pub use self::act::Act;
pub use self::play::Walked;
pub use self::run::WalkReport;
pub use self::told::WalkFailure;
use super::names::instead;
use super::sim::{Sim, outside_of_a_runtime};
use crate::base::Error;
use crate::engine::Interval;
use crate::machine::{Accepts, Event, Trigger, Workflow};
use crate::record::Json;

/// proptest, as this crate uses it.
pub use proptest;

/// How many walks there are, unless the test says otherwise.
const WALKS: u32 = 100;

/// How many acts a walk has at most, unless the test says otherwise.
const LENGTH: usize = 12;

/// How long nothing is done at the end, unless the test says otherwise.
const DRAIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often chance chooses one act rather than another.
const OFTEN: u32 = 3;

/// Random walks of one execution of `W` in a [`Sim`], against what is to hold after each act.
///
/// Strategies are those of proptest, which this crate has as [`walk::proptest`](proptest): as here, or as a dependency of your own for
/// its macros (`cargo add --dev proptest@1`).
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::walk::Walk;
/// use workflow_runtime::testing::walk::proptest::prelude::*;
///
/// #[state] #[derive(Debug)] pub struct Saving { sum: u64 }
/// #[state(end)] pub struct Paid { sum: u64 }
/// #[event] pub struct Coin { cents: u64 }
///
/// pub struct Piggy;
///
/// #[workflow(start = Saving)]
/// impl Piggy {
///     #[on]
///     fn saved(&self, saving: Saving, coin: Coin) -> Stay<Saving> {
///         Stay(Saving { sum: saving.sum + coin.cents })
///     }
///
///     #[after("30d")]
///     fn paid(&self, saving: Saving) -> Paid { Paid { sum: saving.sum } }
/// }
///
/// // In a plain `#[test]`.
/// Walk::<Piggy, _>::new(|sim| {
///     sim.workflow(|| Piggy);
///     (Saving { sum: 0 }, ()) // the start, and the outside world: what clients and services have seen
/// })
/// .event(1..=200_u64, |cents| Coin { cents })
/// .crashes()
/// .invariant(|walked| {
///     if let PiggyState::Paid(paid) = walked.state {
///         assert!(paid.sum <= 200 * walked.acts.len() as u64);
///     }
/// })
/// .run();
/// ```
///
/// # What a walk is
///
/// A list of [`Act`]s: events of the kinds that [`event`](Self::event) names, waits, and as the test says crashes of the process, the
/// cancelling of the execution, and failures of steps. The start and the outside world are made anew for each walk, and so is the
/// [`Sim`]. After each act everything comes to rest, and every [`invariant`](Self::invariant) is asked. At the end nothing is done for a
/// while ([`drain`](Self::drain)); then each execution of `W` has to have ended, to be parked with an error that says something, or to wait for
/// a time or an event: one that is stuck breaks the walk, as does an error of the engine. An event that nobody takes stays in the inbox, or is
/// refused as its type says; that is no failure, unless [`every_event_is_taken`](Self::every_event_is_taken). A kind of event that no walk has
/// sent is one.
///
/// The walks follow from the seed, so each run of a test has the same ones, and there are no files of regressions: a walk that
/// failed goes into a test as text, by [`only`](Self::only). `WORKFLOW_WALK='walks=10000'` plays more of them, and
/// `WORKFLOW_WALK='seed=1'` others.
///
/// # In a test of `proptest!`
///
/// [`acts`](Self::acts) is the strategy, and [`play`](Self::play) plays what it makes:
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # use workflow_runtime::testing::walk::Walk;
/// # use workflow_runtime::testing::walk::proptest::prelude::*;
/// # #[state] pub struct Asked;
/// # #[state(end)] pub struct Answered;
/// # #[event] pub struct Answer;
/// # pub struct Question;
/// # #[workflow(start = Asked)]
/// # impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
/// fn walk() -> Walk<Question, ()> {
///     Walk::new(|sim| {
///         sim.workflow(|| Question);
///         (Asked, ())
///     })
///     .event(Just(()), |()| Answer)
/// }
///
/// proptest! {
///     # #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]
///     // #[test]
///     fn holds(acts in walk().acts()) {
///         walk().play(&acts)?;
///     }
/// }
/// holds();
/// ```
#[must_use = "nothing is played before `run`"]
pub struct Walk<W: Workflow, O> {
    setup: Box<Setup<<W as Workflow>::Start, O>>,
    events: Vec<EventSource>,
    waits: Vec<Duration>,
    failing: BTreeMap<String, Failing>,
    crashes: bool,
    cancels: bool,
    invariants: Vec<Box<Invariant<W, O>>>,
    seed: u64,
    walks: u32,
    length: usize,
    drain: Duration,
    takes_all: bool,
    without_events: bool,
    only: Option<String>,
    mistake: Option<String>,
    /// The steps that were called in some walk.
    called: Arc<Mutex<BTreeSet<String>>>,
    /// The events that were sent in some walk.
    sent: Mutex<BTreeSet<String>>,
}

type Setup<S, O> = dyn Fn(&Sim) -> (S, O);
type Invariant<W, O> = dyn Fn(&Walked<'_, W, O>);
type KeyOf = dyn Fn(&Json) -> Option<String>;

/// Where events of one kind come from.
struct EventSource {
    name: &'static str,
    strategy: BoxedStrategy<Act>,
    /// What tells an event from another one.
    key: Box<KeyOf>,
}

/// How a step is made to fail.
#[derive(Clone)]
struct Failing(Arc<dyn Fn() -> Box<dyn Any + Send> + Send + Sync>);

impl Failing {
    fn make(&self) -> Box<dyn Any + Send> {
        (self.0)()
    }
}

impl fmt::Debug for Failing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Failing(..)")
    }
}

impl<W: Workflow, O> fmt::Debug for Walk<W, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Walk").field("workflow", &W::NAME).field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl<W: Workflow, O> Walk<W, O> {
    /// Walks that begin as `setup` says: it is given a new world for each, adds the workflow to it, and gives the start and the
    /// outside world that invariants are to see.
    pub fn new(setup: impl Fn(&Sim) -> (W::Start, O) + 'static) -> Self {
        let mut waits: Vec<_> = [1, 60, 3_600, 86_400].map(Duration::from_secs).to_vec();
        waits.extend(W::GRAPH.handlers.iter().filter_map(|handler| match handler.trigger {
            Trigger::After { delay } => Some(delay),
            Trigger::Every { period } => Some(period),
            _ => None,
        }));
        waits.sort();
        waits.dedup();
        Self {
            setup: Box::new(setup),
            events: Vec::new(),
            waits,
            failing: BTreeMap::new(),
            crashes: false,
            cancels: false,
            invariants: Vec::new(),
            seed: 0,
            walks: WALKS,
            length: LENGTH,
            drain: DRAIN,
            takes_all: false,
            without_events: false,
            only: None,
            mistake: None,
            called: Arc::default(),
            sent: Mutex::default(),
        }
    }

    /// Events of one kind: `data` is a strategy for what `make` makes an event of.
    pub fn event<E, S>(mut self, data: S, make: impl Fn(S::Value) -> E + 'static) -> Self
    where
        W: Accepts<E>,
        E: Event,
        S: Strategy + 'static,
    {
        let name = W::event_name();
        let strategy = data.prop_map(move |data| {
            let payload = W::encode_event(&make(data));
            let payload = payload.unwrap_or_else(|error| panic!("the event `{name}` cannot be written: {error}"));
            Act::Event { event: name.to_owned(), payload }
        });
        let key = |payload: &Json| {
            let event = E::decode(payload).ok()?;
            W::event_key(&event)
        };
        self.events.push(EventSource { name, strategy: strategy.boxed(), key: Box::new(key) });
        self
    }

    /// Walks without events, though the workflow takes some.
    pub fn without_events(mut self) -> Self {
        self.without_events = true;
        self
    }

    /// How long a wait may be: one of these. Without, it is a second, a minute, an hour, a day, or the length of one of the workflow's
    /// own timers. None of them: no waits.
    pub fn waits<D: Into<Interval>>(mut self, lengths: impl IntoIterator<Item = D>) -> Self {
        self.waits.clear();
        for length in lengths {
            match length.into().duration() {
                Ok(length) => self.waits.push(length),
                Err(text) => {
                    self.mistake = Some(format!("{text:?} is no length of time: write `30d` or `1h 30m`"));
                }
            }
        }
        self.waits.sort();
        self.waits.dedup();
        self
    }

    /// The process may die.
    pub fn crashes(mut self) -> Self {
        self.crashes = true;
        self
    }

    /// The execution may be cancelled.
    pub fn cancels(mut self) -> Self {
        self.cancels = true;
        self
    }

    /// The next attempt of this step may fail, where its errors are [`Error`]s.
    pub fn fails(self, step: &str) -> Self {
        let text = format!("the walk has `{step}` fail");
        self.fails_with(step, move || Error::msg(text.clone()))
    }

    /// The next attempt of this step may fail, with such an error: a value of the step's own type of errors.
    pub fn fails_with<E: Send + 'static>(mut self, step: &str, error: impl Fn() -> E + Send + Sync + 'static) -> Self {
        self.failing.insert(step.to_owned(), Failing(Arc::new(move || Box::new(error()))));
        self
    }

    /// What is to hold after each act, at the start and at the end. It says that it does not by a panic, as `assert!` does.
    pub fn invariant(mut self, holds: impl Fn(&Walked<'_, W, O>) + 'static) -> Self {
        self.invariants.push(Box::new(holds));
        self
    }

    /// With another seed: other walks, and another order of what happens at once. Without, it is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many walks there are: 100, unless this is said.
    pub fn walks(mut self, walks: u32) -> Self {
        self.walks = walks;
        self
    }

    /// How many acts a walk has at most: 12, unless this is said.
    pub fn length(mut self, acts: usize) -> Self {
        self.length = acts;
        self
    }

    /// How long nothing is done at the end: 30 days, unless this is said.
    pub fn drain(mut self, time: impl Into<Interval>) -> Self {
        match time.into().duration() {
            Ok(time) => self.drain = time,
            Err(text) => self.mistake = Some(format!("{text:?} is no length of time: write `30d` or `1h 30m`")),
        }
        self
    }

    /// An event that nobody has taken at the end breaks a walk.
    pub fn every_event_is_taken(mut self) -> Self {
        self.takes_all = true;
        self
    }

    /// Plays one walk alone: the text of a failure, an act a line.
    pub fn only(mut self, walk: &str) -> Self {
        self.only = Some(walk.to_owned());
        self
    }

    /// The strategy that makes the walks.
    ///
    /// # Panics
    /// If what was said of them cannot be meant.
    #[track_caller]
    pub fn acts(&self) -> BoxedStrategy<Vec<Act>> {
        if let Err(mistake) = self.check() {
            panic!("{mistake}");
        }
        // What comes first is what a walk is simplified to.
        let mut choices: Vec<_> = self.events.iter().map(|event| (OFTEN, event.strategy.clone())).collect();
        if !self.waits.is_empty() {
            choices.push((OFTEN, select(self.waits.clone()).prop_map(Act::Wait).boxed()));
        }
        choices.extend(self.failing.keys().map(|step| (1, Just(Act::Fail(step.clone())).boxed())));
        choices.extend(self.crashes.then(|| (1, Just(Act::Crash).boxed())));
        choices.extend(self.cancels.then(|| (1, Just(Act::Cancel).boxed())));
        match choices.is_empty() {
            true => Just(Vec::new()).boxed(),
            false => vec(Union::new_weighted(choices), 0..=self.length).boxed(),
        }
    }

    /// Plays one walk.
    ///
    /// # Errors
    /// If it breaks something.
    ///
    /// # Panics
    /// If it is called in a runtime, as in an async test.
    #[track_caller]
    pub fn play(&self, acts: &[Act]) -> Result<(), WalkFailure> {
        outside_of_a_runtime();
        self.play_acts(acts)
    }

    /// Whether what was said of the walks can be meant.
    fn check(&self) -> Result<(), String> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let taken: Vec<_> =
            W::GRAPH.events.iter().map(|event| event.name).filter(|name| !name.starts_with('~')).collect();
        if self.events.is_empty() && !self.without_events && self.only.is_none() && !taken.is_empty() {
            let taken: Vec<_> = taken.into_iter().map(|name| format!("`{name}`")).collect();
            return Err(format!(
                "{} takes {}, and no walk sends an event: say how one is made with `.event(…)`, or that there are to be none with `.without_events()`",
                W::NAME,
                taken.join(", ")
            ));
        }
        Ok(())
    }

    /// Whether the workflow has what these are about.
    fn known(&self, acts: &[Act]) -> Result<(), String> {
        for act in acts {
            match act {
                Act::Event { event, .. }
                    if W::GRAPH.event(event).is_none() && !self.events.iter().any(|known| known.name == event) =>
                {
                    let taken = W::GRAPH.events.iter().map(|event| event.name).filter(|name| !name.starts_with('~'));
                    return Err(format!(
                        "{} takes no event `{event}`: in the walk {act:?}. Its events are {}",
                        W::NAME,
                        instead(event, taken)
                    ));
                }
                Act::Fail(step) if !self.failing.contains_key(step) => {
                    let said = self.failing.keys().map(String::as_str);
                    return Err(format!(
                        "how `{step}` fails is not said: `.fails({step:?})`. It is said of these: {}",
                        instead(step, said)
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A step that is to fail, and that no walk has called.
    fn never_called(&self) -> Option<&str> {
        let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        self.failing.keys().find(|step| !called.contains(*step)).map(String::as_str)
    }

    /// An event that is given, and that no walk has sent.
    fn never_sent(&self) -> Option<&str> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        self.events.iter().map(|event| event.name).find(|event| !sent.contains(*event))
    }
}
