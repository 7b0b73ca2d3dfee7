//! From a record to its handler's turn, and from the end of the turn back to the kernel: what every driver does alike.

use std::fmt;

use super::{Failure, Finished, HandlerCall, Services, TurnScope};
use crate::base::{Error, Name, Timestamp};
use crate::kernel::{Decided, Kernel, Plan};
use crate::record::{Activity, ErrorKind, ExecutionKey, Json};

/// The `#[catch]` handler that takes an error, and the error as it is given to it; `None` if none does.
pub type Caught = Option<(&'static str, Json)>;

/// What a driver knows besides the execution when a turn has [finished](Finished).
pub struct Finishing<'a> {
    /// What the code says that executions may do.
    pub plan: &'a Plan,
    /// Finds the `#[catch]` handler of a state that takes an error: [`Workflow::catch`](super::Workflow::catch).
    pub catch: &'a dyn Fn(&str, &Error) -> Caught,
    /// The most bytes that the data of a state may have.
    pub payload_limit: usize,
    /// The present.
    pub now: Timestamp,
}

impl fmt::Debug for Finishing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Finishing").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Finishing<'_> {
    /// Takes over the results and the decision, or has the failure caught or parked.
    pub fn finish(&self, execution: &mut Kernel, finished: Finished) {
        execution.recorded(finished.results);
        let checked = |decided: Decided| self.check_size(execution, &decided).map(|()| decided);
        match finished.result.and_then(checked) {
            Ok(decided) => execution.handled(decided, finished.unclaimed, self.plan, self.now),
            Err(failure) => {
                let caught = match failure.kind {
                    ErrorKind::Unreadable => None,
                    // What its edges catch are the failures of its handlers, not those of undos.
                    _ if matches!(execution.record().activity, Activity::Unwinding { .. }) => None,
                    _ => (self.catch)(&execution.record().state, &failure.error),
                };
                let error = failure.to_record();
                match &caught {
                    Some((catch, _)) => tracing::info!(%error, catch, "the handler failed, and an edge catches it"),
                    None => tracing::error!(%error, "the handler failed, and nothing catches it"),
                }
                let caught = caught.map(|(handler, payload)| (Name::constant(handler), payload));
                execution.failed(error, caught, self.plan, self.now);
            }
        }
    }

    fn check_answer(&self, answer: &Json) -> Result<(), Failure> {
        let (len, limit) = (answer.text().len(), self.payload_limit);
        if len <= limit {
            return Ok(());
        }
        let text = format!(
            "the answer is {len} bytes long, over the limit of {limit}: answer with a reference to it instead, or raise the payload limit"
        );
        Err(Failure::failed(Error::msg(text)))
    }

    fn check_size(&self, execution: &Kernel, decided: &Decided) -> Result<(), Failure> {
        let (state, data) = match decided {
            Decided::Goto { state, data } | Decided::Unwind { state, data } => (*state, data),
            Decided::Stay { data } => (&*execution.record().state, data),
            Decided::Wait | Decided::Undone { .. } => return Ok(()),
            Decided::Reply { reply, then } => {
                self.check_answer(reply)?;
                return self.check_size(execution, then);
            }
            Decided::Refuse { refusal } => return self.check_answer(refusal),
        };
        let (len, limit) = (data.text().len(), self.payload_limit);
        if len <= limit {
            return Ok(());
        }
        let text = format!(
            "the data of the state `{state}` is {len} bytes long, over the limit of {limit}: keep a reference to it instead, or raise the payload limit"
        );
        Err(Failure::failed(Error::msg(text)))
    }
}

impl HandlerCall {
    /// The call of `handler`, which is what `execution` is to run.
    #[must_use]
    pub fn of(execution: &Kernel, handler: &Name) -> Self {
        let record = execution.record();
        let payload = match &record.activity {
            Activity::Handler { payload, .. } => payload.clone(),
            Activity::Entry | Activity::Waiting | Activity::Unwinding { .. } | Activity::Ended => None,
        };
        let undo = execution.next_undo().cloned();
        Self { state: record.state.clone(), data: record.data.clone(), handler: handler.clone(), payload, undo }
    }
}

impl TurnScope {
    /// That of the turn of `handler`, which is what `execution` is to run.
    #[must_use]
    pub fn of(execution: &Kernel, handler: &Name, key: ExecutionKey, services: Services) -> Self {
        // An undo belongs to where its step ran, which is what makes the idempotency key of that.
        let (visit, edge_number) = match execution.next_undo() {
            Some(undo) => (undo.visit, undo.edge_number),
            None => (execution.record().visit, execution.record().edge_number()),
        };
        Self { key, visit, handler: handler.clone(), edge_number, services }
    }
}
