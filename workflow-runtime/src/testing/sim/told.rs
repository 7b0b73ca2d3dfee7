//! Commits, records and histories in words.

use std::fmt::Write as _;
use std::time::Duration;

use super::fold::Line;
use crate::base::Timestamp;
use crate::record::{
    Activity, Cause, ExecutionRecord, HistoryKind, HistoryRecord, JournalEntry, JournalResult, Status,
};
use crate::store::{Change, Commit, HistoryRow};

/// What a write is about.
pub(super) fn describe(commits: &[Commit]) -> String {
    let mut told: Vec<String> = commits.iter().take(3).map(describe_one).collect();
    if commits.len() > told.len() {
        told.push(format!("{} more", commits.len() - told.len()));
    }
    told.join("; ")
}

fn describe_one(commit: &Commit) -> String {
    let key = &commit.key;
    match &commit.change {
        Change::Create { .. } => format!("the start of {key}"),
        Change::Deliver { event } => match event.control() {
            Some(action) => format!("the request to {action} {key}"),
            None => format!("the event `{}` for {key}", event.name),
        },
        Change::Quarantine { .. } => format!("the quarantine of {key}"),
        Change::Advance { advance, .. } => {
            let rows = advance.history.iter().map(|row| what(&row.kind));
            let entries = advance.journal.iter().filter_map(describe_entry);
            let told: Vec<_> = rows.chain(entries).collect();
            match told.is_empty() {
                true => format!("a step forward of {key}"),
                false => format!("{key}: {}", told.join(", ")),
            }
        }
    }
}

fn describe_entry(entry: &JournalEntry) -> Option<String> {
    let step = entry.step();
    match &entry.result {
        JournalResult::Done(_) => Some(format!("the result of `{step}`")),
        JournalResult::Failed { .. } => Some(format!("the failure of `{step}`")),
        JournalResult::Retrying { .. } => Some(format!("attempt {} of `{step}`, which failed", entry.attempts)),
        JournalResult::Started => Some(format!("the beginning of `{step}`")),
        _ => None,
    }
}

/// What a row of a history is about.
pub(in crate::testing) fn what(kind: &HistoryKind) -> String {
    match kind {
        HistoryKind::Started { to } => format!("started in `{to}`"),
        HistoryKind::Forked { from, visit, to } => format!("forked from visit {visit} of `{from}` in `{to}`"),
        HistoryKind::Planned { to, .. } => format!("planned, to begin in `{to}`"),
        HistoryKind::Transition { from, to, cause, error, .. } => {
            let error = error.as_ref().map_or_else(String::new, |error| format!(", for: {error}"));
            format!("`{from}` -> `{to}` by {}{error}", cause_of(cause))
        }
        HistoryKind::Stayed { state, cause } => format!("stayed in `{state}`: {}", cause_of(cause)),
        HistoryKind::Parked { state, error, .. } => format!("parked in `{state}`: {error}"),
        HistoryKind::Migrated { from, to, state, into } => {
            format!("migrated from version {from} to {to}: `{state}` became `{into}`")
        }
        HistoryKind::Retried { state } => format!("tried again in `{state}`"),
        HistoryKind::ReportDropped { child } => format!("the report of {child} came too late"),
        HistoryKind::Control { action, refused, .. } => match refused {
            Some(why) => format!("{action} was refused: {why}"),
            None => format!("{action} by hand"),
        },
        HistoryKind::UnwindBegan { from, into, cause, .. } => {
            let into = into.as_ref().map_or_else(String::new, |into| format!(" into `{into}`"));
            format!("unwinds from `{from}`{into} by {}", cause_of(cause))
        }
        HistoryKind::Undone { step, effect: true, .. } => format!("undid `{step}`"),
        HistoryKind::Undone { step, .. } => format!("had nothing of `{step}` to undo"),
        HistoryKind::UndoFailed { step, error, .. } => format!("could not undo `{step}`: {error}"),
        HistoryKind::Closed { state, closed } => format!("closed in `{state}`: {closed}"),
        HistoryKind::Refused { state, cause } => format!("refused in `{state}` by {}", cause_of(cause)),
        HistoryKind::EventRefused { state, event, .. } => format!("`{event}` was refused in `{state}`"),
        HistoryKind::Flag { flag, on, .. } => {
            format!("decided that the flag `{flag}` is {}", if *on { "on" } else { "off" })
        }
        HistoryKind::EventLeft { event, .. } => format!("ended with `{event}` not taken"),
    }
}

fn cause_of(cause: &Cause) -> String {
    match cause {
        Cause::Entry => "its handler".to_owned(),
        Cause::Event { handler, event, .. } => format!("`{handler}` (event `{event}`)"),
        Cause::Timer { handler } => format!("`{handler}` (timer)"),
        Cause::Caught { handler, .. } => format!("`{handler}` (catch)"),
        Cause::Cancelled { .. } => "being cancelled".to_owned(),
        Cause::Moved { .. } => "being moved by hand".to_owned(),
    }
}

/// A history, a line a row.
pub(in crate::testing) fn history(rows: &[HistoryRow], start: Timestamp) -> Vec<Line> {
    rows.iter()
        .map(|HistoryRow { record: HistoryRecord { at, visit, kind, .. }, .. }| Line {
            at: after(at.since(start)),
            visit: Some(*visit),
            what: what(kind),
        })
        .collect()
}

/// A time since the beginning.
pub(in crate::testing) fn after(since: Duration) -> String {
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let mut told = String::from("+");
    if days > 0 {
        let _ = write!(told, "{days}d ");
    }
    if days > 0 || hours > 0 || minutes > 0 {
        let _ = write!(told, "{hours:02}:{minutes:02}:");
    }
    let _ = write!(told, "{seconds:02}.{millis:03}");
    told
}

/// What an execution that has not ended waits for.
pub(super) fn waits(record: &ExecutionRecord, events: &[String], start: Timestamp) -> String {
    let mut told = Vec::new();
    if let Some(parked) = &record.parked {
        told.push(format!("is parked: {}", parked.error));
    }
    if let Some(starts_at) = record.starts_at.filter(|_| record.status() == Status::Waiting) {
        told.push(format!("begins at {}", after(starts_at.since(start))));
    }
    let mut awaited: Vec<&str> = record.waits_for.iter().map(|event| &**event).collect();
    if !matches!(record.activity, Activity::Ended) {
        awaited.extend(events.iter().map(String::as_str));
    }
    awaited.retain(|event| !event.starts_with('~'));
    if !awaited.is_empty() {
        let awaited: Vec<_> = awaited.iter().map(|event| format!("`{event}`")).collect();
        told.push(format!("waits for the event {}", awaited.join(" or ")));
    }
    for timer in record.timers.iter().filter(|timer| !timer.fired) {
        told.push(format!("`{}` is due at {}", timer.handler, after(timer.due.since(start))));
    }
    if let Some(resume_at) = record.resume_at {
        told.push(format!("its handler goes on at {}", after(resume_at.since(start))));
    }
    if let Some(failing) = &record.failing {
        told.push(format!("step `{}` has failed {} times: {}", failing.step(), failing.attempts, failing.error));
    }
    if matches!(record.activity, Activity::Entry | Activity::Handler { .. })
        && record.resume_at.is_none()
        && told.is_empty()
    {
        told.push("its handler runs".to_owned());
    }
    if told.is_empty() {
        told.push("waits for nothing that can come".to_owned());
    }
    told.join("; ")
}
