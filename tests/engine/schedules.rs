//! Schedules: ticks, overlaps, catching up, and everything that their owner may ask of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Query, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{
    CatchUp, Engine, EngineError, ManualClock, Overlap, RunEnd, Schedule, ScheduleError, ScheduleHandle,
    StartsWorkflow, Timestamp,
};

use crate::fixture::{World, test};
use crate::hooked::{Call, Hooked};

/// When runs began, by the time that they were scheduled for.
#[derive(Debug, Default)]
pub struct Log {
    runs: Mutex<Vec<(String, String)>>,
    /// Until then, 13 minutes bring bad luck.
    is_lucky: AtomicBool,
}

impl Log {
    fn lucky(&self) {
        self.is_lucky.store(true, Ordering::Relaxed);
    }

    /// `scheduled>began`, the second without the date where that is the same.
    fn take(&self) -> Vec<String> {
        let entries = std::mem::take(&mut *self.runs.lock().unwrap());
        let text = |(scheduled, began): (String, String)| match began.strip_prefix(scheduled.split('T').next().unwrap())
        {
            _ if scheduled == began => scheduled,
            Some(time) => format!("{scheduled}>{time}"),
            None => format!("{scheduled}>{began}"),
        };
        entries.into_iter().map(text).collect()
    }
}

/// Takes as long as it is told to.
#[workflow(vis = pub)]
async fn chore(cx: &Cx, #[dep] log: &Arc<Log>, minutes: u64) -> Result<()> {
    let scheduled = cx.scheduled_at().ok_or_else(|| Error::msg("nobody scheduled it"))?;
    note(cx, log, scheduled, cx.now()).await?;
    if minutes == 13 && !log.is_lucky.load(Ordering::Relaxed) {
        return Err(Error::msg("bad luck"));
    }
    cx.sleep(Duration::from_secs(60 * minutes)).await;
    Ok(())
}

#[step]
async fn note(_: &Cx, log: &Log, scheduled: Timestamp, began: Timestamp) -> Result<()> {
    log.runs.lock().unwrap().push((scheduled.to_string(), began.to_string()));
    Ok(())
}

struct Office {
    world: World,
    log: Arc<Log>,
}

impl Office {
    fn at(time: &str) -> Self {
        let world = World { clock: ManualClock::new(at(time)), ..World::on(Arc::new(MemoryStore::new())) };
        Self { world, log: Arc::default() }
    }

    async fn engine(&self) -> Engine {
        self.world.builder().workflow(Chore { log: Arc::clone(&self.log) }).start().await.unwrap()
    }

    async fn pass(&self, engine: &Engine, minutes: u64) {
        self.world.pass(engine, Duration::from_secs(60 * minutes)).await;
    }

    /// What began while some minutes passed.
    async fn began(&self, engine: &Engine, minutes: u64) -> Vec<String> {
        self.pass(engine, minutes).await;
        self.log.take()
    }
}

fn at(time: &str) -> Timestamp {
    let millis = |time: &str| time.parse::<i64>();
    // A time of day on the first day there is.
    if let Some((hours, minutes)) = time.split_once(':') {
        return Timestamp::from_millis((millis(hours).unwrap() * 60 + millis(minutes).unwrap()) * 60_000);
    }
    Timestamp::from_millis(millis(time).unwrap())
}

fn texts(times: &[Timestamp]) -> Vec<String> {
    times.iter().map(ToString::to_string).collect()
}

fn hourly(minutes: u64) -> Schedule<StartsWorkflow> {
    Schedule::cron("@hourly").start::<Chore>(ChoreInput { minutes })
}

async fn skipped(schedule: &ScheduleHandle) -> u64 {
    schedule.describe().await.unwrap().skipped
}

