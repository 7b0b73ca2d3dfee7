//! What an execution that a schedule has started may ask, and what the schedule itself does to others.

use std::sync::Arc;

use super::Cx;
use super::commands::{carried_out, refused};
use crate::base::Timestamp;
use crate::kernel::report_key;
use crate::kernel::{Command, CommandRefused};
use crate::record::{ChildEnd, ExecutionKey, JournalResult, Json, ParentRecord};

impl Cx {
    /// The time that the execution was scheduled for, whenever it has begun: the one at the end of its id, such as
    /// `nightly/2026-03-29T01:30:00Z`, as a [schedule](crate::Schedule) makes it. `None` if its id has no such end.
    ///
    /// ```
    /// use workflow_runtime::prelude::*;
    /// use workflow_runtime::{ExecutionId, ManualClock};
    ///
    /// let id = ExecutionId::new("nightly/2026-03-29T01:30:00Z")?;
    /// let cx = Cx::detached("Backup", id, ManualClock::default());
    /// assert_eq!(cx.scheduled_at().map(|time| time.to_string()).as_deref(), Some("2026-03-29T01:30:00Z"));
    /// # Result::<()>::Ok(())
    /// ```
    #[must_use]
    pub fn scheduled_at(&self) -> Option<Timestamp> {
        let (_, time) = self.id().as_str().rsplit_once('/')?;
        let time: jiff::Timestamp = time.parse().ok()?;
        Some(Timestamp::from_millis(time.as_millisecond()))
    }

    /// What ties `child`, which this run of a handler starts, to its execution: the report of its end says `call`.
    pub(crate) fn parent_of(&self, child: &ExecutionKey, call: String) -> ParentRecord {
        let scope = &self.turn().scope;
        ParentRecord {
            workflow: scope.key.workflow.to_string(),
            id: scope.key.id.to_string(),
            child: child.to_string(),
            visit: scope.visit,
            edge: scope.edge_number,
            call: call.into(),
            reports: true,
            reports_parking: false,
        }
    }

    /// Has `command` carried out once, whatever happens. `call` tells the calls of a handler apart. If it was to start an
    /// execution that has come to its end before, nobody is going to tell of that: the answer does.
    pub(crate) async fn command(&self, call: &str, command: Command) -> Result<Option<ChildEnd>, CommandRefused> {
        let turn = Arc::clone(self.turn());
        let key = self.claim(call);
        match carried_out(&turn, key.clone(), command, JournalResult::Done(Json::null())).await {
            JournalResult::Failed { error, value } => Err(refused(&turn, &error, value.as_ref()).await),
            _ => match turn.recorded(&report_key(&key)).map(|entry| entry.result) {
                Some(JournalResult::Done(end)) => Ok(end.decode().ok()),
                _ => Ok(None),
            },
        }
    }
}
