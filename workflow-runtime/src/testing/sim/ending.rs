//! Playing a scenario to its end.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};

use super::Sim;
use super::fuse::Point;
use super::rest::Rests;
use super::seed::Seeded;
use super::stuck;
use super::tape::{SimCall, SimEvent};
use super::world::{Kept, World};
use crate::base::{Result, Timestamp};
use crate::machine::panic_text;
use crate::record::ExecutionKey;
use crate::testing::coverage::{Watched, say};

/// How a scenario ended.
pub(in crate::testing) enum Ending<T> {
    /// With this.
    Returned(T),
    /// With an error, or because the world broke down: this says why.
    Failed(String),
    /// Not at all: this says who waits for what.
    Stuck(String),
    /// With a panic.
    Panicked(Box<dyn Any + Send>),
}

impl<T> Ending<T> {
    /// Why it did not end well.
    pub(in crate::testing) fn failure(&self) -> Option<String> {
        match self {
            Self::Returned(_) => None,
            Self::Failed(text) | Self::Stuck(text) => Some(text.clone()),
            Self::Panicked(panic) => Some(format!("the scenario panicked: {}", panic_text(&**panic))),
        }
    }
}

/// What is left of a scenario.
pub(in crate::testing) struct Played<T> {
    pub(in crate::testing) ending: Ending<T>,
    /// When it began and when it ended.
    pub(in crate::testing) from: Timestamp,
    pub(in crate::testing) until: Timestamp,
    /// How many writes there were, and how many attempts of steps ended.
    pub(in crate::testing) counts: (u64, u64),
    /// The writes of several commits.
    pub(in crate::testing) batches: Vec<u64>,
    /// How many writes and steps there were whenever the process died.
    pub(in crate::testing) deaths: Vec<(u64, u64)>,
    /// How many rows each history had whenever the process died.
    pub(in crate::testing) rows: Vec<BTreeMap<ExecutionKey, usize>>,
    /// The points that were not come to.
    pub(in crate::testing) left: Vec<Point>,
    /// Every execution in the end.
    pub(in crate::testing) kept: Vec<Kept>,
    pub(in crate::testing) events: Vec<(Timestamp, SimEvent)>,
    /// What became of steps that ran again though their results were saved.
    pub(in crate::testing) repeated: Vec<Arc<SimCall>>,
}

impl<T> Played<T> {
    /// From when until when it lasted.
    pub(in crate::testing) fn span(&self) -> (Timestamp, Timestamp) {
        (self.from, self.until)
    }
}

/// Plays a scenario in a world in which the process dies at these points.
#[track_caller]
pub(in crate::testing) fn play<T, F: Future<Output = Result<T>>>(
    seed: u64,
    points: Vec<Point>,
    scenario: impl FnOnce(Sim) -> F,
) -> Played<T> {
    outside_of_a_runtime();
    let rests = Arc::new(Rests::default());
    let come = Arc::clone(&rests);
    let runtime =
        Builder::new_current_thread().enable_all().start_paused(true).on_thread_park(move || come.come()).build();
    let runtime = runtime.unwrap_or_else(|error| panic!("the runtime of the simulation cannot be made: {error}"));
    let _seeded = Seeded::new(seed);
    let _entered = runtime.enter();
    let is_undisturbed = points.is_empty();
    let watched = Watched::begin();
    let world = Arc::new(World::new(seed, rests, points, watched.observer()));
    let sim = Sim { world: Arc::clone(&world) };
    let begun = sim.clone();
    let played = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let ending = tokio::select! {
                biased;
                Err(error) = world.keep_up() => Ending::Failed(format!("the engine cannot be started: {}", chain(&error.into()))),
                stuck = stuck::noticed(&world) => Ending::Stuck(stuck),
                ended = to_its_end(&world, scenario(begun)) => match ended {
                    Ok(value) => match is_undisturbed.then(|| world.unused()).flatten() {
                        Some(unused) => Ending::Failed(unused),
                        None => Ending::Returned(value),
                    },
                    Err(error) => Ending::Failed(format!("the scenario failed: {}", chain(&error))),
                },
            };
            let kept = world.everything().await;
            world.end();
            (ending, kept)
        })
    }));
    let (ending, kept) = match played {
        Ok((ending, Ok(kept))) => (ending, kept),
        Ok((Ending::Failed(text) | Ending::Stuck(text), Err(_))) => (Ending::Failed(text), Vec::new()),
        Ok((_, Err(error))) => (Ending::Failed(format!("the store cannot be read in the end: {error}")), Vec::new()),
        Err(panic) => {
            let kept = catch_unwind(AssertUnwindSafe(|| runtime.block_on(world.everything())));
            world.end();
            (Ending::Panicked(panic), kept.ok().and_then(std::result::Result::ok).unwrap_or_default())
        }
    };
    let ending = match (watched.end(&kept), ending) {
        (Ok(()), ending) => ending,
        (Err(text), Ending::Returned(_)) => Ending::Failed(text),
        (Err(text), ending) => {
            say(&text);
            ending
        }
    };
    for kept in &kept {
        world.tape.found(u64::MAX, &kept.key, Some(&kept.stored));
    }
    Played {
        ending,
        from: world.clock.start(),
        until: sim.now(),
        counts: world.fuse.counts(),
        batches: world.fuse.batches(),
        deaths: world.fuse.deaths(),
        rows: world.tape.rows(),
        left: world.fuse.left(),
        kept,
        events: world.tape.events(),
        repeated: world.tape.repeated(),
    }
}

/// A simulation has a runtime of its own.
///
/// # Panics
/// If this is called in one.
#[track_caller]
pub(in crate::testing) fn outside_of_a_runtime() {
    assert!(
        Handle::try_current().is_err(),
        "a simulation has a runtime of its own: call it in a plain `#[test] fn`, not in an async one"
    );
}

/// Plays the scenario, then lets everything happen that it has left to happen without time passing.
async fn to_its_end<T>(world: &World, scenario: impl Future<Output = Result<T>>) -> Result<T> {
    let value = scenario.await?;
    world.settle().await;
    Ok(value)
}

/// An error with what caused it.
pub(in crate::testing) fn chain(error: &crate::base::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
