//! What a person does to many executions at once: all that a query finds, a page at a time.

use std::fmt;

use super::control::request_event;
use super::core::Core;
use super::searching::checked;
use super::{Engine, EngineError};
use crate::record::{ControlAction, ExecutionKey, Reason, Status};
use crate::store::{Change, Commit, Committed, ExecutionSummary, Query};

/// The most executions of one commit.
const PAGE: usize = 500;

/// The most executions that a report names among those that were skipped.
const NAMED: usize = 1_000;

/// Control by hand of all executions that a query finds, whatever its limit, which is the size of the pages that are read. They are
/// asked a page at a time, each page in one commit, so memory is bounded however many there are. When a call returns, what
/// was asked for is on disk, and is carried out as soon as each has a place.
///
/// A call that was cut off may be made again: those that are over are skipped. With a name to the [reason](Reason::once), none is
/// asked twice.
impl Engine {
    /// [Cancels](super::Execution::cancel) every execution that `query` finds.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::{Engine, Reason};
    /// # #[state] pub struct Asked { what: String }
    /// # #[state(end)] pub struct Granted;
    /// # #[event] pub struct Grant;
    /// # pub struct Request;
    /// # #[workflow(start = Asked)]
    /// # impl Request {
    /// #     #[on(allow(endless_wait))] fn granted(&self, _: Asked, _: Grant) -> Granted { Granted }
    /// # }
    /// # workflow_runtime::block_on(async {
    /// use workflow_runtime::store::Query;
    ///
    /// # let engine = Engine::in_memory().workflow(Request).start().await?;
    /// # engine.start::<Request>("r1", Asked { what: "a raise".into() }).await?;
    /// let reason = Reason::new("the budget is spent").by("alice").once("budget-2026");
    /// let report = engine.cancel_all(&Query::of::<Request>().state::<Asked>(), reason).await?;
    /// assert_eq!(report.to_string(), "1 done, 0 skipped");
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list), [`EngineError::ShuttingDown`], or that of the store; what was done before stays done.
    pub async fn cancel_all(&self, query: &Query, reason: impl Into<Reason>) -> Result<BulkReport, EngineError> {
        self.ask_all(ControlAction::Cancel, query, reason.into()).await
    }

    /// [Parks](super::Execution::park) every execution that `query` finds and that is not parked already.
    ///
    /// # Errors
    /// As [`cancel_all`](Self::cancel_all).
    pub async fn park_all(&self, query: &Query, reason: impl Into<Reason>) -> Result<BulkReport, EngineError> {
        self.ask_all(ControlAction::Park, query, reason.into()).await
    }

    /// [Retries](super::Execution::retry) every execution that `query` finds and that is parked.
    ///
    /// # Errors
    /// As [`cancel_all`](Self::cancel_all).
    pub async fn retry_all(&self, query: &Query, reason: impl Into<Reason>) -> Result<BulkReport, EngineError> {
        self.ask_all(ControlAction::Retry, query, reason.into()).await
    }

    /// [Terminates](super::Execution::terminate) every execution that `query` finds: nothing is undone.
    ///
    /// # Errors
    /// As [`cancel_all`](Self::cancel_all).
    pub async fn terminate_all(&self, query: &Query, reason: impl Into<Reason>) -> Result<BulkReport, EngineError> {
        self.ask_all(ControlAction::Terminate, query, reason.into()).await
    }

    async fn ask_all(&self, action: ControlAction, query: &Query, reason: Reason) -> Result<BulkReport, EngineError> {
        let mut query = checked(&self.core, query)?;
        query.limit = query.limit.clamp(1, PAGE);
        let mut report = BulkReport::default();
        loop {
            let page = self.core.store().list(&query).await?;
            self.ask_page(action, page.executions, &reason, &mut report).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(report),
            }
        }
    }

    async fn ask_page(
        &self,
        action: ControlAction,
        found: Vec<ExecutionSummary>,
        reason: &Reason,
        report: &mut BulkReport,
    ) -> Result<(), EngineError> {
        let mut commits = Vec::new();
        for found in found {
            let key = found.key();
            match no_use(&self.core, action, &found) {
                Some(why) => report.skip(key, why),
                None => {
                    let event = request_event(&self.core, action, reason, reason)
                        .map_err(|error| EngineError::unwritable(action.event_name(), error))?;
                    commits.push(Commit { key, change: Change::Deliver { event } });
                }
            }
        }
        if commits.is_empty() {
            return Ok(());
        }
        for (key, outcome) in self.core.commit_all(commits).await? {
            match outcome {
                Ok(Committed::Applied) => report.done += 1,
                Ok(Committed::Existed) => report.skip(key, "it was asked for this by this name before".to_owned()),
                Err(refused) => report.skip(key, refused.to_string()),
            }
        }
        Ok(())
    }
}

/// Why nothing would come of asking for `action`, as far as that can be seen.
fn no_use(core: &Core, action: ControlAction, found: &ExecutionSummary) -> Option<String> {
    if core.machine(&found.workflow).is_err() {
        return Some(format!("the engine does not know the workflow `{}`", found.workflow));
    }
    match (action, found.status) {
        (_, status) if status.is_over() => Some(format!("it is over: {status}")),
        (ControlAction::Cancel, Status::Unwinding) => Some("it is unwinding already".to_owned()),
        (ControlAction::Park, Status::Parked) => Some("it is parked already".to_owned()),
        (ControlAction::Retry, status) if status != Status::Parked => Some("it is not parked".to_owned()),
        _ => None,
    }
}

/// What became of a request to many executions. It is displayed in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BulkReport {
    /// How many have been asked: that is on disk.
    pub done: usize,
    /// How many have been skipped.
    pub skipped: usize,
    /// Those that have been skipped, and why: the first 1,000 of them.
    pub why_skipped: Vec<(ExecutionKey, String)>,
}

impl BulkReport {
    fn skip(&mut self, key: ExecutionKey, why: String) {
        self.skipped += 1;
        if self.why_skipped.len() < NAMED {
            self.why_skipped.push((key, why));
        }
    }
}

impl fmt::Display for BulkReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} done, {} skipped", self.done, self.skipped)
    }
}
