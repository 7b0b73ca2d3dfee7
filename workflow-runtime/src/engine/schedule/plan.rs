//! What a schedule does when: pure decisions over its persisted state.
//!
//! | what happens | what becomes of it |
//! |---|---|
//! | ticks have fallen due | the last one goes by [`Overlap`], those before it by [`CatchUp`] |
//! | a tick, and what it overlaps with still runs | skipped, or into the queue; with `Replace`, what runs is cancelled, and what was to replace it is skipped |
//! | a trigger, a backfill | into the queue |
//! | a run has ended, or nothing runs | the head of the queue starts |
//! | a pause | no tick falls due until it is resumed, and none is made up for; the queue goes on |

use std::collections::VecDeque;

use workflow_runtime::state;

use super::spec::{MOST_TICKS, Spec, just_before};
use super::timetable::{Timetable, newest};
use super::{CatchUp, Overlap, ScheduleError};
use crate::base::Timestamp;
use crate::record::{ChildEnd, Json};

/// A tick that is this late is on time.
const LATE_MILLIS: u64 = 60_000;
/// How many of the last runs are remembered.
const MOST_RECENT: usize = 10;

/// A schedule that ticks, or is paused.
#[state]
pub(super) struct Active {
    pub(super) spec: Spec,
    /// What an interval counts from.
    pub(super) since: Timestamp,
    /// The next tick; none while it is paused, or after the last one that calendars reach.
    pub(super) next: Option<Timestamp>,
    pub(super) paused: bool,
    /// Ticks that wait for their turn.
    pub(super) queue: VecDeque<Timestamp>,
    /// The one of these that waits for what it replaces to be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replacing: Option<Timestamp>,
    /// Ticks whose executions have not ended.
    pub(super) running: Vec<Timestamp>,
    /// The last runs, oldest first.
    pub(super) recent: VecDeque<Run>,
    /// How many ticks started nothing because of an overlap.
    pub(super) skipped: u64,
    /// How many times ticks were passed over that fell due while no engine ran.
    pub(super) missed: u64,
}

/// A schedule that was deleted, and may be made again.
#[state]
pub(super) struct Deleted {}

/// A schedule that was deleted long ago.
#[state(end)]
pub(super) struct Forgotten {}

/// One execution that the schedule has started.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Run {
    pub(super) tick: Timestamp,
    pub(super) started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<Timestamp>,
    /// How it ended: the end state, or why it came to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<RunEnd>,
}

/// How an execution ended that a schedule started.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnd {
    /// In this end state, by its persisted name.
    Ended {
        /// The name.
        state: String,
    },
    /// It was cancelled, for this reason.
    Cancelled {
        /// The reason.
        reason: String,
    },
    /// It was terminated, for this reason.
    Terminated {
        /// The reason.
        reason: String,
    },
    /// It could not be started.
    Refused {
        /// Why.
        message: String,
    },
    /// There was an execution of this id before, which was left as it is.
    Existed,
}

impl RunEnd {
    pub(super) fn of_child(end: ChildEnd) -> Option<Self> {
        Some(match end {
            ChildEnd::Ended { state, .. } => Self::Ended { state: state.into() },
            ChildEnd::Cancelled { reason } => Self::Cancelled { reason: reason.to_string() },
            ChildEnd::Terminated { reason } => Self::Terminated { reason: reason.to_string() },
            // It waits for a person, and has not ended.
            ChildEnd::Parked { .. } => return None,
        })
    }
}

impl Active {
    pub(super) fn new(spec: Spec, now: Timestamp) -> Result<Self, ScheduleError> {
        let mut schedule = Self {
            since: now,
            spec,
            next: None,
            paused: false,
            queue: VecDeque::new(),
            replacing: None,
            running: Vec::new(),
            recent: VecDeque::new(),
            skipped: 0,
            missed: 0,
        };
        schedule.set_times(now)?;
        Ok(schedule)
    }

    pub(super) fn timetable(&self) -> Result<Timetable, ScheduleError> {
        self.spec.times.timetable(self.since)
    }

    /// The data that each execution starts with.
    pub(super) fn data(&self) -> Json {
        self.spec.data.clone()
    }

    /// Takes a new definition. Where it ticks at the same times, it goes on from where it is.
    pub(super) fn redefine(&mut self, spec: Spec, now: Timestamp) -> Result<(), ScheduleError> {
        let same_times = self.spec.times == spec.times && self.spec.starting_at == spec.starting_at;
        self.spec = spec;
        if same_times { Ok(()) } else { self.set_times(now) }
    }

    fn set_times(&mut self, now: Timestamp) -> Result<(), ScheduleError> {
        self.since = self.spec.starting_at.unwrap_or(now);
        self.set_next(now)
    }

    /// Has it wait for the first tick after `now`.
    fn set_next(&mut self, now: Timestamp) -> Result<(), ScheduleError> {
        let after = self.spec.starting_at.map_or(now, |start| now.max(just_before(start)));
        self.next = if self.paused { None } else { self.timetable()?.after(after) };
        Ok(())
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
        self.next = None;
    }

    pub(super) fn resume(&mut self, now: Timestamp) -> Result<(), ScheduleError> {
        if !self.paused {
            return Ok(());
        }
        self.paused = false;
        self.set_next(now)
    }

