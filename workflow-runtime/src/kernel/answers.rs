//! What senders of events are told: the answer of the edge that took an event, or that none did.

use super::execution::Kernel;
use super::{EventPolicy, Plan, StatePlan};
use crate::base::Timestamp;
use crate::record::{Answer, Cause, ErrorRecord, EventRecord, HistoryKind, Json, ReplyRecord};

impl Kernel {
    /// Takes the events out of the inbox that no edge of the state takes, that the handler does not wait for, and that are
    /// not kept for later.
    pub(super) fn refuse_untaken(&mut self, state: &StatePlan, plan: &Plan, now: Timestamp) {
        let awaited = self.record.waits_for.clone();
        let is_untaken = |event: &EventRecord| {
            let name = &event.event.name;
            plan.policy(name) != EventPolicy::Defer
                && state.on(name).is_none()
                && !awaited.iter().any(|awaited| *awaited == *name)
        };
        let untaken: Vec<_> = self.inbox.extract_if(.., |event| is_untaken(event)).collect();
        for EventRecord { seq, event } in untaken {
            let state = self.record.state.clone();
            let answer = match plan.policy(&event.name) {
                EventPolicy::Drop => Answer::Dropped { state: state.to_string() },
                EventPolicy::Reject | EventPolicy::Defer => Answer::Rejected { state: state.to_string() },
            };
            self.changes.consumed.push(seq);
            self.changes.replies.push(ReplyRecord { event_id: event.event_id.clone(), answer });
            self.note(HistoryKind::EventRefused { state, event: event.name.into(), event_id: event.event_id }, now);
        }
    }

    /// The running handler answers the event that made it run.
    pub(super) fn reply(&mut self, reply: Json) {
        self.answer(Answer::Replied(reply));
    }

    /// The running handler refuses the event that made it run, and leaves all as it was.
    pub(super) fn refuse(&mut self, refusal: Json, plan: &Plan, now: Timestamp) {
        self.answer(Answer::Refused(refusal));
        let kind = HistoryKind::Refused { state: self.record.state.clone(), cause: self.cause() };
        self.note(kind, now);
        self.keep_visit(plan, now);
    }

    /// Whoever waits for an answer is told that there will be none.
    pub(super) fn answer_failure(&mut self, cause: &Cause, error: ErrorRecord) {
        if let Cause::Event { event_id, .. } = cause {
            let answer = Answer::Failed { error };
            self.changes.replies.push(ReplyRecord { event_id: event_id.clone(), answer });
        }
    }

    fn answer(&mut self, answer: Answer) {
        if let Cause::Event { event_id, .. } = self.cause() {
            self.changes.replies.push(ReplyRecord { event_id, answer });
        }
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
