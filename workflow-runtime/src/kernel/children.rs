//! Executions that start others, and are started by them; and those that begin later than they were asked for.
//!
//! What one has to tell another is an event in the record, which is written with what it tells of and taken out when the
//! other one has it: a crash in between tells it again, and the receiver knows the event's id. Until then the
//! execution counts as running, whatever else it is, so that a driver looks at it.

use std::collections::HashSet;

use super::{Kernel, NewExecution, Next, Plan};
use crate::base::{Name, Timestamp};
use crate::record::{
    CHILD_EVENT, ChildCallRecord, ChildEnd, ChildReport, ControlAction, ErrorRecord, HistoryKind, HistoryRecord,
    JournalEntry, JournalResult, Json, NewEvent, OutgoingRecord, ParentRecord, Reason,
};

impl Kernel {
    /// The record of an execution that is asked for at `now`, and starts in `state` at `at`, or at once if that is over.
    #[must_use]
    pub fn start_at(state: impl Into<Name>, data: Json, plan: &Plan, at: Timestamp, now: Timestamp) -> NewExecution {
        let NewExecution { mut record, history } = Self::start(state, data, plan, now);
        if at <= now {
            return NewExecution { record, history };
        }
        record.starts_at = Some(at);
        record.timers.clear();
        let kind = HistoryKind::Planned { to: record.state.clone(), starts_at: at };
        NewExecution { record, history: HistoryRecord { kind, ..history } }
    }

    /// What is to be waited for before the execution begins, if it has not.
    pub(super) fn begin(&mut self, plan: &Plan, now: Timestamp) -> Option<Next> {
        let at = self.record.starts_at?;
        if at > now {
            self.see_inbox();
            return Some(Next::Wait { until: Some(at) });
        }
        self.record.started_at = now;
        self.settle_in(plan, now);
        self.note(HistoryKind::Started { to: self.record.state.clone() }, now);
        None
    }

    /// What it has to tell other executions: events to be delivered, each of which may have been before.
    #[must_use]
    pub fn outgoing(&self) -> &[OutgoingRecord] {
        &self.record.outgoing
    }

    /// All that was [outgoing](Self::outgoing) has been delivered, or its receiver is gone.
    pub fn delivered(&mut self) {
        self.record.outgoing.clear();
        self.changed = true;
    }

    /// Tells the parent, if it wants to know, that this is over.
    pub(super) fn report_end(&mut self, now: Timestamp) {
        if let Some(end) = ChildEnd::of(&self.record)
            && self.record.parent.as_ref().is_some_and(|parent| parent.reports)
        {
            self.report(end, "", now);
        }
    }

    /// Tells the parent, if it wants to know, that this is parked.
    pub(super) fn report_parking(&mut self, now: Timestamp) {
        if let Some(parked) = &self.record.parked
            && self.record.parent.as_ref().is_some_and(|parent| parent.reports_parking)
        {
            let error = parked.error.clone();
            self.report(ChildEnd::Parked { error }, &parked_suffix(now), now);
        }
    }

    fn report(&mut self, end: ChildEnd, suffix: &str, now: Timestamp) {
        let Some(outgoing) = self.record.parent.as_ref().and_then(|parent| told(parent, end, suffix, now)) else {
            return;
        };
        self.record.outgoing.push(outgoing);
        self.changed = true;
    }

    /// Has the children cancelled that were called by what is dropped from the journal, and have not come to an end.
    pub(super) fn leave_children(&mut self, is_dropped: impl Fn(&JournalEntry) -> bool, now: Timestamp) {
        let reported = self.journal.iter().filter(|entry| is_report_of_end(entry)).map(|entry| entry.key.as_str());
        let reported: HashSet<&str> = reported.collect();
        let left = |entry: &JournalEntry| match &entry.result {
            JournalResult::Child { workflow, id, cancel_when_left: true, asked_in }
                if is_dropped(entry) && !reported.contains(report_key(&entry.key).as_str()) =>
            {
                Some((workflow.clone(), id.clone(), entry.key.clone(), *asked_in))
            }
            _ => None,
        };
        let left: Vec<_> = self.journal.iter().filter_map(left).collect();
        for (workflow, id, call, asked_in) in left {
            let reason = Reason::new("what started it has moved on, and does not wait for it any longer");
            let Ok(payload) = Json::encode(&reason) else { continue };
            let event_id = format!("~left:{}:{}:{call}", self.record.visit, self.record.edges_kept);
            let name = ControlAction::Cancel.event_name().to_owned();
            let event = NewEvent { event_id, name, payload, sent_at: now };
            let only_of = asked_in.map(|visit| ChildCallRecord { visit, call });
            self.record.outgoing.push(OutgoingRecord { workflow, id, event, only_of });
            self.changed = true;
        }
    }
}

/// What the parent of an execution is to be told that is parked with this error, if it wants to know.
pub(crate) fn parking_told(parent: &ParentRecord, error: ErrorRecord, now: Timestamp) -> Option<OutgoingRecord> {
    parent.reports_parking.then(|| told(parent, ChildEnd::Parked { error }, &parked_suffix(now), now)).flatten()
}

fn told(parent: &ParentRecord, end: ChildEnd, suffix: &str, now: Timestamp) -> Option<OutgoingRecord> {
    let report = ChildReport { visit: parent.visit, edge: parent.edge, call: parent.call.clone(), end };
    // A report is made of what was read from records, so it has a JSON form.
    let payload = Json::encode(&report).ok()?;
    let event_id = format!("{}{suffix}", parent.child);
    let event = NewEvent { event_id, name: CHILD_EVENT.to_owned(), payload, sent_at: now };
    Some(OutgoingRecord { workflow: parent.workflow.clone(), id: parent.id.clone(), event, only_of: None })
}

/// An execution may be parked more than once.
fn parked_suffix(now: Timestamp) -> String {
    format!(":parked:{}", now.as_millis())
}

/// The key under which the report of a child is recorded whose call has this key.
pub(crate) fn report_key(call: &str) -> Name {
    format!("{call}:report").into()
}

fn is_report_of_end(entry: &JournalEntry) -> bool {
    match &entry.result {
        JournalResult::Received { event, payload, .. } if event == CHILD_EVENT => {
            let is_parked = |report: ChildReport| matches!(report.end, ChildEnd::Parked { .. });
            !payload.decode().is_ok_and(is_parked)
        }
        JournalResult::Done(_) => entry.key.ends_with(":report"),
        _ => false,
    }
}

#[cfg(test)]
#[path = "children_tests.rs"]
mod tests;
