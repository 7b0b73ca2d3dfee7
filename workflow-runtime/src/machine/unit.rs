//! A context for one handler in a unit test: what the test kit asks of it.

use super::{Cx, Services};
use crate::kernel::Command;
use crate::record::{EventRecord, ExecutionKey, JournalEntry};

impl Cx {
    /// A [detached](Self::detached) context in this visit, with what is recorded and what has arrived so far.
    pub(crate) fn of_unit(
        key: ExecutionKey,
        visit: u64,
        services: Services,
        journal: Vec<JournalEntry>,
        inbox: Vec<EventRecord>,
    ) -> Self {
        let cx = Self::detached_in(key, visit, services, journal);
        cx.turn().arrived(inbox);
        cx
    }

    /// What is recorded.
    pub(crate) fn journal(&self) -> Vec<JournalEntry> {
        self.turn().lock().journal.all().cloned().collect()
    }

    /// What was to be done to others.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.turn().commands()
    }
}
