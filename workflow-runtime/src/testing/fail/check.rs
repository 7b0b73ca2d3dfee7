//! What has to hold whatever fails.

use crate::record::{Activity, ExecutionKey, ExecutionRecord, HistoryKind, Status};
use crate::store::HistoryRow;
use crate::testing::sim::{Ending, Kept, Played, SimEvent};

/// What did not hold.
pub(super) struct Ended {
    pub(super) what: String,
    pub(super) about: Option<ExecutionKey>,
}

impl Ended {
    pub(super) fn of(what: String) -> Self {
        Self { what, about: None }
    }

    fn about(what: String, key: &ExecutionKey) -> Self {
        Self { what, about: Some(key.clone()) }
    }
}

pub(super) fn holds(played: &Played<Result<(), String>>) -> Result<(), Ended> {
    match &played.ending {
        Ending::Returned(_) => {}
        // Who waits for a person waits for ever here; what is not at rest is told below, with who waits for what.
        Ending::Stuck(what) => {
            if let Some(kept) = played.kept.iter().find(|kept| !is_at_rest(&kept.stored.record)) {
                return Err(Ended::about(what.clone(), &kept.key));
            }
        }
        ending => return Err(Ended::of(ending.failure().unwrap_or_default())),
    }
    nothing_is_lost(played)?;
    for kept in &played.kept {
        let record = &kept.stored.record;
        if !is_at_rest(record) {
            let what = format!(
                "{} does not come to rest: it is {} in `{}`, thirty days after the scenario",
                kept.key,
                record.status(),
                record.state
            );
            return Err(Ended::about(what, &kept.key));
        }
        undone(kept, played)?;
    }
    Ok(())
}

/// Whether it waits for nothing that its own code has to do.
fn is_at_rest(record: &ExecutionRecord) -> bool {
    match record.status() {
        Status::Ended | Status::Cancelled | Status::Terminated | Status::Parked => true,
        Status::Running | Status::Unwinding => false,
        // A handler that waits does so for an event, a child or a time; one that fails and fails is tried again and again.
        Status::Waiting => match &record.activity {
            Activity::Entry | Activity::Handler { .. } => record.failing.is_none(),
            _ => true,
        },
    }
}

fn nothing_is_lost(played: &Played<Result<(), String>>) -> Result<(), Ended> {
    for (_, event) in &played.events {
        if let SimEvent::Handler { key, .. } = event
            && !played.kept.iter().any(|kept| kept.key == *key)
        {
            return Err(Ended::of(format!("{key} has run, and is not there any more")));
        }
    }
    Ok(())
}

/// Whether each unwinding that came to its end has undone what had succeeded in its visit. What was done in earlier visits may have become
/// final by a pivot.
fn undone(kept: &Kept, played: &Played<Result<(), String>>) -> Result<(), Ended> {
    let is_unwinding = |row: &HistoryRow| matches!(row.record.kind, HistoryKind::UnwindBegan { .. });
    let has_failed = |row: &HistoryRow| matches!(row.record.kind, HistoryKind::UndoFailed { .. });
    let is_beginning = |row: &HistoryRow| {
        matches!(
            row.record.kind,
            HistoryKind::Started { .. } | HistoryKind::Planned { .. } | HistoryKind::Forked { .. }
        )
    };
    let Some(began) = kept.history.iter().rposition(is_unwinding) else { return Ok(()) };
    let rows = &kept.history[began..];
    let record = &kept.stored.record;
    let is_over = match record.status() {
        Status::Terminated => false,
        // What nobody caught is undone first, and then parked.
        Status::Parked => record.left_to_undo() == 0,
        _ => true,
    };
    let is_whole = kept.history.first().is_some_and(is_beginning);
    if !is_over || !is_whole || rows.iter().any(has_failed) {
        return Ok(());
    }
    let visit = kept.history[began].record.visit;
    for (_, event) in &played.events {
        let SimEvent::Ended { call, error: None, .. } = event else { continue };
        let is_to_undo =
            call.undoable && call.key == kept.key && call.visit == visit && !call.handler.starts_with("~undo:");
        let is_undone =
            |row: &HistoryRow| matches!(&row.record.kind, HistoryKind::Undone { key, .. } if *key == call.call);
        if is_to_undo && !kept.history.iter().any(is_undone) {
            let what = format!(
                "`{}` of {} had succeeded and was not undone, although what was done was undone",
                call.step, kept.key
            );
            return Err(Ended::about(what, &kept.key));
        }
    }
    Ok(())
}
