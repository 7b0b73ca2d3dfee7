//! What every store decides by, in one place: whether a change is refused, and when an execution is due.

use crate::base::Timestamp;
use crate::record::{ExecutionRecord, HistoryKind, HistoryRecord, NewEvent, Status};
use crate::store::{Epoch, Fence, Refused};

/// The little of an execution that a store looks at. It is derived from the record, but for the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) visit: u64,
    pub(super) status: Status,
    pub(super) entered_at: Timestamp,
    /// When the record wants to be looked at, whatever is in the inbox.
    pub(super) record_wake_at: Option<Timestamp>,
    pub(super) inbox_seen: u64,
}

impl Head {
    pub(super) fn of(record: &ExecutionRecord) -> Self {
        Self {
            version: record.version,
            visit: record.visit,
            status: record.status(),
            entered_at: record.entered_at,
            record_wake_at: record.wake_at(),
            inbox_seen: record.inbox_seen,
        }
    }

    pub(super) fn admit_advance(&self, fence: Fence, epoch: Epoch) -> Result<(), Refused> {
        if fence.epoch != epoch || fence.visit != self.visit {
            return Err(Refused::Fenced);
        }
        self.admit_unless_ended()
    }

    pub(super) fn admit_unless_ended(&self) -> Result<(), Refused> {
        match self.status {
            Status::Ended | Status::Cancelled | Status::Terminated => Err(Refused::Ended),
            Status::Running | Status::Waiting | Status::Unwinding | Status::Parked => Ok(()),
        }
    }

    /// When the execution is due. What nobody has looked at makes it due at once, which is written as its entry time, as
    /// for a running one.
    pub(super) fn wake_at(&self, pending: Pending) -> Option<Timestamp> {
        let at_once = || Some(self.record_wake_at.map_or(self.entered_at, |wake_at| wake_at.min(self.entered_at)));
        match self.status {
            status if status.is_over() => None,
            _ if pending.last_control > 0 => at_once(),
            Status::Parked => None,
            _ if pending.last > self.inbox_seen => at_once(),
            _ => self.record_wake_at,
        }
    }
}

/// What is in the inbox of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pending {
    /// The place of the last event, 0 if there is none.
    pub(super) last: u64,
    /// The place of the last control event that nobody has looked at, 0 if there is none.
    pub(super) last_control: u64,
}

/// The row that says that `event` was still in the inbox of an execution that has ended with `head`.
pub(super) fn event_left(head: &Head, event: NewEvent) -> HistoryRecord {
    let kind = HistoryKind::EventLeft { event: event.name.into(), event_id: event.event_id };
    HistoryRecord::new(head.entered_at, head.visit, kind)
}
