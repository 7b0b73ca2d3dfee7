//! The record of one execution: all that is needed to go on with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Closed, ErrorRecord, ForkRecord, Json, OutgoingRecord, ParentRecord, Reason, UNDO_AT_ONCE, UndoRecord, UnwindInto,
};
use crate::base::{ExecutionId, Name, Timestamp};

/// Which execution: the workflow's persisted name and the caller's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionKey {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The caller's name for the execution.
    pub id: ExecutionId,
}

impl fmt::Display for ExecutionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.workflow, self.id)
    }
}

/// One execution as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// The persisted name of the state it is in.
    pub state: Name,
    /// The data of that state.
    pub data: Json,
    /// The version of the workflow that the state is one of.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u32,
    /// How many states it has entered, this one included. With the lease epoch, this fences every write.
    pub visit: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it entered the state.
    pub entered_at: Timestamp,
    /// What runs, or is to run.
    pub activity: Activity,
    /// Whether the entry handler was interrupted before it ended: it goes on if the edge that interrupted it keeps the
    /// visit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entry_interrupted: bool,
    /// How often an edge of this visit was taken and kept it.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub edges_kept: u64,
    /// When the suspended handler goes on, if it waits for a retry or a sleep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<Timestamp>,
    /// Names of events that the suspended handler waits for: one of them has it go on before its time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<Name>,
    /// The timers of this visit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timers: Vec<TimerRecord>,
    /// The highest place in the inbox that was looked at in this state.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub inbox_seen: u64,
    /// Why and when it was parked, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<ParkedRecord>,
    /// Who started it, if another execution did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRecord>,
    /// What it is a fork of, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkRecord>,
    /// When it begins, if that is later than it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// What it has to tell other executions before anything else happens to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outgoing: Vec<OutgoingRecord>,
    /// How many steps unwinding would undo of the visits before this one, and of edges that kept this one. They stand in
    /// rows of their own: what they are is an [`UndoRecord`] each.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub undo_count: u64,
    /// The same steps in a record that an earlier version has written, the newest last. The next commit moves them into
    /// rows, and leaves none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<UndoRecord>,
    /// The step that fails, if one does and is tried again; of several the one that has failed for the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<FailingRecord>,
    /// What it can be searched by: the fields of its state with `#[index]` that have a value, by the names that they are
    /// saved under. While it waits for the limits of a step, also `~queued`, which is `true`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Json>,
    /// The handler that a `#[on]` of the built-in event [`Cancel`](crate::Cancel) interrupted in the middle of its own edge:
    /// it goes on if the execution stays in the state all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAside>,
    /// Why it is over without an end state, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// The version of a workflow that says nothing of versions, and of what was stored before there were any.
pub const FIRST_VERSION: u32 = 1;

pub(crate) fn first_version() -> u32 {
    FIRST_VERSION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
pub(crate) fn is_first_version(version: &u32) -> bool {
    *version == FIRST_VERSION
}

/// What an execution is doing in its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// The state's entry handler runs, or is to run.
    Entry,
    /// A further handler runs, or is to run: its edge is taken for good.
    Handler {
        /// The handler's name.
        handler: Name,
        /// What made it run.
        cause: Cause,
        /// What the handler is given besides the state: the event or the caught error.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::json::present")]
        payload: Option<Json>,
    },
    /// No handler is to run: it waits for an event or a timer.
    Waiting,
    /// What it has done is being undone, the newest first, until [nothing is left](ExecutionRecord::left_to_undo).
    Unwinding {
        /// Where it goes then.
        into: UnwindInto,
        /// What made it unwind.
        cause: Cause,
        /// How many attempts the steps of the visit had taken before.
        #[serde(default)]
        attempts: u32,
        /// What it was doing before, to do it again after it is parked and retried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Activity>>,
    },
    /// It is over: the state is an end state, or it was [closed](ExecutionRecord::closed).
    Ended,
}

/// A handler that was interrupted in the middle of its edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// What it was doing.
    pub activity: Box<Activity>,
    /// The place in the inbox of what interrupted it.
    pub by: u64,
}

/// What made a handler run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The state was entered.
    Entry,
    /// An event arrived.
    Event {
        /// The handler.
        handler: Name,
        /// The event's persisted name.
        event: Name,
        /// The sender's name for it.
        event_id: String,
    },
    /// A timer was due.
    Timer {
        /// The handler.
        handler: Name,
    },
    /// Another handler failed for good.
    Caught {
        /// The handler that caught the error.
        handler: Name,
        /// The error.
        error: ErrorRecord,
    },
    /// Somebody cancelled the execution, and its state has no edge for that.
    Cancelled {
        /// Why, and who.
        reason: Reason,
    },
    /// Somebody moved the execution by hand.
    Moved {
        /// Why, and who.
        reason: Reason,
    },
}

impl Cause {
    /// The error that was caught, if that is the cause.
    #[must_use]
    pub fn caught(&self) -> Option<&ErrorRecord> {
        match self {
            Self::Caught { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// A timer that was set when the state was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRecord {
    /// The handler that it runs.
    pub handler: Name,
    /// When it is due.
    pub due: Timestamp,
    /// Whether it has run its handler, which kept the visit. One that fires again and again never has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fired: bool,
    /// What it counts from.
    #[serde(default, skip_serializing_if = "TimerKind::is_after")]
    pub kind: TimerKind,
}

/// What a timer counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimerKind {
    /// The entry of the state.
    #[default]
    After,
    /// The entry of the state, then its own last due time.
    Every,
    /// Nothing: it is a point in time that the state's data names.
    At,
}

impl TimerKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
    fn is_after(&self) -> bool {
        *self == Self::After
    }
}

/// Why an execution is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedRecord {
    /// When.
    pub at: Timestamp,
    /// The failure that nothing caught.
    pub error: ErrorRecord,
}

