//! What is to be undone: the top of the stack, which is in memory, and what has changed of it. What is below the top is
//! only counted: it is read when almost everything above it is undone.

use super::Advance;
use crate::record::{Activity, ExecutionRecord, UndoPlace, UndoRecord};

/// How many are kept in memory at least, of those that are stored.
const KEPT: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct UndoStack {
    /// The newest, in their order: the newest of all is the last.
    top: Vec<UndoRecord>,
    /// How many are older than these.
    below: u64,
    /// How many are stored.
    stored: u64,
    /// Whether all that were stored are to be dropped.
    dropped: bool,
    /// Those of the stored ones that are to be dropped.
    removed: Vec<UndoPlace>,
    /// Those that are not stored yet.
    added: Vec<UndoRecord>,
}

impl UndoStack {
    /// What is stored: so many, of which these are the newest.
    pub(super) fn new(stored: u64, top: Vec<UndoRecord>) -> Self {
        Self { below: stored.saturating_sub(top.len() as u64), top, stored, ..Self::default() }
    }

    /// What is stored of an execution, `top` being what was read. What an earlier version has left in the record is taken
    /// out of it, to be stored with the next commit; says whether there was any. What is over is not written any more, and
    /// keeps it where it is.
    pub(super) fn of(record: &mut ExecutionRecord, top: Vec<UndoRecord>) -> (Self, bool) {
        let mut stack = Self::new(record.undo_count, top);
        if record.undo.is_empty() || record.activity == Activity::Ended {
            return (stack, false);
        }
        for mut undo in std::mem::take(&mut record.undo) {
            match stack.last() {
                Some(newest) if newest.visit == undo.visit => {
                    // The order has not always been recorded.
                    undo.order = undo.order.max(newest.order + 1);
                    undo.older = newest.older;
                }
                _ => undo.older = stack.len(),
            }
            stack.push(undo);
        }
        record.undo_count = stack.len();
        (stack, true)
    }

    pub(super) fn len(&self) -> u64 {
        self.below + self.top.len() as u64
    }

    /// The newest, if it is in memory.
    pub(super) fn last(&self) -> Option<&UndoRecord> {
        self.top.last()
    }

    #[cfg(test)]
    pub(super) fn top(&self) -> &[UndoRecord] {
        &self.top
    }

    /// Whether there is less in memory than the newest and the one below: when the newest is undone, the next one is to be
    /// known, as the same commit prepares its undo.
    pub(super) fn is_short(&self) -> bool {
        self.top.len() < 2 && self.below > 0
    }

    pub(super) fn push(&mut self, undo: UndoRecord) {
        self.added.push(undo.clone());
        let index = self.top.partition_point(|other| other.place() < undo.place());
        if index == 0 && self.below > 0 {
            // Whether it stands right below the top, or further down, is not known here.
            self.below += 1;
        } else {
            self.top.insert(index, undo);
        }
    }

    pub(super) fn pop(&mut self) -> Option<UndoRecord> {
        let undo = self.top.pop()?;
        match self.added.iter().rposition(|added| added.place() == undo.place()) {
            Some(index) => drop(self.added.remove(index)),
            None => self.removed.push(undo.place()),
        }
        Some(undo)
    }

    pub(super) fn clear(&mut self) {
        *self = Self { stored: self.stored, dropped: self.stored > 0, ..Self::default() };
    }

    /// Takes what is to be stored.
    pub(super) fn take_changes(&mut self, changes: &mut Advance) {
        changes.drop_undo = std::mem::take(&mut self.dropped);
        changes.forget_undo = std::mem::take(&mut self.removed);
        changes.undo = std::mem::take(&mut self.added);
        self.stored = self.len();
        let deep = self.top.len().saturating_sub(KEPT);
        // Not at once, so that each is moved but once.
        if deep > KEPT {
            self.top.drain(..deep);
            self.below += deep as u64;
        }
    }
}
