//! Executions that are looked at once when an engine begins, a page at a time, although they are not due.
//!
//! * Those that waited for the limits of steps. Who waits so has a ticket in memory, and on disk a mark, and a time to ask
//!   again by itself, which is far off. A crash loses the ticket; those with the mark ask again.
//! * Those that were parked because an older build did not know their state, as this one does.

use std::sync::Arc;
use std::vec::IntoIter;

use super::core::Core;
use crate::kernel::QUEUED;
use crate::record::{ErrorKind, ExecutionKey, Status};
use crate::store::{ExecutionSummary, Query, StoreError};

/// How many are read from the store at once.
const PAGE: usize = 256;

/// Those that have not been looked at yet: a place in the store, and no names.
#[derive(Debug)]
pub(super) struct Queued {
    queries: IntoIter<Query>,
    query: Option<Query>,
}

impl Queued {
    pub(super) fn new(workflows: Vec<Arc<str>>) -> Self {
        let queries = workflows.into_iter().flat_map(|workflow| {
            let of = Query { workflow: Some(workflow), limit: PAGE, ..Query::default() };
            let waiting = of.clone().attribute(QUEUED, true);
            [waiting, of.status(Status::Parked).error_kind(ErrorKind::UnknownState)]
        });
        let mut queued = Self { queries: queries.collect::<Vec<_>>().into_iter(), query: None };
        queued.next_query();
        queued
    }

    fn next_query(&mut self) {
        self.query = self.queries.next();
    }

    pub(super) fn is_done(&self) -> bool {
        self.query.is_none()
    }

    /// The next of them; none when all have been looked at.
    pub(super) async fn page(&mut self, core: &Core) -> Result<Vec<ExecutionKey>, StoreError> {
        while let Some(query) = &mut self.query {
            let page = core.store.list(query).await?;
            query.after = page.next;
            if query.after.is_none() {
                self.next_query();
            }
            let found =
                page.executions.iter().filter(|found| found.status != Status::Parked || knows_state(core, found));
            let found: Vec<_> = found.map(ExecutionSummary::key).collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

fn knows_state(core: &Core, found: &ExecutionSummary) -> bool {
    let Some((_, versions)) = core.registry.get(&found.workflow) else { return false };
    let plan = versions.of_version(found.version).plan();
    found.version <= plan.version() && plan.state(&found.state).is_some()
}