#[test]
fn each_tick_starts_one_execution_that_knows_its_time() {
    test(async {
        let office = Office::at("00:10");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(5)).await.unwrap();
        assert_eq!(office.began(&engine, 49).await, [""; 0]);
        assert_eq!(office.began(&engine, 71).await, ["1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z"]);
        let info = schedule.describe().await.unwrap();
        assert_eq!((info.workflow.as_str(), info.times.as_str(), info.is_paused), ("Chore", "`@hourly` in UTC", false));
        assert_eq!(texts(&info.next)[..2], ["1970-01-01T03:00:00Z", "1970-01-01T04:00:00Z"]);
        assert_eq!((info.next.len(), info.running.len(), info.queued.len()), (5, 0, 0));
        let [first, second] = info.recent.as_slice() else { panic!("{info:?}") };
        assert_eq!(first.id.as_str(), "hourly/1970-01-01T01:00:00Z");
        assert_eq!((first.started_at, first.ended_at), (at("1:00"), Some(at("1:05"))));
        assert_eq!(second.end, Some(RunEnd::Ended { state: "done".to_owned() }));
        let run = engine.execution::<Chore>(&first.id).unwrap();
        assert!(matches!(run.outcome().await.unwrap(), ChoreOutcome::Done(_)));
    });
}

#[test]
fn a_night_in_berlin_is_as_long_as_its_clocks_say() {
    test(async {
        // The evening before the clocks go forward.
        let office = Office::at("1774720800000");
        let engine = office.engine().await;
        let nightly = Schedule::cron("30 2 * * *").time_zone("Europe/Berlin").start::<Chore>(ChoreInput { minutes: 5 });
        engine.schedule("nightly", nightly).await.unwrap();
        assert_eq!(office.began(&engine, 2 * 24 * 60).await, ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
    });
}

#[test]
fn an_interval_counts_from_when_it_was_made_and_over_restarts() {
    test(async {
        let office = Office::at("00:07");
        let engine = office.engine().await;
        let every = || Schedule::every("1h").start::<Chore>(ChoreInput { minutes: 1 });
        engine.schedule("every", every()).await.unwrap();
        assert_eq!(office.began(&engine, 90).await, ["1970-01-01T01:07:00Z"]);
        drop(engine);
        let engine = office.engine().await;
        engine.schedule("every", every()).await.unwrap();
        assert_eq!(office.began(&engine, 31).await, ["1970-01-01T02:07:00Z"]);
        let history = engine.list(&Query::default()).await.unwrap().executions;
        assert_eq!(history.len(), 3, "two runs and the schedule");
    });
}

#[test]
fn an_overlapping_tick_is_skipped() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(90)).await.unwrap();
        assert_eq!(office.began(&engine, 4 * 60 + 1).await, ["1970-01-01T01:00:00Z", "1970-01-01T03:00:00Z"]);
        assert_eq!(skipped(&schedule).await, 2);
    });
}

#[test]
fn an_overlapping_tick_waits_for_its_turn() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(90).overlap(Overlap::Queue)).await.unwrap();
        let expected = ["1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z>T02:30:00Z", "1970-01-01T03:00:00Z>T04:00:00Z"];
        assert_eq!(office.began(&engine, 4 * 60 + 1).await, expected);
        let info = schedule.describe().await.unwrap();
        assert_eq!((texts(&info.queued), info.skipped), (vec!["1970-01-01T04:00:00Z".to_owned()], 0));
    });
}

#[test]
fn an_overlapping_tick_replaces_the_one_before() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(90).overlap(Overlap::Replace)).await.unwrap();
        let expected = ["1970-01-01T01:00:00Z", "1970-01-01T02:00:00Z", "1970-01-01T03:00:00Z"];
        assert_eq!(office.began(&engine, 3 * 60 + 1).await, expected);
        let info = schedule.describe().await.unwrap();
        let ends: Vec<_> = info.recent.iter().map(|run| run.end.clone()).collect();
        assert!(
            matches!(&ends[..], [Some(RunEnd::Cancelled { .. }), Some(RunEnd::Cancelled { .. }), None]),
            "{ends:?}"
        );
        assert_eq!(info.running.len(), 1);
    });
}

#[test]
fn overlaps_may_be_allowed() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(150).overlap(Overlap::Allow)).await.unwrap();
        assert_eq!(office.began(&engine, 3 * 60 + 1).await.len(), 3);
        assert_eq!(schedule.describe().await.unwrap().running.len(), 3);
    });
}

