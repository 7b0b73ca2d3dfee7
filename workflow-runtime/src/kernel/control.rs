//! What a person does to a running execution: cancel, park, retry, skip, move, terminate.
//!
//! Each is an event in the inbox, with a name that no event of a workflow can have. So it is on disk when it is
//! acknowledged, it cannot race the worker that runs the execution, and a crash in the middle loses nothing. It is taken
//! before anything else: also from a parked execution, and also while a handler runs, which is interrupted.
//!
//! | asked for | the execution | what happens |
//! |---|---|---|
//! | any | has ended | the store refuses it |
//! | cancel | is in a state with an edge for [`Cancel`](crate::Cancel) | that edge's handler, whatever it did before |
//! | cancel | runs that handler | nothing: it is being cancelled |
//! | cancel | is parked while it ran that handler | that handler again, as for retry |
//! | cancel | is unwinding, and not parked on the way | nothing: undos are not cut off |
//! | cancel | is in any other state, or parked while it was unwinding | unwinding, closed as cancelled then |
//! | park | is not parked | parked |
//! | retry | is parked | what it did when it was parked; failures forgotten, timers moved |
//! | skip | is parked, and the step has failed | the result recorded, then as retry |
//! | move | the state is one of the workflow's | the state entered, as by a transition |
//! | terminate | – | closed as terminated |
//! | park, retry, skip, move | is not as above | nothing |
//!
//! Each leaves a row in the history that says who asked for it and why, and why nothing came of it, if so.

use std::mem;

use super::{Kernel, Plan};
use crate::base::Timestamp;
use crate::record::{
    Activity, Cause, Closed, ControlAction, ErrorKind, ErrorRecord, EventRecord, HistoryKind, JournalEntry,
    JournalResult, Json, MoveOrder, NewEvent, Reason, SetAside, SkipOrder, UnwindInto,
};

/// What became of a request: `Err` says why nothing did.
type Taken = Result<(), String>;

impl Kernel {
    /// Takes what control events there are, in the order of their arrival.
    pub(super) fn take_control(&mut self, plan: &Plan, now: Timestamp) {
        while self.record.activity != Activity::Ended
            && let Some((index, action)) = self.next_control()
        {
            let EventRecord { seq, event } = self.inbox.remove(index);
            self.changes.consumed.push(seq);
            self.changed = true;
            let row = self.changes.history.len();
            let kind = HistoryKind::Control {
                action,
                event_id: event.event_id.clone(),
                state: self.record.state.clone(),
                reason: reason_of(action, &event.payload),
                refused: None,
            };
            self.note(kind, now);
            if let Err(why) = self.control(action, seq, event, plan, now)
                && let Some(row) = self.changes.history.get_mut(row)
                && let HistoryKind::Control { refused, .. } = &mut row.kind
            {
                *refused = Some(why);
            }
        }
    }

    /// Whether what runs is to be interrupted for a control event. An undo that runs is not, for one that would come to
    /// nothing.
    pub(super) fn is_interrupted_by_hand(&self) -> bool {
        let is_unwinding = matches!(self.record.activity, Activity::Unwinding { .. });
        let mut actions = self.inbox.iter().filter_map(|event| event.event.control());
        actions.any(|action| !(is_unwinding && action == ControlAction::Cancel))
    }

    /// Whether it is to be terminated: then nothing that runs is waited for.
    #[must_use]
    pub fn is_to_be_terminated(&self) -> bool {
        self.inbox.iter().any(|event| event.event.control() == Some(ControlAction::Terminate))
    }

    fn next_control(&self) -> Option<(usize, ControlAction)> {
        self.inbox.iter().enumerate().find_map(|(index, event)| Some((index, event.event.control()?)))
    }

