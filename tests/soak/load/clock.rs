//! Schedules: every tick starts one execution, also those that fell due while no process ran.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use workflow_runtime::prelude::*;
use workflow_runtime::{CatchUp, EngineError, Overlap, RunEnd, Schedule, ScheduleHandle, ScheduleInfo, Timestamp};

use super::{Driver, Found, Piece, noted};
use crate::expected::{End, Expected, step, value};
use crate::log::Effect;
use crate::world::World;

/// What a tick starts.
#[workflow(vis = pub)]
async fn shift(cx: &Cx, #[dep] world: &World, failures: u32) -> Result<u64> {
    let tick = cx.scheduled_at().ok_or_else(|| Error::msg("nobody scheduled it"))?;
    let begun = toil(cx, world, "begin", failures, tick).await?;
    cx.sleep(Duration::from_millis(2)).await;
    let ended = toil(cx, world, "end", 0, tick).await?;
    Ok(begun + ended)
}

#[step(retry(max = 3, backoff = "1ms..8ms"))]
async fn toil(cx: &Cx, world: &World, name: &str, failures: u32, tick: Timestamp) -> Result<u64> {
    world.effect_with(cx, name, failures, &tick.to_string()).await
}

/// What a run comes to.
fn run(id: &str, failures: u32) -> Expected {
    let output = value(id, "begin") + value(id, "end");
    let phases = [step("begin", failures), step("end", 0)].concat();
    Expected::new("Shift", id, "done", json!({ "output": output }), phases).through(["running", "done"])
}

/// What a run comes to that another one may replace, at any moment.
fn replaced_run(id: &str, failures: u32) -> Expected {
    let run = run(id, failures);
    let End::In(state, data) = run.end else { return run };
    let ways = run.ways.iter().flat_map(|way| (0..=way.len()).map(|made| way[..made].to_vec())).collect();
    Expected { end: End::InOrCancelled(state, data), ways, states: None, ..run }
}

/// What a schedule is at the end.
fn deleted(id: &str) -> Expected {
    let end = End::Resting("deleted");
    Expected { workflow: "WorkflowSchedule", id: id.to_owned(), end, ways: vec![Vec::new()], states: None }
}

/// When a run had its first and its last effect.
fn span(id: &str, found: &Found<'_>) -> (usize, usize) {
    let effects = found.effects.get(&format!("Shift/{id}")).map(Vec::as_slice).unwrap_or_default();
    let place = |effect: Option<&Effect>| effect.map_or(0, |effect| effect.place);
    (place(effects.first()), place(effects.last()))
}

/// The runs were one after the other, unless overlaps are allowed.
fn check_overlaps(overlap: Overlap, ids: &[String], found: &Found<'_>) -> Result<(), String> {
    // One that was replaced may have had no effect.
    let ids: Vec<_> = ids.iter().filter(|id| found.effects.contains_key(&format!("Shift/{id}"))).collect();
    for pair in ids.windows(2) {
        let [before, after] = [pair[0], pair[1]].map(|id| span(id, found));
        if overlap != Overlap::Allow && before.1 >= after.0 {
            return Err(format!("{pair:?} were under way at {before:?} and {after:?}"));
        }
    }
    Ok(())
}

fn overlap(random: &mut fastrand::Rng) -> Overlap {
    [Overlap::Allow, Overlap::Queue, Overlap::Skip, Overlap::Replace][random.usize(..4)]
}