/// A schedule at whose ticks from 1:00 to 4:00 no engine runs; what begins from half past four to 6:01.
async fn after_a_downtime(schedule: Schedule<StartsWorkflow>) -> (Vec<String>, u64) {
    let office = Office::at("0:00");
    let engine = office.engine().await;
    engine.schedule("hourly", schedule).await.unwrap();
    office.pass(&engine, 30).await;
    drop(engine);
    office.world.clock.advance(Duration::from_secs(4 * 3_600));
    let engine = office.engine().await;
    let began = office.began(&engine, 91).await;
    let missed = engine.schedule_handle("hourly").unwrap().describe().await.unwrap().missed;
    (began, missed)
}

#[test]
fn ticks_that_were_missed_are_made_up_for_as_declared() {
    test(async {
        let usual = ["1970-01-01T05:00:00Z", "1970-01-01T06:00:00Z"];
        let none = after_a_downtime(hourly(1).catch_up(CatchUp::None)).await;
        assert_eq!(none, (usual.map(str::to_owned).to_vec(), 1));
        let latest = after_a_downtime(hourly(1)).await;
        assert_eq!(latest.0, [&["1970-01-01T04:00:00Z>T04:30:00Z"], &usual[..]].concat());
        let all = after_a_downtime(hourly(1).catch_up(CatchUp::All { limit: 3 })).await;
        let caught_up =
            ["1970-01-01T02:00:00Z>T04:30:00Z", "1970-01-01T03:00:00Z>T04:31:00Z", "1970-01-01T04:00:00Z>T04:32:00Z"];
        assert_eq!(all.0, [&caught_up[..], &usual[..]].concat());
        let at_once = after_a_downtime(hourly(1).catch_up(CatchUp::All { limit: 9 }).overlap(Overlap::Allow)).await;
        let began: Vec<_> = at_once.0.iter().filter(|run| run.ends_with(">T04:30:00Z")).collect();
        assert_eq!(began.len(), 4);
    });
}

#[test]
fn while_it_is_paused_nothing_falls_due() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(1)).await.unwrap();
        schedule.pause().await.unwrap();
        let info = schedule.describe().await.unwrap();
        assert!(info.is_paused && info.next.is_empty());
        assert_eq!(office.began(&engine, 150).await, [""; 0]);
        // It stays so when it is made again, and over a restart.
        drop(engine);
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(1)).await.unwrap();
        assert_eq!(office.began(&engine, 60).await, [""; 0]);
        schedule.resume().await.unwrap();
        assert_eq!(texts(&schedule.describe().await.unwrap().next)[0], "1970-01-01T04:00:00Z");
        assert_eq!(office.began(&engine, 60).await, ["1970-01-01T04:00:00Z"]);
    });
}

#[test]
fn it_can_be_triggered_also_while_it_is_paused() {
    test(async {
        let office = Office::at("0:15");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(10)).await.unwrap();
        schedule.pause().await.unwrap();
        let id = schedule.trigger_now().await.unwrap();
        assert_eq!(id.as_str(), "hourly/1970-01-01T00:15:00Z");
        office.pass(&engine, 1).await;
        let second = schedule.trigger_now().await.unwrap();
        // The second waits for the first.
        assert_eq!(office.began(&engine, 20).await, ["1970-01-01T00:15:00Z", "1970-01-01T00:16:00Z>T00:25:00Z"]);
        assert!(engine.execution::<Chore>(second).unwrap().outcome().await.is_ok());
    });
}

#[test]
fn a_range_of_the_past_can_be_filled() {
    test(async {
        let office = Office::at("10:30");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(1)).await.unwrap();
        assert_eq!(schedule.backfill(at("1:00"), at("3:30")).await.unwrap(), 3);
        let expected =
            ["1970-01-01T01:00:00Z>T10:30:00Z", "1970-01-01T02:00:00Z>T10:31:00Z", "1970-01-01T03:00:00Z>T10:32:00Z"];
        assert_eq!(office.began(&engine, 10).await, expected);
        // Those that ran are left as they are.
        assert_eq!(schedule.backfill(at("2:00"), at("4:00")).await.unwrap(), 3);
        assert_eq!(office.began(&engine, 10).await, ["1970-01-01T04:00:00Z>T10:40:00Z"]);
        for (from, until) in [("1:10", "1:50"), ("3:00", "1:00")] {
            let refused = schedule.backfill(at(from), at(until)).await.unwrap_err();
            assert!(matches!(refused, EngineError::Schedule(ScheduleError::NoTick { .. })), "{refused}");
        }
        let refused = schedule.backfill(at("9:00"), at("11:00")).await.unwrap_err();
        assert!(refused.to_string().contains("1970-01-01T11:00:00Z is not: it is 1970-01-01T10:50:00Z"), "{refused}");
        let before = Timestamp::from_millis(-4_000_000_000);
        let refused = schedule.backfill(before, at("9:00")).await.unwrap_err();
        assert!(matches!(refused, EngineError::Schedule(ScheduleError::TooManyTicks { .. })), "{refused}");
    });
}

