//! What a schedule is: when it ticks, what it starts, and what it does where ticks meet.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cron::Cron;
use super::timetable::Timetable;
use super::{ScheduleError, zone};
use crate::base::{HumanDuration, Timestamp};
use crate::engine::EngineError;
use crate::machine::{State as _, Workflow};
use crate::record::{Json, JsonError, first_version, is_first_version};

/// The longest name, in bytes: that of an execution, less the time in the ids of those that are started.
pub(super) const LONGEST_NAME: usize = 220;
/// The most ticks that a backfill or a catch-up makes up for, and that wait for their turn.
pub(super) const MOST_TICKS: usize = 1_000;

const LONGEST_INTERVAL: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A schedule to be: when it ticks, and what each tick starts. [`Engine::schedule`](crate::Engine::schedule) makes it.
///
/// Each tick starts one execution, whose id is that of the schedule and the time of the tick: `nightly/2026-03-29T01:30:00Z`.
/// It finds that time by [`Cx::scheduled_at`](crate::Cx::scheduled_at). All are started with the same data.
///
/// | setting | default |
/// |---|---|
/// | [`time_zone`](Self::time_zone) | UTC |
/// | [`starting_at`](Self::starting_at) | at once |
/// | [`overlap`](Self::overlap) | [`Overlap::Skip`] |
/// | [`catch_up`](Self::catch_up) | [`CatchUp::Latest`] |
///
/// # When clocks are moved
///
/// | the clock | a cron expression that names every hour (`30 * * * *`) | any other (`30 2 * * *`) |
/// |---|---|---|
/// | goes forward | the times left out are passed over | a time that is left out ticks as much later as the clock moved |
/// | goes back | the repeated times tick twice | the repeated times tick the first time |
///
/// So the second ticks exactly once a day, and the first every hour that passes.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::{Engine, Overlap, Schedule};
///
/// #[workflow]
/// async fn backup(_: &Cx, db: String) -> Result<String> {
///     Ok(format!("{db}.dump"))
/// }
///
/// # workflow_runtime::block_on(async {
/// let engine = Engine::in_memory().workflow(Backup).start().await?;
/// let schedule = Schedule::cron("30 2 * * *")
///     .time_zone("Europe/Berlin")
///     .overlap(Overlap::Queue)
///     .start::<Backup>(BackupInput { db: "users".into() });
/// let nightly = engine.schedule("nightly", schedule).await?;
/// assert_eq!(nightly.describe().await?.workflow, "Backup");
///
/// let wrong = Schedule::cron("30 25 * * *").start::<Backup>(BackupInput { db: "users".into() });
/// let error = engine.schedule("nightly", wrong).await.unwrap_err();
/// assert!(error.to_string().contains("the hour `25` is out of range: it is 0 to 23"));
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
#[must_use = "`Engine::schedule` makes it"]
pub struct Schedule<S = StartsNothing> {
    times: AskedTimes,
    time_zone: Option<String>,
    starting_at: Option<Timestamp>,
    overlap: Overlap,
    catch_up: CatchUp,
    start: S,
}

/// As it was written.
#[derive(Debug)]
enum AskedTimes {
    Cron(String),
    Every(Interval),
}

/// So far, a [`Schedule`] starts nothing: say what, with [`start`](Schedule::start).
#[derive(Debug)]
pub struct StartsNothing;

/// A [`Schedule`] that says what each tick starts.
#[derive(Debug)]
pub struct StartsWorkflow {
    workflow: &'static str,
    version: u32,
    state: &'static str,
    data: Result<Json, JsonError>,
}

/// How much time is between two ticks: a [`Duration`], or a text such as `"90s"` or `"1h30m"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval(Result<Duration, String>);

impl Interval {
    /// The time, or the text that names none.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn duration(self) -> Result<Duration, String> {
        self.0
    }
}

impl From<Duration> for Interval {
    fn from(interval: Duration) -> Self {
        Self(Ok(interval))
    }
}

impl From<&str> for Interval {
    fn from(interval: &str) -> Self {
        Self(parse_interval(interval).ok_or_else(|| interval.to_owned()))
    }
}

/// What becomes of a tick while the execution that was started before it has not ended. One that is parked has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Overlap {
    /// It starts nothing.
    #[default]
    Skip,
    /// It waits for its turn. At most 1,000 wait; those beyond are skipped.
    Queue,
    /// The one before is cancelled, and it starts when that is over. If the next tick comes sooner, that one starts instead.
    Replace,
    /// It starts at once, beside the one before.
    Allow,
}

/// What becomes of the ticks that fell due while no engine ran.
///
/// A tick that an engine is late for by no more than a minute counts as on time, if it is the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CatchUp {
    /// They start nothing.
    None,
    /// The last of them starts, late.
    #[default]
    Latest,
    /// The last `limit` of them start, one after the other, whatever [`Overlap`] says; at once with [`Overlap::Allow`].
    All {
        /// From 1 to 1,000.
        limit: u32,
    },
}

