//! What has been done, noted as it is done: what the store is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::disk::{Disk, end_of_run};
use super::plans::Model;
use crate::base::{Name, Timestamp};
use crate::kernel::{Kernel, TimerRule};
use crate::record::{Activity, Cause, ExecutionRecord, HistoryKind, HistoryRecord, JournalResult};

/// A result that was acknowledged: it is not to be asked for again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Saved {
    visit: u64,
    edge: u64,
    handler: Name,
    key: Name,
}

#[derive(Clone, Default)]
pub(super) struct Facts {
    /// The steps that are to be undone, the newest last.
    done: Vec<Name>,
    /// Those of which nobody knows whether they have run.
    begun: Vec<Name>,
    saved: BTreeSet<Saved>,
    /// The state of each visit, and when it was entered.
    entered: BTreeMap<u64, (Name, Timestamp)>,
    /// The timers that have fired and fire but once.
    fired: BTreeSet<(u64, Name)>,
    /// How many steps were called: each has a key of its own.
    steps: u64,
}

impl Facts {
    pub(super) fn new(record: &ExecutionRecord) -> Self {
        let entered = [(record.visit, (record.state.clone(), record.entered_at))].into();
        Self { entered, ..Self::default() }
    }

    /// A key for the call of a step.
    pub(super) fn key(&mut self, handler: &str, step: &str) -> Name {
        self.steps += 1;
        format!("{handler}:{step}:{}:0", self.steps).into()
    }

    /// The step of this handler that has begun, and has not ended.
    pub(super) fn begun_by(&self, handler: &str) -> Option<&Name> {
        let of = format!("{handler}:");
        self.begun.iter().find(|key| key.starts_with(&of))
    }

    pub(super) fn begins(&mut self, key: &Name) {
        self.begun.push(key.clone());
    }

    pub(super) fn has_effect(&mut self, key: &Name) {
        self.begun.retain(|begun| begun != key);
        self.done.push(key.clone());
    }

    pub(super) fn has_no_effect(&mut self, key: &Name) {
        self.begun.retain(|begun| begun != key);
    }

    pub(super) fn acknowledged(&mut self, kernel: &Kernel, handler: &Name, key: &Name) {
        let (visit, edge) = (kernel.record().visit, kernel.record().edge_number());
        self.saved.insert(Saved { visit, edge, handler: handler.clone(), key: key.clone() });
    }

    /// What a handler is given that begins, or begins again: nothing of what was acknowledged may be missing.
    pub(super) fn check_journal(&self, kernel: &Kernel, handler: &Name) {
        let (visit, edge) = (kernel.record().visit, kernel.record().edge_number());
        let of_run =
            self.saved.iter().filter(|saved| saved.visit == visit && saved.edge == edge && saved.handler == *handler);
        for saved in of_run {
            let entry = kernel.journal().iter().find(|entry| entry.key == saved.key);
            let is_there = entry
                .is_some_and(|entry| matches!(entry.result, JournalResult::Done(_) | JournalResult::Received { .. }));
            assert!(is_there, "`{}` was acknowledged and would be repeated", saved.key);
        }
    }

    /// Follows what a commit says that has happened.
    pub(super) fn follow(
        &mut self,
        history: &[HistoryRecord],
        before: &ExecutionRecord,
        after: &ExecutionRecord,
        model: &Model,
    ) {
        let mut visit = before.visit;
        for row in history {
            assert!(row.visit >= visit && row.visit <= after.visit, "visits go up: {row:?} after {visit}");
            visit = row.visit;
            if let Some(Cause::Timer { handler }) = end_of_run(row) {
                self.fires(row, handler, model);
            }
            match &row.kind {
                HistoryKind::Transition { to, .. } => {
                    visit += 1;
                    let again = self.entered.insert(visit, (to.clone(), row.at));
                    assert!(again.is_none(), "visit {visit} was entered twice");
                    if model.plan.state(to).is_some_and(|state| state.end || state.pivot) {
                        self.done.clear();
                        self.begun.clear();
                    }
                }
                HistoryKind::Undone { key, .. } => {
                    let newest = self.begun.pop().or_else(|| self.done.pop());
                    assert_eq!(newest.as_ref(), Some(key), "the newest is undone first, and once");
                }
                _ => {}
            }
        }
        let parked = history.iter().filter(|row| matches!(row.kind, HistoryKind::Parked { .. })).count() as u64;
        assert!(after.visit >= visit && after.visit <= visit + parked, "a visit without a transition");
        if after.visit > visit {
            // Parked after everything was undone: what is done again is another doing, in the same state.
            self.entered.insert(after.visit, (after.state.clone(), after.entered_at));
        }
    }

    fn fires(&mut self, row: &HistoryRecord, handler: &Name, model: &Model) {
        let (state, entered_at) = &self.entered[&row.visit];
        let state = model.plan.state(state).unwrap();
        let edge = state.after.iter().find(|edge| edge.handler.name == *handler);
        let Some(edge) = edge else { panic!("the timer `{handler}` is not one of the visit: {row:?}") };
        let (TimerRule::After(delay) | TimerRule::Every(delay)) = edge.rule else { return };
        assert!(row.at >= *entered_at + delay, "the timer `{handler}` fires too early: {row:?}");
        if let TimerRule::After(_) = edge.rule {
            assert!(self.fired.insert((row.visit, handler.clone())), "the timer `{handler}` fires twice: {row:?}");
        }
    }

    /// Compares what is to be undone.
    pub(super) fn check_undo(&mut self, disk: &Disk) {
        if disk.is_over() {
            return;
        }
        // What nobody knows is the newest when it leaves the journal; what was begun first of several, nobody can tell.
        let on_stack = |key: &Name| disk.undo.values().position(|undo| **key == *undo.key);
        let (mut left, begun): (Vec<_>, Vec<_>) = self.begun.drain(..).partition(|key| on_stack(key).is_some());
        left.sort_by_key(on_stack);
        self.begun = begun;
        // Until it goes on in some state, nothing comes on top.
        let is_unwinding = matches!(disk.record.activity, Activity::Unwinding { .. });
        if is_unwinding {
            self.begun.extend(left);
        } else {
            self.done.extend(left);
        }
        let on_stack: Vec<&str> = disk.undo.values().map(|undo| undo.key.as_str()).collect();
        let all: Vec<&str> = self.done.iter().chain(&self.begun).map(Name::as_str).collect();
        let in_order: Vec<&str> = all.iter().copied().filter(|key| on_stack.contains(key)).collect();
        assert_eq!(on_stack, in_order, "what is to be undone is what was done, in its order");
        let journal = disk.journal.values().filter(|entry| entry.undo.is_some());
        let mut there: Vec<&str> = journal
            .filter(|entry| matches!(entry.result, JournalResult::Done(_) | JournalResult::Started))
            .map(|entry| entry.key.as_str())
            .chain(on_stack)
            .collect();
        there.sort_unstable();
        let mut all = all;
        all.sort_unstable();
        assert_eq!(there, all, "all that was done is to be undone, once");
    }
}
