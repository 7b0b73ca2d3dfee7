//! What can be asked of a store without running anything.

use std::sync::Arc;

use crate::base::{ExecutionId, Timestamp};
use crate::machine::{State, Workflow};
use crate::record::{ErrorRecord, ExecutionKey, HistoryRecord, Status};

/// Which executions to list. The default is all of them, 100 to a page.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # #[state] pub struct Draft;
/// # #[state(end)] pub struct Published;
/// # pub struct Article;
/// # #[workflow(start = Draft)]
/// # impl Article {
/// #     #[state] fn publish(&self, _: Draft) -> Published { Published }
/// # }
/// # workflow_runtime::block_on(async {
/// use workflow_runtime::record::Status;
/// use workflow_runtime::store::Query;
///
/// # let engine = workflow_runtime::Engine::in_memory().workflow(Article).start().await?;
/// let stuck = engine.list(&Query::of::<Article>().status(Status::Parked).limit(20)).await?;
/// for article in &stuck.executions {
///     println!("{} is stuck in {}: {:?}", article.id, article.state, article.error);
/// }
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Only those of this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only those in one of these states; empty for any.
    pub states: Vec<String>,
    /// Only those that stand in one of these ways; empty for any.
    pub statuses: Vec<Status>,
    /// Only those after this one: the last of the page before.
    pub after: Option<ExecutionKey>,
    /// The most to answer with.
    pub limit: usize,
}

impl Query {
    /// The executions of `W`.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        Self { workflow: Some(W::NAME.into()), ..Self::default() }
    }

    /// Only those in the state `S`, under its present name or an old one, or in one that another call names.
    #[must_use]
    pub fn state<S: State>(mut self) -> Self {
        self.states.extend([S::NAME].iter().chain(S::WAS).map(|name| (*name).to_owned()));
        self
    }

    /// Only those that stand so, or as another call says.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.statuses.push(status);
        self
    }

    /// Only those after `last`: [`Page::next`] of the page before.
    #[must_use]
    pub fn after(mut self, last: ExecutionKey) -> Self {
        self.after = Some(last);
        self
    }

    /// At most `limit` to a page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for Query {
    fn default() -> Self {
        Self { workflow: None, states: Vec::new(), statuses: Vec::new(), after: None, limit: 100 }
    }
}

/// One execution in a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExecutionSummary {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The caller's name for the execution.
    pub id: ExecutionId,
    /// The persisted name of its state.
    pub state: String,
    /// How it stands.
    pub status: Status,
    /// How many states it has entered.
    pub visit: u64,
    /// When it entered its state.
    pub entered_at: Timestamp,
    /// When it is looked at again at the latest, if by itself.
    pub wake_at: Option<Timestamp>,
    /// Why it is parked, if it is.
    pub error: Option<ErrorRecord>,
}

impl ExecutionSummary {
    /// A summary with these parts, for stores outside this crate.
    #[must_use]
    pub fn new(key: ExecutionKey, state: String, status: Status, visit: u64, entered_at: Timestamp) -> Self {
        let ExecutionKey { workflow, id } = key;
        Self { workflow, id, state, status, visit, entered_at, wake_at: None, error: None }
    }

    /// Which execution it is.
    #[must_use]
    pub fn key(&self) -> ExecutionKey {
        ExecutionKey { workflow: Arc::clone(&self.workflow), id: self.id.clone() }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The executions.
    pub executions: Vec<ExecutionSummary>,
    /// What to give as [`Query::after`] for the next page; `None` if this is the last.
    pub next: Option<ExecutionKey>,
}

/// How many executions are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The persisted name of the state.
    pub state: String,
    /// How they stand.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// A row of a history, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Its place in the history of its execution, from 1.
    pub seq: u64,
    /// What happened.
    pub record: HistoryRecord,
}