impl Schedule {
    /// Ticks at the times that a cron expression names: minute, hour, day of the month, month, day of the week.
    ///
    /// | a field is | for instance |
    /// |---|---|
    /// | any | `*` |
    /// | a number or a name | `30`, `jan`, `fri`; Sunday is 0 and 7 |
    /// | a range, a step | `9-17`, `*/15`, `10-40/10` |
    /// | a list of these | `0,30`, `mon,wed-fri` |
    /// | as day of the month: the last | `L` |
    /// | as day of the week: the second, the last Friday | `fri#2`, `friL` |
    ///
    /// Where both fields of days say something, either is enough, as in every cron. `@hourly`, `@daily`, `@weekly`,
    /// `@monthly` and `@yearly` are short for the obvious.
    pub fn cron(expression: impl Into<String>) -> Self {
        Self::new(AskedTimes::Cron(expression.into()))
    }

    /// Ticks whenever that much time has passed since the schedule was made: `Schedule::every("1h30m")`.
    ///
    /// That goes on over restarts: making the same schedule again does not begin anew.
    pub fn every(interval: impl Into<Interval>) -> Self {
        Self::new(AskedTimes::Every(interval.into()))
    }

    fn new(times: AskedTimes) -> Self {
        Self {
            times,
            time_zone: None,
            starting_at: None,
            overlap: Overlap::default(),
            catch_up: CatchUp::default(),
            start: StartsNothing,
        }
    }

    /// What each tick starts.
    #[expect(clippy::needless_pass_by_value, reason = "as with `Engine::start`")]
    pub fn start<W: Workflow>(self, start: W::Start) -> Schedule<StartsWorkflow> {
        let Self { times, time_zone, starting_at, overlap, catch_up, start: StartsNothing } = self;
        let start =
            StartsWorkflow { workflow: W::NAME, version: W::VERSION, state: W::Start::NAME, data: start.encode() };
        Schedule { times, time_zone, starting_at, overlap, catch_up, start }
    }
}

impl<S> Schedule<S> {
    /// The time zone of a cron expression, by its IANA name: `Europe/Berlin`.
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// No tick is before `time`; an interval counts from it, and ticks at it.
    pub fn starting_at(mut self, time: Timestamp) -> Self {
        self.starting_at = Some(time);
        self
    }

    /// What becomes of a tick while the execution before it has not ended.
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// What becomes of the ticks that fell due while no engine ran.
    pub fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }

    /// The first `count` ticks after `time`, as if the schedule was made at `time`.
    ///
    /// # Errors
    /// [`ScheduleError`] says what is wrong with the schedule.
    ///
    /// ```
    /// use workflow_runtime::{Schedule, Timestamp};
    ///
    /// let ticks = Schedule::cron("0 9 * * mon-fri").time_zone("Europe/Berlin").ticks_after(Timestamp::EPOCH, 3)?;
    /// assert_eq!(ticks[0].to_string(), "1970-01-01T08:00:00Z");
    /// assert_eq!(ticks[2].to_string(), "1970-01-05T08:00:00Z");
    /// # Ok::<(), workflow_runtime::ScheduleError>(())
    /// ```
    pub fn ticks_after(&self, time: Timestamp, count: usize) -> Result<Vec<Timestamp>, ScheduleError> {
        let (times, starting_at) = (self.times()?, self.starting_at);
        let since = starting_at.unwrap_or(time);
        let after = starting_at.map_or(time, |start| time.max(just_before(start)));
        Ok(times.timetable(since)?.between(after, Timestamp::MAX, count))
    }

    fn times(&self) -> Result<Times, ScheduleError> {
        match (&self.times, &self.time_zone) {
            (AskedTimes::Cron(cron), zone) => {
                let time_zone = zone.clone().unwrap_or_else(|| "UTC".to_owned());
                let times = Times::Cron { cron: cron.clone(), time_zone };
                times.timetable(Timestamp::EPOCH)?;
                Ok(times)
            }
            (AskedTimes::Every(_), Some(_)) => Err(ScheduleError::TimeZoneOfInterval),
            (AskedTimes::Every(interval), None) => {
                let refused = |text: String| ScheduleError::Interval { text };
                let interval = interval.0.clone().map_err(refused)?;
                let millis = u64::try_from(interval.as_millis()).ok();
                match millis.filter(|millis| *millis > 0 && interval <= LONGEST_INTERVAL) {
                    Some(millis) => Ok(Times::Every { millis }),
                    None => Err(refused(HumanDuration(interval).to_string())),
                }
            }
        }
    }
}