    /// The tick that is due has come, whatever a clock says that somebody has turned back meanwhile, and those after it up to
    /// `now`. Says whether what runs is to be cancelled for the last one.
    pub(super) fn fall_due(&mut self, now: Timestamp) -> Result<bool, ScheduleError> {
        let Some(first) = self.next else { return Ok(false) };
        let now = now.max(first);
        let timetable = self.timetable()?;
        let limit = match self.spec.catch_up {
            CatchUp::All { limit } => usize::try_from(limit).unwrap_or(MOST_TICKS),
            CatchUp::None | CatchUp::Latest => 1,
        };
        let due = newest(&timetable, first, now, limit);
        self.next = timetable.after(now);
        let Some((latest, before)) = due.split_last() else { return Ok(false) };
        before.iter().for_each(|tick| self.enqueue(*tick));
        let late = now.since(*latest).as_millis() > u128::from(LATE_MILLIS);
        Ok(match self.spec.catch_up {
            CatchUp::None if late => {
                self.missed += 1;
                false
            }
            // It follows those before it.
            CatchUp::All { .. } if !before.is_empty() => {
                self.enqueue(*latest);
                false
            }
            CatchUp::None | CatchUp::Latest | CatchUp::All { .. } => self.tick(*latest),
        })
    }

    fn tick(&mut self, tick: Timestamp) -> bool {
        let overlaps = !self.running.is_empty() || !self.queue.is_empty();
        match self.spec.overlap {
            Overlap::Skip if overlaps => {
                self.skipped += 1;
                false
            }
            Overlap::Replace => {
                // What is cancelled may take long, and have been replaced more than once by then.
                if let Some(replaced) = self.replacing.replace(tick) {
                    self.queue.retain(|waiting| *waiting != replaced);
                    self.skipped += 1;
                }
                self.queue.push_front(tick);
                !self.running.is_empty()
            }
            Overlap::Skip | Overlap::Queue | Overlap::Allow => {
                self.enqueue(tick);
                false
            }
        }
    }

    /// Has a tick wait for its turn, unless it does already.
    pub(super) fn enqueue(&mut self, tick: Timestamp) {
        if self.queue.contains(&tick) || self.running.contains(&tick) {
            return;
        }
        if self.queue.len() < MOST_TICKS {
            self.queue.push_back(tick);
        } else {
            self.skipped += 1;
        }
    }

    /// Queues the ticks of a range, both ends included.
    pub(super) fn backfill(&mut self, from: Timestamp, until: Timestamp) -> Result<(), ScheduleError> {
        let ticks = self.timetable()?.between(just_before(from), until, MOST_TICKS);
        ticks.into_iter().for_each(|tick| self.enqueue(tick));
        Ok(())
    }

    /// The tick that is to start now, which is taken from the queue.
    pub(super) fn take_startable(&mut self) -> Option<Timestamp> {
        let tick = match self.spec.overlap {
            Overlap::Allow => self.queue.pop_front(),
            Overlap::Skip | Overlap::Queue | Overlap::Replace if self.running.is_empty() => self.queue.pop_front(),
            Overlap::Skip | Overlap::Queue | Overlap::Replace => None,
        }?;
        self.replacing.take_if(|replacing| *replacing == tick);
        Some(tick)
    }

    /// Notes what became of a start: `end` if nothing runs.
    pub(super) fn started(&mut self, tick: Timestamp, now: Timestamp, end: Option<RunEnd>) {
        if end.is_none() {
            self.running.push(tick);
        }
        let ended_at = end.is_some().then_some(now);
        self.recent.push_back(Run { tick, started_at: now, ended_at, end });
        // One that runs is kept until it has ended.
        while self.recent.len() > MOST_RECENT
            && let Some(oldest) = self.recent.iter().position(|run| run.end.is_some())
        {
            self.recent.remove(oldest);
        }
    }

    /// Notes that a run has ended.
    pub(super) fn ended(&mut self, tick: Timestamp, now: Timestamp, end: RunEnd) {
        self.running.retain(|running| *running != tick);
        if let Some(run) = self.recent.iter_mut().rev().find(|run| run.tick == tick && run.end.is_none()) {
            run.ended_at = Some(now);
            run.end = Some(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::Times;
    use super::*;

    fn hourly(overlap: Overlap) -> Spec {
        Spec {
            times: Times::Every { millis: 3_600_000 },
            starting_at: None,
            overlap,
            catch_up: CatchUp::Latest,
            workflow: "Chore".to_owned(),
            version: 1,
            state: "running".to_owned(),
            data: Json::encode(&()).unwrap(),
        }
    }

    #[test]
    fn a_clock_that_is_turned_back_stops_no_schedule() {
        let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
        let mut schedule = Active::new(hourly(Overlap::Allow), at(0)).unwrap();
        let early = Timestamp::from_millis(3_599_999);
        assert!(!schedule.fall_due(early).unwrap());
        assert_eq!((schedule.take_startable(), schedule.next), (Some(at(1)), Some(at(2))));
    }

    #[test]
    fn what_was_to_replace_a_run_is_itself_replaced() {
        let at = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
        let mut schedule = Active::new(hourly(Overlap::Replace), at(0)).unwrap();
        assert!(!schedule.fall_due(at(1)).unwrap(), "nothing is to be cancelled");
        assert_eq!(schedule.take_startable(), Some(at(1)));
        schedule.started(at(1), at(1), None);
        schedule.enqueue(at(0));
        // The first run undoes what it has done, for more than an hour.
        assert!(schedule.fall_due(at(2)).unwrap());
        assert!(schedule.fall_due(at(3)).unwrap());
        assert_eq!(schedule.take_startable(), None);
        schedule.ended(at(1), at(3), RunEnd::Cancelled { reason: "replaced".to_owned() });
        assert_eq!(schedule.take_startable(), Some(at(3)));
        schedule.started(at(3), at(3), None);
        assert_eq!(schedule.skipped, 1);
        schedule.ended(at(3), at(3), RunEnd::Ended { state: "done".to_owned() });
        assert_eq!(schedule.take_startable(), Some(at(0)), "what was asked for has its turn");
        assert_eq!((schedule.take_startable(), schedule.replacing, schedule.skipped), (None, None, 1));
    }
}
