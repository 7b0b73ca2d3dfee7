//! A store as its contract says, as simple as can be.

use std::collections::BTreeMap;

use crate::base::{Name, Timestamp};
use crate::kernel::{Advance, Kernel};
use crate::record::{
    EventRecord, ExecutionRecord, HistoryKind, HistoryRecord, JournalEntry, NewEvent, ReplyRecord, Status, UndoPlace,
    UndoRecord,
};

#[derive(Clone)]
pub(super) struct Disk {
    pub(super) record: ExecutionRecord,
    pub(super) journal: BTreeMap<Name, JournalEntry>,
    pub(super) undo: BTreeMap<UndoPlace, UndoRecord>,
    pub(super) inbox: BTreeMap<u64, NewEvent>,
    pub(super) replies: BTreeMap<String, ReplyRecord>,
    pub(super) sent: u64,
}

impl Disk {
    pub(super) fn new(record: ExecutionRecord) -> Self {
        Self {
            record,
            journal: BTreeMap::new(),
            undo: BTreeMap::new(),
            inbox: BTreeMap::new(),
            replies: BTreeMap::new(),
            sent: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.record.status().is_over()
    }

    /// Puts an event into the inbox, unless the execution is over.
    pub(super) fn deliver(&mut self, name: &str, payload: crate::record::Json, now: Timestamp) {
        if !self.is_over() {
            self.sent += 1;
            let event = NewEvent { event_id: id_of(self.sent), name: name.into(), payload, sent_at: now };
            self.inbox.insert(self.sent, event);
        }
    }

    /// When it is to be looked at: as `Store::due` has it.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let at_once = self.record.wake_at().map_or(self.record.entered_at, |due| due.min(self.record.entered_at));
        let last = self.inbox.keys().last().copied().unwrap_or(0);
        match self.record.status() {
            status if status.is_over() => None,
            _ if self.inbox.values().any(|event| event.control().is_some()) => Some(at_once),
            Status::Parked => None,
            _ if last > self.record.inbox_seen => Some(at_once),
            _ => self.record.wake_at(),
        }
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.wake_at().is_some_and(|due| due <= now)
    }

    /// Reads all that there is, through its persisted form.
    pub(super) fn load(&self) -> Kernel {
        let text = serde_json::to_string(&self.record).unwrap();
        let record: ExecutionRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(record, self.record, "a record comes back as it was");
        let wanted = record.undo_wanted();
        Kernel::new(record, self.journal.values().cloned().collect(), self.events(), self.top(wanted))
    }

    pub(super) fn events(&self) -> Vec<EventRecord> {
        self.inbox.iter().map(|(seq, event)| EventRecord { seq: *seq, event: event.clone() }).collect()
    }

    /// The newest of what is to be undone, the newest last.
    pub(super) fn top(&self, wanted: usize) -> Vec<UndoRecord> {
        let mut top: Vec<_> = self.undo.values().rev().take(wanted).cloned().collect();
        top.reverse();
        top
    }

    /// Applies a change. What an execution leaves in its inbox at its end is noted.
    pub(super) fn apply(&mut self, advance: Advance) {
        assert!(!self.is_over(), "an execution that is over changes nothing: {advance:?}");
        if advance.drop_journal {
            self.journal.clear();
        }
        for key in &advance.forget {
            self.journal.remove(key);
        }
        self.journal.extend(advance.journal.into_iter().map(|entry| (entry.key.clone(), entry)));
        if advance.drop_undo {
            self.undo.clear();
        }
        for place in &advance.forget_undo {
            assert!(self.undo.remove(place).is_some(), "what is forgotten was there: {place:?}");
        }
        for undo in advance.undo {
            assert!(self.undo.insert(undo.place(), undo).is_none(), "no two undos have one place");
        }
        for seq in &advance.consumed {
            assert!(self.inbox.remove(seq).is_some(), "event {seq} is consumed twice, or was never there");
        }
        for reply in advance.replies {
            self.replies.entry(reply.event_id.clone()).or_insert(reply);
        }
        if let Some(record) = advance.record {
            self.record = record;
        }
        if self.is_over() {
            self.inbox.clear();
            self.journal.clear();
        }
        let top = self.top(usize::MAX);
        let checked = crate::record::check_undo(&top, self.record.undo_count, usize::MAX);
        assert_eq!(checked, Ok(()), "the stack fits the record");
    }
}

pub(super) fn id_of(seq: u64) -> String {
    format!("id-{seq}-")
}

/// Why a row stands in the history, if it ends the run of a handler.
pub(super) fn end_of_run(row: &HistoryRecord) -> Option<&crate::record::Cause> {
    match &row.kind {
        HistoryKind::Transition { cause, .. }
        | HistoryKind::Stayed { cause, .. }
        | HistoryKind::Refused { cause, .. }
        | HistoryKind::UnwindBegan { cause, .. } => Some(cause),
        _ => None,
    }
}
