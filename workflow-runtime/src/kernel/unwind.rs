//! Unwinding: what was done is undone, the newest first, and then the execution goes where it was to go.
//!
//! What is to be undone is kept in two places. The journal has the calls of the present visit; a stack has what the
//! journal has lost: those of earlier visits, and of edges that kept this one. When unwinding begins, all of it is on the
//! stack and the journal is empty, to be that of one undo at a time. Of the stack, the top alone is in memory; what is
//! further down is read when it is its turn.

use std::collections::{BTreeMap, BTreeSet};

use super::stack::UndoStack;
use super::{HandlerPlan, Kernel, Next, OnFailure, Plan};
use crate::base::{Name, Timestamp};
use crate::record::{
    Activity, Cause, Closed, ErrorKind, ErrorRecord, HistoryKind, JournalEntry, JournalResult, ParallelEnd,
    ParallelRecord, ParkedRecord, UndoOutput, UndoRecord, UnwindInto,
};

impl Kernel {
    /// Has everything undone that can be, and goes `into` then. Whatever runs is to be stopped before.
    ///
    /// One that is over already does not, nor one that unwinds: its undos are not cut off. One that is parked because an
    /// undo failed tries that again and goes `into` in place of where it was to go. Says whether it does.
    pub fn unwind(&mut self, into: UnwindInto, cause: Cause, error: Option<ErrorRecord>, now: Timestamp) -> bool {
        match &self.record.activity {
            Activity::Ended => return false,
            Activity::Unwinding { .. } if self.record.parked.is_none() => return false,
            Activity::Unwinding { .. } => self.forget_failures(),
            Activity::Entry | Activity::Handler { .. } | Activity::Waiting => {}
        }
        self.begin_unwinding(into, cause, error, Vec::new(), now);
        true
    }

    /// Ends the execution where it is, without an end state.
    pub fn close(&mut self, closed: Closed, now: Timestamp) {
        self.note(HistoryKind::Closed { state: self.record.state.clone(), closed: closed.clone() }, now);
        self.record.closed = Some(closed);
        self.record.parked = None;
        self.record.set_aside = None;
        self.record.entry_interrupted = false;
        self.go_on();
        self.record.timers.clear();
        self.record.activity = Activity::Ended;
        self.record.starts_at = None;
        self.drop_journal(now);
        self.leave_events(now);
        self.report_end(now);
    }

    /// The undo that is to run, if one is.
    #[must_use]
    pub fn next_undo(&self) -> Option<&UndoRecord> {
        match self.record.activity {
            Activity::Unwinding { .. } => self.undo.last(),
            _ => None,
        }
    }

    /// What was to be [read](Next::ReadUndo): the newest of what is to be undone, the newest last.
    pub fn undo_read(&mut self, top: Vec<UndoRecord>, now: Timestamp) {
        let read = UndoStack::new(self.undo.len(), top);
        if read.is_short() {
            let message = format!(
                "{} steps are to be undone, and the store does not have the next: bring what is missing back from a copy of the store, and `retry` it",
                read.len()
            );
            return self.park(ErrorRecord { kind: ErrorKind::Unreadable, message, sources: Vec::new() }, now);
        }
        self.undo = read;
    }

    pub(super) fn begin_unwinding(
        &mut self,
        into: UnwindInto,
        cause: Cause,
        error: Option<ErrorRecord>,
        unclaimed: Vec<Name>,
        now: Timestamp,
    ) {
        let from = self.record.state.clone();
        let state = into.state().cloned();
        self.note(HistoryKind::UnwindBegan { from, into: state, cause: cause.clone(), error, unclaimed }, now);
        self.record.parked = None;
        self.go_on();
        self.record.starts_at = None;
        let attempts = self.attempts();
        let before = match std::mem::replace(&mut self.record.activity, Activity::Waiting) {
            // It was parked on the way, and its journal is that of the undo that failed.
            Activity::Unwinding { before, .. } => before,
            before => {
                self.keep_undo(|_| true, now);
                self.drop_journal(now);
                self.prepare_undo();
                Some(Box::new(before))
            }
        };
        let before = before.filter(|_| matches!(into, UnwindInto::Park { .. }));
        self.record.activity = Activity::Unwinding { into, cause, attempts, before };
    }

    /// How many attempts the steps of the visit took.
    pub(super) fn attempts(&self) -> u32 {
        match &self.record.activity {
            Activity::Unwinding { attempts, .. } => *attempts,
            _ => self.journal.iter().fold(0, |sum, entry| entry.attempts.saturating_add(sum)),
        }
    }

    /// The next undo, or what comes after the last one.
    pub(super) fn undo_next(&mut self, plan: &Plan, now: Timestamp) -> Next {
        if self.undo.is_short() {
            return Next::ReadUndo;
        }
        let Some(undo) = self.undo.last() else { return self.unwound(plan, now) };
        let handler = HandlerPlan { name: undo.handler().into(), pure: false };
        if let Some(due) = self.record.resume_at {
            let state = plan.state(&self.record.state).cloned().unwrap_or_default();
            if due > now && !self.has_awaited(&state) {
                self.see_inbox();
                return Next::Wait { until: Some(due) };
            }
            self.go_on();
            self.changed = true;
        }
        Next::Run(handler)
    }

