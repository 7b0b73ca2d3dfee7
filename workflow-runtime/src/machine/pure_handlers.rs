//! Handlers without effects, run without a turn.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::turn::panicked;
use super::{Cx, Failure, Finished, HandlerCall, HandlerRun, Workflow};
use crate::base::{ExecutionId, ManualClock, Timestamp};
use crate::kernel::Decided;

/// Runs those handlers of a workflow that have no effects.
///
/// Such a handler neither waits nor records anything, and no context is handed to it. So there is nothing that a
/// [`Turn`](super::Turn) would be needed for, where the journal is empty: with one, what nobody asks for in it is to be told.
pub struct PureHandlers<W> {
    workflow: Arc<W>,
    /// Generated code is handed one, whatever the handler.
    unused: Cx,
}

impl<W: Workflow> fmt::Debug for PureHandlers<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PureHandlers").field("workflow", &W::NAME).finish_non_exhaustive()
    }
}

impl<W: Workflow> PureHandlers<W> {
    /// Those of `workflow`.
    #[must_use]
    pub fn new(workflow: Arc<W>) -> Self {
        let unused = Cx::detached(W::NAME, ExecutionId::stepper(), ManualClock::new(Timestamp::EPOCH));
        Self { workflow, unused }
    }

    /// What the handler that `call` names has come to; `None` if it has effects, and so has not been run.
    #[must_use]
    pub fn run(&self, call: &HandlerCall) -> Option<Finished> {
        if call.undo.is_some() {
            return None;
        }
        let run = catch_unwind(AssertUnwindSafe(|| match self.workflow.run(&self.unused, call) {
            HandlerRun::Ready(result) => Some(result),
            HandlerRun::Future(_) => None,
        }));
        let result: Result<Decided, Failure> = match run {
            Ok(result) => result?,
            Err(panic) => Err(panicked(&call.handler, &*panic)),
        };
        Some(Finished { result, results: Vec::new(), attempts: 0, unclaimed: Vec::new() })
    }
}