#[test]
fn another_definition_takes_effect_at_once_and_the_same_changes_nothing() {
    test(async {
        let office = Office::at("0:10");
        let engine = office.engine().await;
        let schedule = engine.schedule("chores", hourly(1)).await.unwrap();
        for _ in 0..3 {
            engine.schedule("chores", hourly(1)).await.unwrap();
        }
        assert_eq!(office.began(&engine, 51).await, ["1970-01-01T01:00:00Z"]);
        let later = Schedule::cron("30 * * * *").start::<Chore>(ChoreInput { minutes: 2 });
        engine.schedule("chores", later).await.unwrap();
        assert_eq!(schedule.describe().await.unwrap().times, "`30 * * * *` in UTC");
        assert_eq!(office.began(&engine, 60).await, ["1970-01-01T01:30:00Z"]);
    });
}

#[test]
fn a_deleted_schedule_is_gone_and_its_name_is_free() {
    test(async {
        let office = Office::at("0:10");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(90)).await.unwrap();
        office.pass(&engine, 51).await;
        schedule.delete().await.unwrap();
        assert!(engine.schedules().await.unwrap().is_empty());
        for refused in [schedule.pause().await, schedule.trigger_now().await.map(drop), schedule.delete().await] {
            assert_eq!(
                refused.unwrap_err().to_string(),
                "there is no schedule `hourly`: make it with `engine.schedule`"
            );
        }
        office.log.take();
        assert_eq!(office.began(&engine, 120).await, [""; 0]);
        // What it had started went on.
        let run = engine.execution::<Chore>("hourly/1970-01-01T01:00:00Z").unwrap();
        assert!(run.outcome().await.is_ok());
        engine.schedule("hourly", hourly(1)).await.unwrap();
        assert_eq!(engine.schedules().await.unwrap().len(), 1);
        assert_eq!(office.began(&engine, 60).await, ["1970-01-01T04:00:00Z"]);
    });
}

#[test]
fn what_is_wrong_is_told_at_the_call() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let chore = |schedule: Schedule| schedule.start::<Chore>(ChoreInput { minutes: 1 });
        let refused = async |name: &str, schedule: Schedule<StartsWorkflow>| {
            engine.schedule(name, schedule).await.unwrap_err().to_string()
        };
        let text = refused("a", chore(Schedule::cron("0 25 * * *"))).await;
        assert!(text.contains("the hour `25` is out of range: it is 0 to 23"), "{text}");
        let text = refused("a", chore(Schedule::cron("@daily").time_zone("Europe/Berln"))).await;
        assert!(text.contains("did you mean `Europe/Berlin`?"), "{text}");
        let text = refused("a", chore(Schedule::every(Duration::ZERO))).await;
        assert!(text.contains("`0s` is no interval"), "{text}");
        let text = refused("a", hourly(1).catch_up(CatchUp::All { limit: 0 })).await;
        assert!(text.contains("1 to 1000 ticks, not for 0"), "{text}");
        for name in ["", "a\nb", &"x".repeat(300)] {
            let text = refused(name, hourly(1)).await;
            assert!(text.contains("a schedule cannot be called"), "{text}");
        }
        let missing = engine.schedule_handle("b").unwrap().describe().await.unwrap_err().to_string();
        assert!(missing.contains("there is no schedule `b`"), "{missing}");
        assert!(engine.schedules().await.unwrap().is_empty());
        let without = office.world.engine().await;
        let unknown = without.schedule("a", hourly(1)).await.unwrap_err();
        assert!(matches!(unknown, EngineError::UnknownWorkflow { workflow } if workflow == "Chore"));
    });
}

