//! Feature flags: what was decided is told.

use super::Kernel;
use crate::record::{HistoryKind, JournalEntry, JournalResult};

impl Kernel {
    /// Notes what was decided of a flag, if that is what was recorded.
    pub(super) fn note_flag(&mut self, recorded: &JournalEntry) {
        if let (Some(flag), JournalResult::Flag { on, because }) = (recorded.flag(), &recorded.result) {
            let kind = HistoryKind::Flag { flag: flag.into(), on: *on, because: because.clone() };
            self.note(kind, self.now);
        }
    }
}
