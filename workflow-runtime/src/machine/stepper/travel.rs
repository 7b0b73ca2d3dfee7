//! Time travel: back to a visit, with all that belongs to an execution.

use super::Stepper;
use crate::base::{Error, ManualClock, Name, Result, Timestamp};
use crate::kernel::Kernel;
use crate::machine::Workflow;
use crate::record::{EventRecord, ExecutionRecord};

/// A visit of an execution in a [`Stepper`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// Which it is, from 1.
    pub visit: u64,
    /// The persisted name of the state.
    pub state: Name,
    /// When it began.
    pub at: Timestamp,
}

/// An execution as it was when a visit began: what it takes to go back there.
pub(super) struct Snapshot {
    record: ExecutionRecord,
    inbox: Vec<EventRecord>,
    sent: u64,
    now: Timestamp,
    /// How long the lists were that only grow.
    undo_changes: usize,
    history: usize,
    replies: usize,
    commands: usize,
}

impl<W: Workflow> Stepper<W> {
    /// The visits so far, the present one last. Those that a handler without effects has only passed through are among them.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        let visit = |snapshot: &Snapshot| {
            let record = &snapshot.record;
            Visit { visit: record.visit, state: record.state.clone(), at: record.entered_at }
        };
        self.snapshots.iter().map(visit).collect()
    }

    /// Goes back to the beginning of a visit: to its state and data, its time, the events that were in the inbox, what was to be
    /// undone, and the history up to there. From there it can go another way. What steps have done outside of the execution
    /// stays done; steps that run again do so with the idempotency keys that they had.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::Stepper;
    /// # #[state] pub struct Asked;
    /// # #[state(end)] pub struct Granted;
    /// # #[state(end)] pub struct Refused;
    /// # #[event] pub struct Verdict { yes: bool }
    /// # pub struct Request;
    /// # #[workflow(start = Asked, allow(endless_wait))]
    /// # impl Request {
    /// #     #[on]
    /// #     fn decided(&self, _: Asked, verdict: Verdict) -> Next<(Granted, Refused)> {
    /// #         if verdict.yes { goto(Granted) } else { goto(Refused) }
    /// #     }
    /// # }
    /// # workflow_runtime::block_on(async {
    /// let mut request = Stepper::start(Request, Asked)?;
    /// request.send(Verdict { yes: true }).await?;
    /// assert!(matches!(request.outcome()?, Some(RequestOutcome::Granted(_))));
    /// request.back_to(1)?;
    /// request.send(Verdict { yes: false }).await?;
    /// assert!(matches!(request.outcome()?, Some(RequestOutcome::Refused(_))));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If it has had no such visit.
    pub fn back_to(&mut self, visit: u64) -> Result<()> {
        let Some(place) = self.snapshots.iter().position(|snapshot| snapshot.record.visit == visit) else {
            let last = self.execution.record().visit;
            return Err(Error::msg(format!("there was no visit {visit} so far: go back to one from 1 to {last}")));
        };
        self.snapshots.truncate(place + 1);
        let Some(snapshot) = self.snapshots.last() else { return Ok(()) };
        self.undo_changes.truncate(snapshot.undo_changes);
        self.undo.clear();
        for change in &self.undo_changes {
            change.clone().apply_undo(&mut self.undo);
        }
        let inbox = snapshot.inbox.clone();
        let undo = self.undo.values().cloned().collect();
        self.execution = Kernel::new(snapshot.record.clone(), Vec::new(), inbox.clone(), undo);
        self.inbox = inbox;
        self.sent = snapshot.sent;
        self.keys.retain(|_, sent| *sent <= snapshot.sent);
        self.history.truncate(snapshot.history);
        self.replies.truncate(snapshot.replies);
        self.commands.truncate(snapshot.commands);
        self.clock = ManualClock::new(snapshot.now);
        self.services.clock = std::sync::Arc::new(self.clock.clone());
        Ok(())
    }

    /// Remembers how things stand, if a visit has begun.
    pub(super) fn remember(&mut self) {
        let record = self.execution.record();
        if self.snapshots.last().is_some_and(|last| last.record.visit == record.visit) {
            return;
        }
        self.snapshots.push(Snapshot {
            record: record.clone(),
            inbox: self.inbox.clone(),
            sent: self.sent,
            now: crate::base::Clock::now(&self.clock),
            undo_changes: self.undo_changes.len(),
            history: self.history.len(),
            replies: self.replies.len(),
            commands: self.commands.len(),
        });
    }
}
