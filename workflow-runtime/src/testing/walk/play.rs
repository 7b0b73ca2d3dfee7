//! Playing one walk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::act::Act;
use super::quiet::Quiet;
use super::told::WalkFailure;
use super::{Failing, Walk};
use crate::base::{Name, Result, Timestamp};
use crate::engine::EngineError;
use crate::machine::{Answer, Answering, Interceptor, NOT_ITS_ERROR, StepSeen, Workflow};
use crate::record::{Activity, ErrorKind, ErrorRecord, ExecutionKey, ExecutionRecord, HistoryKind, Json, Status};
use crate::store::HistoryRow;
use crate::testing::names::instead;
use crate::testing::sim::{Ending, Kept, Sim, SimExecution, play};

/// The id of the execution that walks.
const WALKER: &str = "walk";

/// What an invariant is asked about: the execution after an act, when everything has come to rest.
#[derive(Debug)]
#[non_exhaustive]
pub struct Walked<'a, W: Workflow, O> {
    /// The state that it is in, or was in when it was cancelled or parked.
    pub state: &'a W::State,
    /// Its record: its status, what it waits for, why it was parked.
    pub record: &'a ExecutionRecord,
    /// Its history, oldest first.
    pub history: &'a [HistoryRow],
    /// The outside world.
    pub outside: &'a O,
    /// What was done so far.
    pub acts: &'a [Act],
}

impl<W: Workflow, O> Walked<'_, W, O> {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.record.status()
    }

    /// How often it has come to the state of this persisted name.
    ///
    /// # Panics
    /// If the workflow has no such state.
    #[must_use]
    #[track_caller]
    pub fn times_in(&self, state: &str) -> usize {
        let names: Vec<_> = W::GRAPH.states.iter().map(|state| state.name).collect();
        assert!(
            names.contains(&state),
            "there is no state `{state}` in `{}`: its states are {}",
            W::NAME,
            instead(state, names.iter().copied())
        );
        let entered = |row: &&HistoryRow| match &row.record.kind {
            HistoryKind::Started { to } | HistoryKind::Transition { to, .. } => *to == *state,
            _ => false,
        };
        self.history.iter().filter(entered).count()
    }
}

/// Which attempts of steps are to fail, and which steps ran at all.
#[derive(Debug, Default)]
struct Failures {
    inner: Mutex<BTreeMap<String, u32>>,
    errors: BTreeMap<String, Failing>,
    called: Arc<Mutex<BTreeSet<String>>>,
    /// A step whose errors are of another type than the one that it was to fail with.
    mistaken: Mutex<Option<String>>,
}

impl Failures {
    fn next(&self, step: &str) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner).entry(step.to_owned()).or_insert(0) += 1;
    }
}

#[derive(Debug)]
struct Failed(Arc<Failures>);

impl Interceptor for Failed {
    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        if step.handler.starts_with("~undo:") {
            return None;
        }
        let mut called = self.0.called.lock().unwrap_or_else(PoisonError::into_inner);
        if !called.contains(step.step) {
            called.insert(step.step.to_owned());
        }
        drop(called);
        let mut left = self.0.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let count = left.get_mut(step.step).filter(|count| **count > 0)?;
        *count -= 1;
        let error = self.0.errors.get(step.step)?.make();
        Some(Box::pin(async move { Answer::Failed(error) }))
    }

    fn ended(&self, step: &StepSeen<'_>, result: std::result::Result<&Json, &ErrorRecord>) {
        if result.is_err_and(|error| error.kind == ErrorKind::Panicked && error.message.contains(NOT_ITS_ERROR)) {
            *self.0.mistaken.lock().unwrap_or_else(PoisonError::into_inner) = Some(step.step.to_owned());
        }
    }
}

