//! What was seen of a workflow, one fact at a time, by the names that are persisted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::record::{Activity, Cause, Closed, ErrorKind, ExecutionRecord, HistoryKind, HistoryRecord};

/// What was seen of each workflow in each version of its code.
pub(super) type Seen = BTreeMap<(Arc<str>, u32), BTreeSet<Fact>>;

/// Something that was seen at least once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fact {
    /// An execution was in this state.
    State(Name),
    /// A transition. Without a handler, it is the entry handler's.
    Edge {
        from: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handler: Option<Name>,
        to: Name,
    },
    /// A handler kept the visit, and a row of the history says so.
    Stayed {
        state: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handler: Option<Name>,
    },
    /// Nothing ran in this state. If it has an entry handler, that is over.
    Rested(Name),
    /// A call of this step succeeded.
    Done(Name),
    /// A call of this step failed for good.
    Failed { step: Name, then: Then },
    /// This step was undone.
    Undone(Name),
    /// This step could not be undone.
    NotUndone(Name),
    /// An execution was parked in this state.
    Parked(Name),
    /// An execution ended in this state, which is no end, and this is how.
    Closed { state: Name, how: How },
    /// Somebody moved an execution by hand.
    Moved { from: Name, to: Name },
}

/// What became of a failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    /// A `#[catch]` handler took it.
    Caught { by: Name },
    /// Nothing caught it, and the execution was parked.
    Parked,
    /// Nothing caught it, and everything was undone.
    Unwound,
    /// The handler that called the step went on, or another one took its edge.
    WentOn,
    /// The simulation ended before anything came of it.
    Open,
}

/// How an execution ended without an end state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    Cancelled,
    Terminated,
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |handler: &Option<Name>| match handler {
            Some(handler) => format!("`{handler}`"),
            None => "its entry handler".to_owned(),
        };
        match self {
            Self::State(state) => write!(formatter, "the state `{state}`"),
            Self::Edge { from, handler, to } => write!(formatter, "the edge `{from}` -> `{to}` by {}", by(handler)),
            Self::Stayed { state, handler } => write!(formatter, "`{state}`, kept by {}", by(handler)),
            Self::Rested(state) => write!(formatter, "rest in `{state}`"),
            Self::Done(step) => write!(formatter, "the step `{step}`"),
            Self::Failed { step, then } => write!(formatter, "the failure of `{step}`, {then}"),
            Self::Undone(step) => write!(formatter, "the undo of `{step}`"),
            Self::NotUndone(step) => write!(formatter, "an undo of `{step}` that failed"),
            Self::Parked(state) => write!(formatter, "parked in `{state}`"),
            Self::Closed { state, how: How::Cancelled } => write!(formatter, "cancelled in `{state}`"),
            Self::Closed { state, how: How::Terminated } => write!(formatter, "terminated in `{state}`"),
            Self::Moved { from, to } => write!(formatter, "moved by hand from `{from}` to `{to}`"),
        }
    }
}

impl fmt::Display for Then {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught { by } => write!(formatter, "caught by `{by}`"),
            Self::Parked => formatter.write_str("parked"),
            Self::Unwound => formatter.write_str("unwound, then parked"),
            Self::WentOn => formatter.write_str("after which its handler went on"),
            Self::Open => formatter.write_str("of which nothing came before the end"),
        }
    }
}

/// What a record and rows of its history say, with the version of the code that each is of. The rows are the youngest; those
/// before a migration are of the version that it left.
pub(super) fn facts(record: &ExecutionRecord, rows: &[&HistoryRecord]) -> Vec<(u32, Fact)> {
    let migrated = |row: &&HistoryRecord| match row.kind {
        HistoryKind::Migrated { from, .. } => Some(from),
        _ => None,
    };
    let mut facts = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let version = rows[place + 1..].iter().find_map(migrated).unwrap_or(record.version);
        facts.extend(facts_of(&row.kind).into_iter().map(|fact| (version, fact)));
    }
    if record.activity == Activity::Waiting && record.starts_at.is_none() {
        facts.push((record.version, Fact::Rested(record.state.clone())));
    }
    facts
}

fn facts_of(kind: &HistoryKind) -> Vec<Fact> {
    match kind {
        HistoryKind::Started { to } | HistoryKind::Forked { to, .. } | HistoryKind::Migrated { into: to, .. } => {
            vec![Fact::State(to.clone())]
        }
        HistoryKind::Transition { from, to, cause, .. } => {
            let (from, to) = (from.clone(), to.clone());
            let edge = match cause {
                Cause::Moved { .. } | Cause::Cancelled { .. } => Fact::Moved { from, to: to.clone() },
                _ => Fact::Edge { from, handler: handler_of(cause), to: to.clone() },
            };
            vec![edge, Fact::State(to)]
        }
        HistoryKind::Stayed { state, cause } => {
            vec![Fact::Stayed { state: state.clone(), handler: handler_of(cause) }]
        }
        HistoryKind::Undone { step, effect: true, .. } => vec![Fact::Undone(step.clone())],
        HistoryKind::UndoFailed { step, .. } => vec![Fact::NotUndone(step.clone())],
        HistoryKind::Parked { state, .. } => vec![Fact::Parked(state.clone())],
        HistoryKind::Closed { state, closed } => {
            let how = match closed {
                Closed::Cancelled { .. } => How::Cancelled,
                Closed::Terminated { .. } => How::Terminated,
            };
            vec![Fact::Closed { state: state.clone(), how }]
        }
        _ => Vec::new(),
    }
}

fn handler_of(cause: &Cause) -> Option<Name> {
    match cause {
        Cause::Event { handler, .. } | Cause::Timer { handler } | Cause::Caught { handler, .. } => {
            Some(handler.clone())
        }
        Cause::Entry | Cause::Cancelled { .. } | Cause::Moved { .. } => None,
    }
}

/// What these rows say of a step that failed for good before them, if anything.
pub(super) fn then(rows: &[&HistoryRecord]) -> Option<Then> {
    rows.iter().find_map(|row| match &row.kind {
        HistoryKind::Transition { cause: Cause::Caught { handler, .. }, .. }
        | HistoryKind::Stayed { cause: Cause::Caught { handler, .. }, .. }
        | HistoryKind::UnwindBegan { cause: Cause::Caught { handler, .. }, error: Some(_), into: Some(_), .. } => {
            Some(Then::Caught { by: handler.clone() })
        }
        HistoryKind::Parked { error, .. } if error.kind != ErrorKind::ByHand => Some(Then::Parked),
        HistoryKind::UnwindBegan { into: None, error: Some(_), .. } => Some(Then::Unwound),
        HistoryKind::Transition { .. }
        | HistoryKind::Stayed { .. }
        | HistoryKind::Refused { .. }
        | HistoryKind::UnwindBegan { .. }
        | HistoryKind::Closed { .. } => Some(Then::WentOn),
        _ => None,
    })
}
