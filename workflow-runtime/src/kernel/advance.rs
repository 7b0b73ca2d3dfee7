//! What the kernel wants changed.

use crate::base::Name;
use crate::record::{ExecutionRecord, HistoryRecord, JournalEntry, ReplyRecord};

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
    /// Places in the inbox of the events that this consumes. Their ids stay known.
    pub consumed: Vec<u64>,
    /// Rows to add to the history.
    pub history: Vec<HistoryRecord>,
    /// Answers to events. One that has been answered keeps its answer.
    pub replies: Vec<ReplyRecord>,
}

impl Advance {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.is_none()
            && !self.drop_journal
            && self.journal.is_empty()
            && self.forget.is_empty()
            && self.consumed.is_empty()
            && self.history.is_empty()
            && self.replies.is_empty()
    }
}