    fn control(&mut self, action: ControlAction, seq: u64, event: NewEvent, plan: &Plan, now: Timestamp) -> Taken {
        match action {
            ControlAction::Cancel => self.cancel(seq, event, plan, now),
            ControlAction::Park => self.park_by_hand(&reason_of(action, &event.payload), now),
            ControlAction::Retry if self.retry(now) => Ok(()),
            ControlAction::Retry => Err("it is not parked".to_owned()),
            ControlAction::Skip => self.skip(read(&event.payload)?, now),
            ControlAction::Move => self.move_to(read(&event.payload)?, plan, now),
            ControlAction::Terminate => {
                self.close(Closed::Terminated { reason: reason_of(action, &event.payload) }, now);
                Ok(())
            }
        }
    }

    fn cancel(&mut self, seq: u64, event: NewEvent, plan: &Plan, now: Timestamp) -> Taken {
        // What could not be brought to this version has no edges in it.
        let state = plan.state(&self.record.state).filter(|_| self.record.version == plan.version());
        let edge = state.and_then(|state| state.on(&event.name));
        let is_unwinding = matches!(self.record.activity, Activity::Unwinding { .. });
        let Some(handler) = edge.filter(|_| !is_unwinding).map(|edge| edge.handler.name.clone()) else {
            let reason = reason_of(ControlAction::Cancel, &event.payload);
            let into = UnwindInto::Closed(Closed::Cancelled { reason: reason.clone() });
            return match self.unwind(into, Cause::Cancelled { reason }, None, now) {
                true => Ok(()),
                false => Err("it is unwinding, and that is not cut off".to_owned()),
            };
        };
        if let Activity::Handler { cause: Cause::Event { event: taken, .. }, .. } = &self.record.activity
            && *taken == event.name
        {
            // Parked on the way, it would stay so for ever, and whoever asks again wants it to be cancelled.
            if self.retry(now) {
                return Ok(());
            }
            return Err(format!("it is being cancelled, by `{handler}`"));
        }
        self.unpark(now);
        if matches!(self.record.activity, Activity::Handler { .. }) && self.record.set_aside.is_none() {
            let activity = Box::new(mem::replace(&mut self.record.activity, Activity::Waiting));
            self.record.set_aside = Some(SetAside { activity, by: seq });
        }
        self.interrupt_entry();
        let cause = Cause::Event { handler: handler.clone(), event: event.name.into(), event_id: event.event_id };
        self.run_handler(handler, cause, Some(event.payload));
        Ok(())
    }

    fn park_by_hand(&mut self, reason: &Reason, now: Timestamp) -> Taken {
        if self.record.parked.is_some() {
            return Err("it is parked already".to_owned());
        }
        let error = ErrorRecord { kind: ErrorKind::ByHand, message: reason.to_string(), sources: Vec::new() };
        self.park(error, now);
        Ok(())
    }

    fn skip(&mut self, order: SkipOrder, now: Timestamp) -> Taken {
        if self.record.parked.is_none() {
            return Err("it is not parked".to_owned());
        }
        let failed = self.journal.iter().find(|entry| entry.key == order.key && entry.has_failed());
        let Some(failed) = failed.cloned() else {
            return Err(format!("it has no failed step `{}`", order.key));
        };
        self.recorded(vec![JournalEntry { result: JournalResult::Done(order.result), ..failed }]);
        self.retry(now);
        Ok(())
    }

    fn move_to(&mut self, order: MoveOrder, plan: &Plan, now: Timestamp) -> Taken {
        if plan.state(&order.state).is_none() {
            return Err(format!("the workflow has no state `{}`", order.state));
        }
        self.enter_for(Cause::Moved { reason: order.reason }, order.state.into(), order.data, Vec::new(), plan, now);
        Ok(())
    }
}

/// Why something was asked for. A request whose reason cannot be read is carried out all the same.
fn reason_of(action: ControlAction, payload: &Json) -> Reason {
    #[derive(serde::Deserialize)]
    struct Nested {
        reason: Reason,
    }
    match action {
        ControlAction::Skip | ControlAction::Move => {
            payload.decode::<Nested>().map(|order| order.reason).unwrap_or_default()
        }
        _ => payload.decode().unwrap_or_default(),
    }
}

fn read<T: serde::de::DeserializeOwned>(payload: &Json) -> Result<T, String> {
    payload.decode().map_err(|error| format!("the request cannot be read: {error}"))
}