    /// The newest is undone; `effect` says whether there was anything to undo.
    pub(super) fn undone(&mut self, effect: bool, now: Timestamp) {
        let Some(undo) = self.undo.pop() else { return };
        self.record.undo_count = self.undo.len();
        if let UndoOutput::Unknown { .. } = undo.output {
            // It ran again, and what ran inside of it is to be undone too.
            let inside = format!("{}:", undo.key);
            let entries = self.journal.iter().filter(|entry| entry.key.starts_with(&inside)).cloned().collect();
            self.push_undo(entries, undo.visit, undo.older, now);
        }
        self.note(HistoryKind::Undone { step: undo.step.into(), key: undo.key.into(), effect }, now);
        self.go_on();
        self.drop_journal(now);
        self.prepare_undo();
    }

    /// The newest could not be undone.
    pub(super) fn undo_failed(&mut self, error: ErrorRecord, now: Timestamp) {
        let Some(undo) = self.undo.last() else { return self.park(error, now) };
        let (step, key) = (undo.step.clone(), undo.key.clone());
        let message = format!("the undo of `{step}` failed: {}", error.message);
        self.note(HistoryKind::UndoFailed { step: step.into(), key: key.into(), error: error.clone() }, now);
        self.park(ErrorRecord { message, ..error }, now);
    }

    /// A failure that nothing catches.
    pub(super) fn fail(&mut self, error: ErrorRecord, plan: &Plan, now: Timestamp) {
        // Where code and data do not fit each other, undoing is as little to be trusted as going on.
        let unwinds = plan.on_failure() == OnFailure::Unwind && error.kind != ErrorKind::Unreadable;
        if unwinds && self.has_undo(now) {
            let cause = self.cause();
            self.begin_unwinding(UnwindInto::Park { error: error.clone() }, cause, Some(error), Vec::new(), now);
        } else {
            self.park(error, now);
        }
    }

    /// Moves from the journal to the stack what is to be undone of these entries.
    pub(super) fn keep_undo(&mut self, of: impl Fn(&JournalEntry) -> bool, now: Timestamp) {
        // Without an `undo`, what an entry says is of no use to that of another.
        if !self.journal.iter().any(|entry| entry.undo.is_some() && of(entry)) {
            return;
        }
        let entries = self.journal.iter().filter(|entry| of(entry)).cloned().collect();
        let visit = self.record.visit;
        // Those of this visit, if there are any, are the newest.
        let older = match self.undo.last() {
            Some(undo) if undo.visit == visit => undo.older,
            _ => self.undo.len(),
        };
        self.push_undo(entries, visit, older, now);
    }

    /// After a retry, a step that may have run is one that may have run, whatever was last heard of it.
    pub(super) fn forget_failures(&mut self) {
        let mut forgotten = BTreeSet::new();
        let mut started = Vec::new();
        for entry in self.journal.iter() {
            let had_no_effect = match &entry.result {
                JournalResult::Failed { error, .. } => error.kind == ErrorKind::Failed,
                JournalResult::Retrying { .. } => false,
                JournalResult::Branch(branch) if branch.error.is_some() => true,
                JournalResult::Parallel(call) if !is_kept(call) => true,
                _ => continue,
            };
            if entry.undo.is_none() || had_no_effect {
                forgotten.insert(entry.key.clone());
            } else {
                started.push(JournalEntry { attempts: 0, result: JournalResult::Started, ..entry.clone() });
            }
        }
        let is_forgotten = |entry: &JournalEntry| forgotten.contains(&entry.key);
        let over = self.journal.extract(is_forgotten).into_iter().map(|entry| entry.key);
        self.changes.forget.extend(over);
        self.look_for_failing();
        self.recorded(started);
    }

    /// Drops what the handlers of edges have recorded: when an edge is taken again, its steps are to run again.
    pub(super) fn forget_edges(&mut self, plan: &Plan, now: Timestamp) {
        let entry = self.entry_name(plan);
        self.forget_where(|journal| !journal.is_of(&entry), now);
    }

    pub(super) fn forget_where(&mut self, is_over: impl Fn(&JournalEntry) -> bool, now: Timestamp) {
        // A flag is decided for the visit, whichever handler has asked.
        let is_over = |entry: &JournalEntry| entry.flag().is_none() && is_over(entry);
        self.keep_undo(is_over, now);
        self.leave_children(is_over, now);
        let over = self.journal.extract(is_over).into_iter().map(|entry| entry.key);
        self.changes.forget.extend(over);
        self.look_for_failing();
    }

    pub(super) fn drop_journal(&mut self, now: Timestamp) {
        self.leave_children(|_| true, now);
        self.journal.clear();
        self.changes.forget.clear();
        self.changes.drop_journal = true;
        self.record.failing = None;
        self.changed = true;
    }

    fn has_undo(&self, now: Timestamp) -> bool {
        self.undo.len() > 0 || self.journal.iter().any(|entry| has_effect(entry, now))
    }