#[test]
fn an_execution_that_is_parked_has_not_ended() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        let schedule = engine.schedule("hourly", hourly(13)).await.unwrap();
        office.pass(&engine, 130).await;
        let parked = schedule.describe().await.unwrap().running;
        assert_eq!(parked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["hourly/1970-01-01T01:00:00Z"]);
        assert_eq!(skipped(&schedule).await, 1);
        office.log.lucky();
        engine.execution::<Chore>(&parked[0]).unwrap().retry().await.unwrap();
        office.log.take();
        assert_eq!(office.began(&engine, 60).await, ["1970-01-01T03:00:00Z"]);
    });
}

#[test]
fn what_cannot_be_started_is_told_and_does_not_stop_the_schedule() {
    test(async {
        let office = Office::at("0:00");
        let engine = office.engine().await;
        engine.schedule("hourly", hourly(1)).await.unwrap();
        engine.shutdown().await.unwrap();
        drop(engine);
        let without = office.world.engine().await;
        office.pass(&without, 61).await;
        let info = without.schedule_handle("hourly").unwrap().describe().await.unwrap();
        let Some(RunEnd::Refused { message }) = &info.recent[0].end else { panic!("{info:?}") };
        assert!(message.contains("the engine does not know the workflow `Chore`"), "{message}");
        drop(without);
        let engine = office.engine().await;
        assert_eq!(office.began(&engine, 60).await, ["1970-01-01T02:00:00Z"]);
    });
}

/// A store that fails for good at a commit, before it is written or when it is to be acknowledged.
fn failing_after(store: &MemoryStore, commits: usize, is_written: bool) -> Arc<Hooked> {
    let left = AtomicUsize::new(commits);
    Hooked::new(store.clone(), move |call| {
        if !matches!((&call, is_written), (Call::Commit(_), false) | (Call::Committed, true)) {
            return Ok(());
        }
        let spent = left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
        if spent { Err(StoreError::Full) } else { Ok(()) }
    })
}

/// Lets a schedule tick at 1:00 and 2:00 on a store that fails at a commit, then mends the store. Says whether it did fail.
async fn ticks_over_a_crash(commits: usize, is_written: bool) -> bool {
    let schedule = || hourly(90).overlap(Overlap::Queue).catch_up(CatchUp::All { limit: 9 });
    let store = MemoryStore::new();
    let clock = ManualClock::new(at("0:00"));
    let world = World { clock, ..World::on(failing_after(&store, commits, is_written)) };
    let office = Office { world, log: Arc::default() };
    let engine = office.engine().await;
    let made = engine.schedule("hourly", schedule()).await.is_ok();
    office.pass(&engine, 3 * 60 - 1).await;
    let survived = made && engine.shutdown().await.is_ok();
    drop(engine);

    let world = World { store: Arc::new(store), clock: office.world.clock.clone(), ..World::default() };
    let mended = Office { world, log: Arc::clone(&office.log) };
    let engine = mended.engine().await;
    let schedule = engine.schedule("hourly", schedule()).await.unwrap();
    // Nothing is due any more when this returns, or the ticks of the past are.
    mended.pass(&engine, 0).await;
    schedule.pause().await.unwrap();
    mended.pass(&engine, 6 * 60).await;
    let info = schedule.describe().await.unwrap();
    assert!(info.running.is_empty() && info.queued.is_empty(), "{commits} commits: {info:?}");
    let ends: Vec<_> = info.recent.iter().map(|run| (run.scheduled_at, run.end.is_some())).collect();
    // Made only now, it has no tick in the past.
    let is_on_disk = made || is_written;
    let expected = if is_on_disk { vec![(at("1:00"), true), (at("2:00"), true)] } else { vec![] };
    assert_eq!(ends, expected, "{commits} commits");
    let started = engine.list(&Query::of::<Chore>()).await.unwrap().executions.len();
    assert_eq!(started, expected.len(), "{commits} commits");
    !survived
}

#[test]
fn whichever_commit_a_crash_comes_at_each_tick_starts_one_execution() {
    test(async {
        for is_written in [false, true] {
            let mut commits = 0;
            while ticks_over_a_crash(commits, is_written).await {
                commits += 1;
            }
            assert!(commits > 8, "{commits} commits are all that it takes");
        }
    });
}