/// A step that fails and is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingRecord {
    /// The key of its call in the journal.
    pub key: Name,
    /// How often it has been tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: ErrorRecord,
    /// When it failed first.
    pub since: Timestamp,
    /// When it is tried again.
    pub due: Timestamp,
}

impl FailingRecord {
    /// The name of the step.
    #[must_use]
    pub fn step(&self) -> &str {
        super::journal::step_of(&self.key)
    }
}

/// How an execution stands, as one word to search by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// A handler runs or is about to.
    Running,
    /// It waits: for an event, a timer, or the next attempt of a step.
    Waiting,
    /// What it has done is being undone, or it waits for the next attempt of that.
    Unwinding,
    /// It failed and waits for a person.
    Parked,
    /// It is in an end state.
    Ended,
    /// It was cancelled, and is over without an end state.
    Cancelled,
    /// It was terminated, and is over without an end state.
    Terminated,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Running, Self::Waiting, Self::Unwinding, Self::Parked, Self::Ended, Self::Cancelled, Self::Terminated];

    /// The persisted name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Unwinding => "unwinding",
            Self::Parked => "parked",
            Self::Ended => "ended",
            Self::Cancelled => "cancelled",
            Self::Terminated => "terminated",
        }
    }

    /// Whether nothing happens any more, by itself or from outside.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Ended | Self::Cancelled | Self::Terminated => true,
            Self::Running | Self::Waiting | Self::Unwinding | Self::Parked => false,
        }
    }

    /// The status of this persisted name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl ExecutionRecord {
    /// The record of an execution that begins in `state` at `at`, and waits there.
    #[must_use]
    pub fn new(state: impl Into<Name>, data: Json, at: Timestamp) -> Self {
        Self {
            state: state.into(),
            data,
            version: FIRST_VERSION,
            visit: 1,
            started_at: at,
            entered_at: at,
            activity: Activity::Waiting,
            entry_interrupted: false,
            edges_kept: 0,
            resume_at: None,
            timers: Vec::new(),
            inbox_seen: 0,
            waits_for: Vec::new(),
            parked: None,
            failing: None,
            attributes: BTreeMap::new(),
            parent: None,
            forked_from: None,
            starts_at: None,
            outgoing: Vec::new(),
            set_aside: None,
            undo_count: 0,
            undo: Vec::new(),
            closed: None,
        }
    }

    /// How many steps are to be undone if it unwinds now, besides those that the journal has.
    #[must_use]
    pub fn left_to_undo(&self) -> u64 {
        self.undo_count + self.undo.len() as u64
    }

    /// How many of the steps that are to be undone whoever goes on with it has to read, the newest: but one while it does
    /// not unwind, as others only come on top of that.
    #[must_use]
    pub fn undo_wanted(&self) -> usize {
        match self.activity {
            Activity::Unwinding { .. } => UNDO_AT_ONCE,
            Activity::Entry | Activity::Handler { .. } | Activity::Waiting | Activity::Ended => 1,
        }
    }

    /// The last error that it has not got over: why it is parked, or why a step is tried again.
    #[must_use]
    pub fn last_error(&self) -> Option<&ErrorRecord> {
        let parked = self.parked.as_ref().map(|parked| &parked.error);
        parked.or(self.failing.as_ref().map(|failing| &failing.error)).filter(|_| !self.status().is_over())
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        if !self.outgoing.is_empty() {
            return Status::Running;
        }
        match (&self.activity, &self.closed) {
            (Activity::Ended, None) => Status::Ended,
            (Activity::Ended, Some(Closed::Cancelled { .. })) => Status::Cancelled,
            (Activity::Ended, Some(Closed::Terminated { .. })) => Status::Terminated,
            _ if self.parked.is_some() => Status::Parked,
            (Activity::Unwinding { .. }, _) => Status::Unwinding,
            _ if self.starts_at.is_some() => Status::Waiting,
            (Activity::Waiting, _) => Status::Waiting,
            (Activity::Entry | Activity::Handler { .. }, _) if self.resume_at.is_some() => Status::Waiting,
            (Activity::Entry | Activity::Handler { .. }, _) => Status::Running,
        }
    }

    /// Which taking of an edge the present handler is for, from 0: with its name, that tells its runs of one visit apart.
    /// The entry handler has but one, which goes on after each edge that keeps the visit.
    #[must_use]
    pub fn edge_number(&self) -> u64 {
        match (&self.activity, &self.set_aside) {
            // The handler that was set aside keeps its number, so this one is counted from the other end.
            (Activity::Handler { .. }, Some(aside)) => u64::MAX - aside.by,
            (Activity::Handler { .. }, None) => self.edges_kept,
            (Activity::Entry | Activity::Waiting | Activity::Unwinding { .. } | Activity::Ended, _) => 0,
        }
    }

    /// When the next timer of the visit is due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.iter().filter(|timer| !timer.fired).map(|timer| timer.due).min()
    }

    /// When it has to be looked at again, if nothing else happens before: at once (its entry time) while a handler is
    /// to run, at the earliest of its timers and retries while it waits, never once it is parked or has ended.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.status() {
            Status::Parked | Status::Ended | Status::Cancelled | Status::Terminated => None,
            Status::Running => Some(self.entered_at),
            Status::Waiting if self.starts_at.is_some() => self.starts_at,
            // Timers do not cut an undo off.
            Status::Unwinding => Some(self.resume_at.unwrap_or(self.entered_at)),
            // The handler of an edge that is taken is not interrupted any more, so timers do not count until it is done.
            Status::Waiting if matches!(self.activity, Activity::Handler { .. }) => self.resume_at,
            Status::Waiting => self.next_timer().into_iter().chain(self.resume_at).min(),
        }
    }
}