/// How it stands; nothing if it is deleted.
async fn describe(schedule: &ScheduleHandle) -> Result<Option<ScheduleInfo>> {
    let info = match schedule.describe().await {
        Ok(info) => info,
        Err(EngineError::Schedule(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_right = |end: &RunEnd| match end {
        RunEnd::Existed | RunEnd::Ended { .. } => true,
        RunEnd::Cancelled { reason } => reason.contains("replaced"),
        _ => false,
    };
    if info.missed > 0 || !info.recent.iter().filter_map(|run| run.end.as_ref()).all(is_right) {
        return Err(Error::msg(format!("a schedule has gone wrong: {info:?}")));
    }
    Ok(Some(info))
}

/// Waits until it stands so, or is deleted.
async fn until(schedule: &ScheduleHandle, stands: impl Fn(&ScheduleInfo) -> bool) -> Result<Option<ScheduleInfo>> {
    loop {
        match describe(schedule).await? {
            Some(info) if !stands(&info) => tokio::time::sleep(Duration::from_millis(5)).await,
            info => return Ok(info),
        }
    }
}

fn is_idle(info: &ScheduleInfo) -> bool {
    info.running.is_empty() && info.queued.is_empty()
}

/// Waits until a run has ended, which may not have begun.
async fn outcome(driver: &Driver, id: &str) -> Result<()> {
    loop {
        match driver.engine.execution::<Shift>(id)?.outcome().await {
            Ok(_) => return Ok(()),
            Err(EngineError::UnknownExecution { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn delete(schedule: &ScheduleHandle) -> Result<()> {
    match schedule.delete().await {
        Ok(()) | Err(EngineError::Schedule(_)) => {}
        Err(error) => return Err(error.into()),
    }
    until(schedule, |_| false).await.map(drop)
}

/// A schedule that ticks for a while, whatever is killed meanwhile.
#[derive(Debug)]
pub struct Clock {
    period: u64,
    overlap: Overlap,
    failures: u32,
    /// It is paused after so many runs.
    runs: usize,
}

const SINCE: &str = "since";
const PAUSED: &str = "paused at";
const SKIPPED: &str = "skipped";
/// A run out of turn is asked for.
const ASKED: &str = "asked at";
const TRIGGERED: &str = "triggered";

impl Clock {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        // More often, and what a kill leaves to be made up for would take longer than the rest of the load.
        let period = random.u64(150..400);
        Self { period, overlap: overlap(random), failures: random.u32(..3), runs: random.usize(1..5) }
    }

    /// Ticks until it has been heard often enough.
    async fn tick(&self, driver: &Driver, id: &str) -> Result<()> {
        let since = match driver.noted(SINCE) {
            Some(since) => since.parse()?,
            None => jiff::Timestamp::now().as_millisecond(),
        };
        driver.note(format!("{SINCE} {since}"));
        let schedule = Schedule::every(Duration::from_millis(self.period))
            .starting_at(Timestamp::from_millis(since))
            .overlap(self.overlap)
            .catch_up(CatchUp::All { limit: 1_000 })
            .start::<Shift>(ShiftInput { failures: self.failures });
        let schedule = driver.engine.schedule(id, schedule).await?;
        until(&schedule, |info| info.recent.len() >= self.runs).await?;
        if driver.noted(TRIGGERED).is_none() {
            driver.note(format!("{ASKED} {}", jiff::Timestamp::now().as_millisecond()));
            let run = schedule.trigger_now().await?;
            driver.note(format!("{TRIGGERED} {run}"));
        }
        schedule.pause().await?;
        driver.note(format!("{PAUSED} {}", jiff::Timestamp::now()));
        Ok(())
    }
}

impl Piece for Clock {
    fn expected(&self, id: &str) -> Vec<Expected> {
        vec![deleted(id)]
    }

    fn expected_of_found(&self, id: &str, found: &Found<'_>) -> Result<Vec<Expected>, String> {
        let prefix = format!("Shift/{id}/");
        let names = found.executions.range(prefix.clone()..).take_while(|name| name.starts_with(&prefix));
        let mut ids: Vec<String> = names.filter_map(|name| Some(name.split_once('/')?.1.to_owned())).collect();
        let number = |word: &str| noted(found.acks, word).next().and_then(|text| text.parse::<i64>().ok());
        let (Some(since), Some(asked), Some(skipped)) = (number(SINCE), number(ASKED), number(SKIPPED)) else {
            return Err("it is not noted how it began and ended".to_owned());
        };
        let period = i64::try_from(self.period).map_err(|error| error.to_string())?;
        let mut ticks = BTreeSet::new();
        let mut out_of_turn = 0;
        for id in &ids {
            let time = id.rsplit('/').next().unwrap_or_default();
            let tick: jiff::Timestamp = time.parse().map_err(|error| format!("{time} is no time: {error}"))?;
            match tick.as_millisecond() - since {
                passed if passed % period != 0 => out_of_turn += 1,
                // Later, it may also be one out of turn, by chance.
                passed if tick.as_millisecond() < asked => {
                    ticks.insert(passed / period);
                }
                _ => {}
            }
        }
        let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else {
            return Err("it never ticked".to_owned());
        };
        let missing = last - first + 1 - i64::try_from(ticks.len()).map_err(|error| error.to_string())?;
        let may_skip = matches!(self.overlap, Overlap::Skip | Overlap::Replace);
        if missing > skipped || (skipped > 0 && !may_skip) {
            return Err(format!("it skipped {skipped} ticks, and {missing} are missing among {ids:?}"));
        }
        let asked = noted(found.acks, ASKED).count();
        if out_of_turn > asked {
            return Err(format!("it was triggered {asked} times, and has {out_of_turn} runs out of turn: {ids:?}"));
        }
        if let Some(lost) = noted(found.acks, TRIGGERED).find(|run| !ids.iter().any(|id| id == run)) {
            return Err(format!("`{lost}` was triggered, and is not there"));
        }
        ids.sort_by_key(|id| span(id, found));
        check_overlaps(self.overlap, &ids, found)?;
        let run = if self.overlap == Overlap::Replace { replaced_run } else { run };
        Ok(ids.iter().map(|id| run(id, self.failures)).collect())
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        driver.begin();
        if driver.noted(PAUSED).is_none() {
            self.tick(driver, id).await?;
        }
        let schedule = driver.engine.schedule_handle(id)?;
        // The pause is taken after what was triggered.
        let Some(info) = until(&schedule, |info| info.is_paused && is_idle(info)).await? else { return Ok(()) };
        driver.note(format!("{SKIPPED} {}", info.skipped));
        delete(&schedule).await
    }
}

/// A schedule that makes up for the ticks of some years long ago.
#[derive(Debug)]
pub struct Backfill {
    overlap: Overlap,
    failures: u32,
    years: i16,
}

const FIRST_YEAR: i16 = 1990;

impl Backfill {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        Self { overlap: overlap(random), failures: random.u32(..3), years: random.i16(1..8) }
    }

    fn runs(&self, id: &str) -> Vec<String> {
        (0..self.years).map(|year| format!("{id}/{}", new_year(FIRST_YEAR + year))).collect()
    }
}

fn new_year(year: i16) -> Timestamp {
    let day = jiff::civil::date(year, 1, 1).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    Timestamp::from_millis(day.timestamp().as_millisecond())
}

impl Piece for Backfill {
    fn expected(&self, id: &str) -> Vec<Expected> {
        self.runs(id).iter().map(|id| run(id, self.failures)).chain([deleted(id)]).collect()
    }

    fn expected_of_found(&self, id: &str, found: &Found<'_>) -> Result<Vec<Expected>, String> {
        check_overlaps(self.overlap, &self.runs(id), found)?;
        Ok(Vec::new())
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        const FILLED: &str = "filled at";
        driver.begin();
        if driver.noted(FILLED).is_none() {
            let schedule = Schedule::cron("0 0 1 1 *")
                .starting_at(new_year(2200))
                .overlap(self.overlap)
                .start::<Shift>(ShiftInput { failures: self.failures });
            let schedule = driver.engine.schedule(id, schedule).await?;
            schedule.backfill(new_year(FIRST_YEAR), new_year(FIRST_YEAR + self.years - 1)).await?;
            for run in self.runs(id) {
                outcome(driver, &run).await?;
            }
            until(&schedule, is_idle).await?;
            driver.note(format!("{FILLED} {}", jiff::Timestamp::now()));
        }
        delete(&driver.engine.schedule_handle(id)?).await
    }
}