    /// Leaves nothing to be undone.
    pub(super) fn clear_undo(&mut self) {
        self.undo.clear();
        self.record.undo_count = 0;
    }

    fn push_undo(&mut self, mut entries: Vec<JournalEntry>, visit: u64, older: u64, now: Timestamp) {
        entries.sort_by_key(order);
        // What is inside of a step that is to be run again is found there again, and undone after it.
        let again: BTreeSet<String> = entries.iter().filter(|entry| is_again(entry, now)).map(inside_of).collect();
        let by_key: BTreeMap<&str, &JournalEntry> = entries.iter().map(|entry| (&*entry.key, entry)).collect();
        for entry in &entries {
            let mut outer = entry.key.match_indices(':').filter_map(|(end, _)| entry.key.get(..=end));
            if !again.is_empty() && outer.any(|outer| again.contains(outer)) {
                continue;
            }
            if let (Some(call), Some(output)) = (&entry.undo, output(entry, &by_key, now)) {
                self.next_order += 1;
                self.undo.push(UndoRecord {
                    step: call.step.clone().into(),
                    key: entry.key.clone().into(),
                    visit,
                    edge_number: call.edge_number,
                    order: if is_in_flight(entry) { self.next_order } else { call.order },
                    older,
                    output,
                });
                self.changed = true;
            }
        }
        self.record.undo_count = self.undo.len();
    }

    /// Makes of the journal that of the undo that is next.
    fn prepare_undo(&mut self) {
        if let Some(UndoRecord { output: UndoOutput::Unknown { inside, .. }, .. }) = self.undo.last() {
            self.recorded(inside.clone());
        }
    }

    fn unwound(&mut self, plan: &Plan, now: Timestamp) -> Next {
        let Activity::Unwinding { into, before, .. } = self.record.activity.clone() else { return Next::Parked };
        match into {
            UnwindInto::State { state, data } => {
                self.enter(state, data, Vec::new(), plan, now);
                self.decide(plan, now)
            }
            UnwindInto::Park { error } => {
                self.record.activity = before.map_or(Activity::Waiting, |before| *before);
                let kind =
                    HistoryKind::Parked { state: self.record.state.clone(), cause: self.cause(), error: error.clone() };
                self.note(kind, now);
                // What is done again after a retry is another doing: with the old idempotency keys, a service would take
                // it for a repetition of what was undone.
                self.record.visit += 1;
                self.keep_data();
                self.record.parked = Some(ParkedRecord { at: now, error });
                self.report_parking(now);
                self.decide(plan, now)
            }
            UnwindInto::Closed(closed) => {
                self.close(closed, now);
                self.decide(plan, now)
            }
        }
    }
}

/// What is known of the output, if there is anything to undo.
fn output(entry: &JournalEntry, by_key: &BTreeMap<&str, &JournalEntry>, now: Timestamp) -> Option<UndoOutput> {
    let call = entry.undo.as_ref()?;
    if let JournalResult::Done(output) = &entry.result {
        return Some(UndoOutput::Known(output.clone()));
    }
    if !is_again(entry, now) {
        return None;
    }
    let outer = inside_of(entry);
    let inside = by_key.range(&*outer..).take_while(|(key, _)| key.starts_with(&outer));
    let mut inside: Vec<JournalEntry> = inside.map(|(_, inner)| (*inner).clone()).collect();
    // Not that of the keys: those that have an `undo` are put on the stack in it.
    inside.sort_by_key(order);
    Some(UndoOutput::Unknown { args: call.args.clone(), inside })
}

/// Whether there is anything to undo of it.
fn has_effect(entry: &JournalEntry, now: Timestamp) -> bool {
    entry.undo.is_some() && matches!(entry.result, JournalResult::Done(_)) || is_again(entry, now)
}

/// Whether the step may have had an effect although no output is recorded, so that it is run again to learn it. An
/// attempt that ended with the step's own error had none.
fn is_again(entry: &JournalEntry, now: Timestamp) -> bool {
    if entry.undo.is_none() {
        return false;
    }
    match &entry.result {
        JournalResult::Started => true,
        JournalResult::Failed { error, .. } => error.kind != ErrorKind::Failed,
        JournalResult::Retrying { error, due } => error.kind != ErrorKind::Failed || *due <= now,
        _ => false,
    }
}

/// What may still be running is the newest: it has not ended.
fn is_in_flight(entry: &JournalEntry) -> bool {
    matches!(entry.result, JournalResult::Started | JournalResult::Retrying { .. })
}

fn order(entry: &JournalEntry) -> (bool, u64) {
    (is_in_flight(entry), entry.undo.as_ref().map_or(0, |call| call.order))
}

fn inside_of(entry: &JournalEntry) -> String {
    format!("{}:", entry.key)
}

/// Whether a retry leaves what is known of a parallel call: not if it failed, nor if its time went by while it was parked.
fn is_kept(call: &ParallelRecord) -> bool {
    match &call.end {
        Some(ParallelEnd::Succeeded { .. }) => true,
        Some(ParallelEnd::Failed { .. } | ParallelEnd::TimedOut) => false,
        None => call.due.is_none(),
    }
}