impl<W: Workflow, O> Walk<W, O> {
    /// Plays one walk, to its end.
    pub(super) fn play_acts(&self, acts: &[Act]) -> std::result::Result<(), WalkFailure> {
        let quiet = Quiet::begin();
        let done = Mutex::new(0);
        let at = |place: usize| *done.lock().unwrap_or_else(PoisonError::into_inner) = place;
        let played = play(self.seed, Vec::new(), |sim| self.walk(sim, acts, at));
        let what = match &played.ending {
            Ending::Returned(()) => self.end(&played.kept),
            Ending::Failed(text) | Ending::Stuck(text) => Some(text.clone()),
            Ending::Panicked(panic) => {
                let place = quiet.place().map_or_else(String::new, |place| format!(" (at {place})"));
                Some(format!("{}{place}", crate::machine::panic_text(&**panic)))
            }
        };
        drop(quiet);
        let after = *done.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => Err(WalkFailure::new(what, acts, after, &played)),
            None => Ok(()),
        }
    }

    async fn walk(&self, sim: Sim, acts: &[Act], at: impl Fn(usize)) -> Result<()> {
        let failures =
            Failures { errors: self.failing.clone(), called: Arc::clone(&self.called), ..Failures::default() };
        let failures = Arc::new(failures);
        // One walk may come to nothing that is mocked.
        sim.leave_mocks();
        sim.interceptor(Failed(Arc::clone(&failures)));
        let (start, outside) = (self.setup)(&sim);
        let walker = sim.start::<W>(WALKER, start).await?;
        self.look(&sim, &walker, &outside, &[]).await?;
        for (place, act) in acts.iter().enumerate() {
            at(place + 1);
            match act {
                Act::Event { event, payload } => match self.send(&walker, event, payload).await {
                    // Who comes too late, or is refused, knows that: the walk goes on.
                    Ok(()) | Err(EngineError::Ended { .. } | EngineError::Rejected { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
                Act::Wait(duration) => sim.advance(*duration).await,
                Act::Fail(step) => failures.next(step),
                Act::Crash => sim.crash().await,
                Act::Cancel => match walker.cancel("the walk").await {
                    Ok(()) | Err(EngineError::Ended { .. } | EngineError::Refused { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
            }
            self.look(&sim, &walker, &outside, &acts[..=place]).await?;
            if let Some(step) = failures.mistaken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                panic!(
                    "the errors of `{step}` are of a type of its own: have it fail with one of them, by `.fails_with({step:?}, || …)`"
                );
            }
        }
        at(acts.len() + 1);
        sim.advance(self.drain).await;
        self.look(&sim, &walker, &outside, acts).await
    }

    async fn look(&self, sim: &Sim, walker: &SimExecution<W>, outside: &O, acts: &[Act]) -> Result<()> {
        sim.rest().await;
        let (state, record, history) = (walker.state().await?, walker.record().await?, walker.history().await?);
        let walked = Walked { state: &state, record: &record, history: &history, outside, acts };
        self.invariants.iter().for_each(|holds| holds(&walked));
        Ok(())
    }

    async fn send(
        &self,
        walker: &SimExecution<W>,
        event: &str,
        payload: &Json,
    ) -> std::result::Result<(), EngineError> {
        let key = self.events.iter().find(|known| known.name == event).and_then(|known| (known.key)(payload));
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(event.to_owned());
        walker.send_named(event, payload.clone(), key).await
    }

    /// What is wrong with what is left.
    fn end(&self, kept: &[Kept]) -> Option<String> {
        let stuck = kept.iter().find(|kept| is_stuck::<W>(kept));
        if let Some(Kept { key, stored, .. }) = stuck {
            return Some(format!(
                "{key} is stuck in `{}`: it has not ended, is not parked, and waits for nothing that can come",
                stored.record.state
            ));
        }
        let nameless = |kept: &&Kept| {
            kept.stored.record.parked.as_ref().is_some_and(|parked| parked.error.to_string().trim().is_empty())
        };
        if let Some(Kept { key, stored, .. }) = kept.iter().find(nameless) {
            return Some(format!("{key} is parked in `{}`, and its error says nothing", stored.record.state));
        }
        let is_walker = |key: &ExecutionKey| *key.workflow == *W::NAME && key.id.as_str() == WALKER;
        let walker = kept.iter().find(|kept| is_walker(&kept.key)).filter(|_| self.takes_all)?;
        let left = walker.stored.inbox.iter().map(|event| Name::from(&event.event.name));
        let gone = walker.history.iter().filter_map(|row| match &row.record.kind {
            HistoryKind::EventLeft { event, .. } | HistoryKind::EventRefused { event, .. } => Some(event.clone()),
            _ => None,
        });
        let event = left.chain(gone).find(|event| !event.starts_with('~'))?;
        Some(format!("nobody has taken the event `{event}`"))
    }
}

/// Whether an execution of `W` has not ended and nothing can take it further.
fn is_stuck<W: Workflow>(Kept { key, stored, .. }: &Kept) -> bool {
    let record = &stored.record;
    let waits_for_time = record.starts_at.is_some()
        || record.resume_at.is_some_and(|at| at < Timestamp::MAX)
        || record.timers.iter().any(|timer| !timer.fired);
    // What runs while everything rests waits for something that the simulation does not know.
    let runs = record.resume_at.is_none() && !matches!(record.activity, Activity::Waiting | Activity::Ended);
    let waits_for_event = !record.waits_for.is_empty()
        || (!runs && W::GRAPH.events_of(&record.state).any(|event| !event.name.starts_with('~')));
    *key.workflow == *W::NAME
        && !record.status().is_over()
        && record.parked.is_none()
        && !waits_for_time
        && !waits_for_event
}
