//! The data of states in the history, and executions that begin with it.

use super::{Kernel, NewExecution, Plan};
use crate::base::{ExecutionId, Timestamp};
use crate::record::{ExecutionRecord, ForkRecord, HistoryKind, HistoryRecord, KeptState};

impl Kernel {
    /// Says whether the rows of its history that change the state or its data carry them from now on.
    #[must_use]
    pub fn keeping_state_data(mut self, keeps: bool) -> Self {
        self.keeps_data = keeps;
        self
    }

    /// Has the last row of the history carry the state as it is now.
    pub(super) fn keep_data(&mut self) {
        if self.keeps_data
            && let Some(row) = self.changes.history.last_mut()
        {
            row.kept = Some(Box::new(KeptState::of(&self.record)));
        }
    }

    /// The record of an execution that begins at `now` with the state that the visit `visit` of another one of its workflow
    /// was in. It has done nothing, so there is nothing to undo, and no journal.
    #[must_use]
    pub fn fork(kept: KeptState, from: &ExecutionId, plan: &Plan, now: Timestamp) -> NewExecution {
        let KeptState { visit, state, data, version } = kept;
        let NewExecution { record, history } = Self::start(state, data, plan, now).of_version(version);
        let kind = HistoryKind::Forked { from: from.to_string(), visit, to: record.state.clone() };
        let forked_from = Some(ForkRecord { id: from.to_string(), visit });
        NewExecution { record: ExecutionRecord { forked_from, ..record }, history: HistoryRecord { kind, ..history } }
    }
}

impl NewExecution {
    /// The same, whose first row of history carries the state if it `keeps` it.
    #[must_use]
    pub fn keeping_state_data(mut self, keeps: bool) -> Self {
        self.history.kept = keeps.then(|| Box::new(KeptState::of(&self.record)));
        self
    }
}
