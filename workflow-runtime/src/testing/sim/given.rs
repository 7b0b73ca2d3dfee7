//! What was given to the store, and whether it is on disk.
//!
//! A store may fail before it has written, after a part, or after all of it, and may never answer. So a commit counts as written
//! when the store says so, or when the next process reads what only that commit can have put there.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::record::{ExecutionKey, ExecutionRecord, JournalEntry};
use crate::store::{Change, Commit, Stored};

/// What a simulation wants to know of a commit once it is on disk.
#[derive(Debug)]
pub(super) struct Written {
    /// How many rows the history has more.
    pub(super) rows: usize,
    /// How often the process had died when it was given to the store.
    pub(super) deaths: usize,
    pub(super) drop_journal: bool,
    pub(super) forget: Vec<Name>,
    pub(super) journal: Vec<JournalEntry>,
    record: Option<ExecutionRecord>,
}

impl Written {
    fn of(commit: &Commit, deaths: usize) -> Option<Self> {
        match &commit.change {
            Change::Create { record, history } => Some(Self {
                rows: history.len(),
                deaths,
                drop_journal: false,
                forget: Vec::new(),
                journal: Vec::new(),
                record: Some((**record).clone()),
            }),
            Change::Advance { advance, .. } => Some(Self {
                rows: advance.history.len(),
                deaths,
                drop_journal: advance.drop_journal
                    || advance.record.as_ref().is_some_and(|record| record.status().is_over()),
                forget: advance.forget.clone(),
                journal: advance.journal.clone(),
                record: advance.record.clone(),
            }),
            Change::Deliver { .. } | Change::Quarantine { .. } => None,
        }
    }

    /// Whether the execution is as this has left it.
    fn is_what(&self, stored: &Stored) -> bool {
        let has_entry = |entry: &JournalEntry| stored.journal.contains(entry);
        let has_none_of = |call: &Name| !stored.journal.iter().any(|entry| entry.key == *call);
        let is_new = |call: &Name| self.journal.iter().any(|entry| entry.key == *call);
        // The journal of an execution that is over goes with it.
        let is_over = stored.record.status().is_over();
        self.record.as_ref().is_none_or(|record| *record == stored.record)
            && (is_over || self.journal.iter().all(has_entry))
            && self.forget.iter().all(|call| has_none_of(call) || is_new(call))
    }
}

/// The commits that the store has not answered for, by their execution, in order.
#[derive(Debug, Default)]
pub(super) struct Given {
    last: u64,
    open: BTreeMap<ExecutionKey, Vec<Open>>,
}

#[derive(Debug)]
struct Open {
    number: u64,
    process: u64,
    written: Written,
}

impl Given {
    /// The store is given this: a number to settle it by. `None` for what changes nothing that anybody asks for.
    pub(super) fn add(&mut self, process: u64, commit: &Commit, deaths: usize) -> Option<u64> {
        let written = Written::of(commit, deaths)?;
        self.last += 1;
        let number = self.last;
        self.open.entry(commit.key.clone()).or_default().push(Open { number, process, written });
        Some(number)
    }

    /// The store has answered for this one: what is on disk with that, and was not known before.
    pub(super) fn answered(&mut self, key: &ExecutionKey, number: u64, is_applied: bool) -> Option<Written> {
        let open = self.open.get_mut(key)?;
        let place = open.iter().position(|open| open.number == number)?;
        let settled = open.remove(place);
        if open.is_empty() {
            self.open.remove(key);
        }
        is_applied.then_some(settled.written)
    }

    /// A process has read the execution: what shows to be on disk, and was not known before. What an earlier process has given and what
    /// is not there will not come any more.
    pub(super) fn found(&mut self, process: u64, key: &ExecutionKey, stored: Option<&Stored>) -> Vec<Written> {
        let Some(open) = self.open.get_mut(key) else { return Vec::new() };
        let is_there = |open: &Open| stored.is_some_and(|stored| open.written.is_what(stored));
        // The commits of one execution are applied in order.
        let applied = open.iter().rposition(is_there).map_or(0, |place| place + 1);
        let written = open.drain(..applied).map(|open| open.written).collect();
        open.retain(|open| open.process >= process);
        if open.is_empty() {
            self.open.remove(key);
        }
        written
    }
}
