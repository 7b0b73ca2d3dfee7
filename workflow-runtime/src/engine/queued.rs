//! Executions that waited for the limits of steps when the engine began.
//!
//! Who waits so has a ticket in memory, and on disk a mark, and a time to ask again by itself, which is far off. A crash
//! loses the ticket; those with the mark are looked at once when an engine begins, a page at a time, and ask again.

use std::sync::Arc;
use std::vec::IntoIter;

use super::core::Core;
use crate::kernel::QUEUED;
use crate::record::{AttributeValue, ExecutionKey};
use crate::store::{ExecutionSummary, Query, StoreError};

/// How many are read from the store at once.
const PAGE: usize = 256;

/// Those that have not been looked at yet: a place in the store, and no names.
#[derive(Debug)]
pub(super) struct Queued {
    workflows: IntoIter<Arc<str>>,
    query: Option<Query>,
}

impl Queued {
    pub(super) fn new(workflows: Vec<Arc<str>>) -> Self {
        let mut queued = Self { workflows: workflows.into_iter(), query: None };
        queued.next_workflow();
        queued
    }

    fn next_workflow(&mut self) {
        self.query = self.workflows.next().map(|workflow| Query {
            workflow: Some(workflow),
            attributes: vec![(QUEUED.to_owned(), AttributeValue::Bool(true))],
            limit: PAGE,
            ..Query::default()
        });
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
                self.next_workflow();
            }
            if !page.executions.is_empty() {
                return Ok(page.executions.iter().map(ExecutionSummary::key).collect());
            }
        }
        Ok(Vec::new())
    }
}
