//! Events that a handler receives while it runs, or waits for.
//!
//! An event that an edge of the state takes is that edge's. Every other one may be received by the running handler: it is
//! consumed in the commit that records it in the journal.

use std::collections::HashSet;

use super::execution::Kernel;
use super::searching::QUEUED;
use super::{Plan, StatePlan};
use crate::base::{Name, Timestamp};
use crate::record::{
    Activity, CHILD_EVENT, ChildReport, ErrorKind, ErrorRecord, EventRecord, HistoryKind, JournalEntry, JournalResult,
    NewEvent,
};

impl Kernel {
    /// The place of the last event that it has been told of: what has arrived since is after that.
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.last_event
    }

    /// Events that have arrived since, in order. It knows those among them that it was told of before, consumed or not.
    pub fn arrived(&mut self, events: Vec<EventRecord>) {
        let known = self.last_event;
        self.inbox.extend(events.into_iter().filter(|event| event.seq > known));
        self.last_event = self.inbox.last().map_or(known, |event| event.seq.max(known));
    }

    /// The events in the inbox that the running handler may receive, in order of arrival: those that no edge of the state
    /// takes.
    #[must_use]
    pub fn receivable(&self, plan: &Plan) -> Vec<EventRecord> {
        self.receivable_after(0, plan)
    }

    /// Those of the [receivable](Self::receivable) events that have a place after `after`: whoever has offered the others
    /// need not do so again, and a thousand of them may wait.
    #[must_use]
    pub fn receivable_after(&self, after: u64, plan: &Plan) -> Vec<EventRecord> {
        let state = plan.state(&self.record.state);
        let is_for_edge = |name: &str| state.is_some_and(|state| state.on(name).is_some());
        let is_for_handler = |event: &NewEvent| event.control().is_none() && !is_for_edge(&event.name);
        let first = self.inbox.partition_point(|event| event.seq <= after);
        self.inbox.iter().skip(first).filter(|event| is_for_handler(&event.event)).cloned().collect()
    }

    /// The running handler waits: until `due`, or until one of `events` arrives, or with neither for nothing that comes by
    /// itself. It has been offered every event that is in the inbox.
    pub fn suspended(&mut self, due: Option<Timestamp>, events: Vec<Name>, plan: &Plan, now: Timestamp) {
        let state = plan.state(&self.record.state);
        let has_edges = state.is_some_and(|state| state.has_edges());
        let taken = events.iter().find_map(|event| Some((event, state?.on(event)?.handler.name.clone())));
        if let Some((event, edge)) = taken {
            let error = taken_by_edge(&self.handler_name(plan), event, &edge);
            return self.park(error, now);
        }
        self.record.attributes.remove(QUEUED);
        match due {
            Some(due) => self.record.resume_at = Some(due),
            None if !events.is_empty() || has_edges && self.record.activity == Activity::Entry => {
                self.record.resume_at = Some(Timestamp::MAX);
            }
            None if matches!(self.record.activity, Activity::Unwinding { .. }) => {
                return self.undo_failed(endless_wait(&self.handler_name(plan)), now);
            }
            None => return self.park(endless_wait(&self.handler_name(plan)), now),
        }
        self.record.waits_for = events;
        self.see_inbox();
        self.changed = true;
    }

    /// What the running handler waits for has come before its time.
    pub fn resume(&mut self, now: Timestamp) {
        if let Some(due) = &mut self.record.resume_at {
            *due = (*due).min(now);
        }
    }

    /// Whether an event has come, and has not been looked at, that the suspended handler waits for.
    pub(super) fn has_awaited(&self, state: &StatePlan) -> bool {
        let is_awaited =
            |name: &str| self.record.waits_for.iter().any(|awaited| *awaited == *name) && state.on(name).is_none();
        self.inbox.iter().any(|event| event.seq > self.record.inbox_seen && is_awaited(&event.event.name))
    }

    /// Takes the events out of the inbox that the running handler has received.
    pub(super) fn consume_received(&mut self, results: &[JournalEntry]) {
        let seqs = results.iter().filter_map(|entry| match entry.result {
            JournalResult::Received { seq, .. } => Some(seq),
            _ => None,
        });
        let received: HashSet<u64> = seqs.collect();
        if !received.is_empty() {
            self.inbox.retain(|event| !received.contains(&event.seq));
            self.changes.consumed.extend(received);
        }
    }

    /// Drops what children tell that were called in an earlier visit: the call that waited for it is gone.
    pub(super) fn drop_stale_reports(&mut self, now: Timestamp) {
        let visit = self.record.visit;
        // Each is read once in a visit, however often it is looked at: a thousand of them may wait.
        let known = match self.reports_looked_at {
            (looked_at_in, place) if looked_at_in == visit => place,
            _ => 0,
        };
        self.reports_looked_at = (visit, self.last_event);
        let first = self.inbox.partition_point(|event| event.seq <= known);
        let is_stale = |event: &EventRecord| {
            event.event.name == CHILD_EVENT
                && event.event.payload.decode().is_ok_and(|report: ChildReport| report.visit != visit)
        };
        let stale: Vec<_> = self.inbox.extract_if(first.., |event| is_stale(event)).collect();
        for EventRecord { seq, event } in stale {
            self.changes.consumed.push(seq);
            self.note(HistoryKind::ReportDropped { child: event.event_id }, now);
        }
    }
}

fn endless_wait(handler: &str) -> ErrorRecord {
    ErrorRecord {
        kind: ErrorKind::Failed,
        message: format!("the handler `{handler}` waits for something that nothing can bring about"),
        sources: Vec::new(),
    }
}

fn taken_by_edge(handler: &str, event: &str, edge: &str) -> ErrorRecord {
    ErrorRecord {
        kind: ErrorKind::Failed,
        message: format!(
            "the handler `{handler}` waits with `recv` for the event `{event}`, which the edge `{edge}` of its state takes: leave one of the two out"
        ),
        sources: Vec::new(),
    }
}

#[cfg(test)]
#[path = "inbox_tests.rs"]
mod tests;
