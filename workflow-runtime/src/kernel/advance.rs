//! What the kernel wants changed.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::record::{ExecutionRecord, HistoryRecord, JournalEntry, ReplyRecord, UndoPlace, UndoRecord};

/// A change that takes an execution forward: one commit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Advance {
    /// The record from now on; `None` leaves it.
    pub record: Option<ExecutionRecord>,
    /// Whether the journal is dropped, as at a transition. It is dropped before `journal` is added.
    pub drop_journal: bool,
    /// Entries to add; one replaces an earlier one of its key.
    pub journal: Vec<JournalEntry>,
    /// Keys of journal entries to drop, one by one.
    pub forget: Vec<Name>,
    /// Whether nothing of what was to be undone is any more, as at a pivot and at the end. It is dropped before `undo` is
    /// added.
    pub drop_undo: bool,
    /// What is to be undone no more, one by one: mostly as it was undone.
    pub forget_undo: Vec<UndoPlace>,
    /// What is to be undone besides; it may stand between others.
    pub undo: Vec<UndoRecord>,
    /// Places in the inbox of the events that this consumes. Their ids stay known.
    pub consumed: Vec<u64>,
    /// Rows to add to the history.
    pub history: Vec<HistoryRecord>,
    /// Answers to events. One that has been answered keeps its answer.
    pub replies: Vec<ReplyRecord>,
    /// How many rows of the history are left after this, the youngest: the others are dropped in the same commit, and their
    /// places are never given again. The very last row always stays, also with 0. `None` keeps all.
    pub keep_history: Option<u64>,
}

impl Advance {
    /// Does to what is to be undone, of which these are the rows, what this says of it; what it adds is moved there.
    pub fn apply_undo(&mut self, rows: &mut BTreeMap<UndoPlace, UndoRecord>) {
        if self.drop_undo {
            rows.clear();
        }
        for place in &self.forget_undo {
            rows.remove(place);
        }
        rows.extend(self.undo.drain(..).map(|undo| (undo.place(), undo)));
    }

    /// Whether it changes nothing. What it says of the history that is kept is no change: that comes with the next one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.is_none()
            && !self.drop_journal
            && self.journal.is_empty()
            && self.forget.is_empty()
            && !self.drop_undo
            && self.forget_undo.is_empty()
            && self.undo.is_empty()
            && self.consumed.is_empty()
            && self.history.is_empty()
            && self.replies.is_empty()
    }
}
