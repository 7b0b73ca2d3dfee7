//! What a stored execution has and the code has not: it is parked for that, and nothing of it is lost.

use super::{Kernel, Plan};
use crate::base::Timestamp;
use crate::record::{ErrorKind, ErrorRecord, HistoryKind, ParkedRecord};

impl Kernel {
    /// Lets it go on if it was parked because its state was not known, and is known now: with its timers as they are, as nobody
    /// has stopped it.
    pub(super) fn recognise(&mut self, plan: &Plan, now: Timestamp) {
        let is_unknown = |parked: &ParkedRecord| parked.error.kind == ErrorKind::UnknownState;
        if self.record.parked.as_ref().is_some_and(is_unknown) && plan.state(&self.record.state).is_some() {
            self.record.parked = None;
            self.look_again_at_inbox();
            self.note(HistoryKind::Retried { state: self.record.state.clone() }, now);
        }
    }
}

fn unreadable(message: String) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Unreadable, message, sources: Vec::new() }
}

pub(super) fn unknown_state(state: &str, version: u32) -> ErrorRecord {
    let message = format!(
        "the workflow has no state `{state}` any more, or not yet: give the state that replaces it `was = \"{state}\"`, or its code the version {} and a migration; it goes on by itself with a build that has the state",
        version.saturating_add(1)
    );
    ErrorRecord { kind: ErrorKind::UnknownState, ..unreadable(message) }
}

pub(super) fn unknown_handler(handler: &str, state: &str) -> ErrorRecord {
    unreadable(format!(
        "the state `{state}` has no handler `{handler}` any more, and an execution is in the middle of it: bring the handler back"
    ))
}