impl Schedule<StartsWorkflow> {
    /// The schedule as it is kept.
    pub(super) fn into_spec(self) -> Result<Spec, EngineError> {
        let times = self.times()?;
        if let CatchUp::All { limit } = self.catch_up
            && !(1..=MOST_TICKS).contains(&usize::try_from(limit).unwrap_or(usize::MAX))
        {
            return Err(ScheduleError::CatchUpLimit { limit }.into());
        }
        let StartsWorkflow { workflow, version, state, data } = self.start;
        let data = data.map_err(|error| EngineError::unwritable(state, error))?;
        Ok(Spec {
            times,
            starting_at: self.starting_at,
            overlap: self.overlap,
            catch_up: self.catch_up,
            workflow: workflow.to_owned(),
            version,
            state: state.to_owned(),
            data,
        })
    }
}

impl<S> fmt::Debug for Schedule<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Schedule")
            .field("times", &self.times)
            .field("time_zone", &self.time_zone)
            .field("starting_at", &self.starting_at)
            .field("overlap", &self.overlap)
            .field("catch_up", &self.catch_up)
            .finish_non_exhaustive()
    }
}

/// A schedule as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) times: Times,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) starting_at: Option<Timestamp>,
    pub(super) overlap: Overlap,
    pub(super) catch_up: CatchUp,
    /// What is started: the persisted names of the workflow and its state, and the data.
    pub(super) workflow: String,
    /// The version of the workflow that the state is one of.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub(super) version: u32,
    pub(super) state: String,
    pub(super) data: Json,
}

/// When a schedule ticks, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Times {
    Cron { cron: String, time_zone: String },
    Every { millis: u64 },
}

impl Times {
    /// `since` is what an interval counts from.
    pub(super) fn timetable(&self, since: Timestamp) -> Result<Timetable, ScheduleError> {
        Ok(match self {
            Self::Cron { cron, time_zone } => {
                let cron = Cron::parse(cron)?;
                Timetable::Cron { cron, zone: zone::find(time_zone)? }
            }
            Self::Every { millis } => Timetable::Every { period: Duration::from_millis(*millis), since },
        })
    }
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron { cron, time_zone } => write!(formatter, "`{cron}` in {time_zone}"),
            Self::Every { millis } => write!(formatter, "every {}", HumanDuration(Duration::from_millis(*millis))),
        }
    }
}

/// The time that a tick at `time` is the first after.
pub(super) fn just_before(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_sub(1))
}

fn parse_interval(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 7 * 86_400_000),
        ("y", 365 * 86_400_000),
    ];
    let (mut rest, mut millis) = (text.trim(), 0_u64);
    while !rest.is_empty() {
        let number_end = rest.find(|char: char| !char.is_ascii_digit())?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|char: char| char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = after;
    }
    (millis > 0).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(schedule: &Schedule) -> String {
        schedule.ticks_after(Timestamp::EPOCH, 1).unwrap_err().to_string()
    }

    #[test]
    fn an_interval_is_a_duration_or_a_text() {
        let first = |interval: Interval| {
            let ticks = Schedule::every(interval).ticks_after(Timestamp::EPOCH, 1).unwrap();
            ticks.first().unwrap().as_millis()
        };
        assert_eq!(first("1h30m".into()), 5_400_000);
        assert_eq!(first("250ms".into()), 250);
        assert_eq!(first(Duration::from_secs(2).into()), 2_000);
        for text in ["", "0s", "1", "h", "1 h", "1x", "-1s", "99999999999999999999h"] {
            assert!(refused(&Schedule::every(text)).contains("is no interval"), "{text}");
        }
        assert!(refused(&Schedule::every(Duration::ZERO)).contains("`0s` is no interval"));
        assert!(refused(&Schedule::every("101y")).contains("to `100y`"));
    }

    #[test]
    fn a_start_in_the_future_is_the_first_tick_of_an_interval() {
        let start = Timestamp::from_millis(90_000);
        let ticks = Schedule::every("1m").starting_at(start).ticks_after(Timestamp::EPOCH, 2).unwrap();
        assert_eq!(ticks, [start, Timestamp::from_millis(150_000)]);
        let ticks = Schedule::cron("* * * * *").starting_at(start).ticks_after(Timestamp::EPOCH, 1).unwrap();
        assert_eq!(ticks, [Timestamp::from_millis(120_000)]);
    }

    #[test]
    fn a_mistake_is_told_by_name() {
        assert!(refused(&Schedule::cron("0 2 * *")).contains("it has 4 fields"));
        assert!(refused(&Schedule::cron("@daily").time_zone("Berlin")).contains("did you mean `Europe/Berlin`?"));
        assert!(refused(&Schedule::every("1h").time_zone("UTC")).contains("has no time zone"));
    }
}
