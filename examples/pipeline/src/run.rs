//! One run: send, take in, show, wait, count.

use std::time::Duration;

use example_support::say;
use tokio::sync::mpsc;
use tokio::time::sleep;
use workflow_runtime::store::StateCount;
use workflow_runtime::{Engine, Error, Result, Status};

use crate::intake::{QUEUE, take_in};
use crate::plant::Plant;
use crate::source::{Load, Reading};
use crate::workflow::Pipeline;

/// So many readings are worked on at once; the others are rows on disk.
pub const MAX_ACTIVE: usize = 32;

/// How often it says where it stands.
const PULSE: Duration = Duration::from_millis(250);

/// What stands how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    stored: u64,
    failed: u64,
    unfinished: u64,
    parked: u64,
}

impl Counts {
    async fn of(engine: &Engine) -> Result<Self> {
        let mut counts = Self::default();
        for StateCount { state, status, count, .. } in engine.counts::<Pipeline>().await? {
            match (status, state.as_str()) {
                (Status::Ended, "stored") => counts.stored += count,
                (Status::Ended, _) => counts.failed += count,
                (Status::Parked, _) => counts.parked += count,
                _ => counts.unfinished += count,
            }
        }
        Ok(counts)
    }

    fn started(self) -> u64 {
        self.stored + self.failed + self.unfinished + self.parked
    }
}

/// Sends the readings that have not been acknowledged, waits until every one has come to its end, and says whether as many
/// were stored and failed as were sent.
///
/// # Errors
/// If the engine stops, or the table cannot be read.
pub async fn run(engine: &Engine, plant: &Plant, load: Load) -> Result<bool> {
    let before = Counts::of(engine).await?;
    let first = u32::try_from(before.started())?;
    say(format!("{} readings, {} of them from before", load.readings, before.started()));
    let (sender, queue) = mpsc::channel(QUEUE);
    let watched = sender.downgrade();
    let (taken_in, (), peaks) =
        tokio::join!(take_in(engine, queue), load.send(first, sender), show(engine, &watched, load));
    taken_in?;
    let peaks = peaks?;
    say(format!(
        "at the peak {} of {QUEUE} in the queue, {} of {MAX_ACTIVE} at work, {} on disk",
        peaks.queued, peaks.active, peaks.unfinished
    ));
    let counts = Counts::of(engine).await?;
    let useless = u64::from(load.useless());
    let expected = Counts { stored: u64::from(load.readings) - useless, failed: useless, ..Counts::default() };
    let (rows, alarms) = plant.count().await?;
    say(format!("{} stored, {alarms} of them alarms, {} failed", counts.stored, counts.failed));
    let complete = counts == expected && u64::from(rows) == expected.stored;
    let bounded = peaks.queued <= QUEUE && peaks.active <= MAX_ACTIVE;
    match (complete, bounded) {
        (true, true) => say("checked: every reading is stored or failed, and no queue was over its bound"),
        (true, false) => say("WRONG: a queue was over its bound"),
        (false, _) => say(format!("WRONG: there was to be {expected:?}, and is {counts:?} with {rows} rows")),
    }
    Ok(complete && bounded)
}

/// The most that there was of each at once.
#[derive(Debug, Default)]
struct Peaks {
    queued: usize,
    active: usize,
    unfinished: u64,
}

/// Shows where it stands until every reading has come to its end.
async fn show(engine: &Engine, queue: &mpsc::WeakSender<Reading>, load: Load) -> Result<Peaks> {
    let mut peaks = Peaks::default();
    loop {
        for _ in 0..25 {
            let queued = queue.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity());
            peaks.queued = peaks.queued.max(queued);
            peaks.active = peaks.active.max(engine.active());
            sleep(PULSE / 25).await;
        }
        let counts = Counts::of(engine).await?;
        peaks.unfinished = peaks.unfinished.max(counts.unfinished);
        let Counts { stored, failed, unfinished, parked } = counts;
        say(format!("{stored:>7} stored {failed:>6} failed {unfinished:>6} on their way"));
        if parked > 0 {
            return Err(Error::msg(format!("{parked} readings are parked")));
        }
        if counts.started() >= u64::from(load.readings) && unfinished == 0 {
            return Ok(peaks);
        }
    }
}
