//! Searching: what a query may ask for, and what is stuck.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::{Engine, EngineError};
use crate::base::{ExecutionId, Timestamp};
use crate::machine::{AttributeInfo, Graph};
use crate::record::{ErrorRecord, ExecutionKey, Status};
use crate::store::{ExecutionSummary, Page, Query};

/// How long an execution has been due before it counts as stuck.
const OVERDUE: Duration = Duration::from_secs(60);

impl Engine {
    /// The executions that `query` asks for, of every workflow in the store, a page at a time.
    ///
    /// # Errors
    /// [`EngineError::UnknownAttribute`] or [`EngineError::WrongAttribute`] if it asks for an attribute that there is not, or
    /// not of that kind; [`EngineError::UnknownWorkflow`] if it asks for one of a workflow that the engine was not given; or
    /// that of the store.
    pub async fn list(&self, query: &Query) -> Result<Page, EngineError> {
        let query = checked(&self.core, query)?;
        Ok(self.core.store().list(&query).await?)
    }

    /// Those of the executions that `query` asks for that are stuck, a page at a time: where, why and since when.
    ///
    /// | stuck is what | why |
    /// |---|---|
    /// | is parked | [`StuckBecause::Parked`] |
    /// | has a step, or an undo, that fails and is tried again | [`StuckBecause::Failing`] |
    /// | has been due for more than a minute, and is of a version that is newer than this build | [`StuckBecause::Newer`] |
    /// | has been due for more than a minute, and does not run | [`StuckBecause::Overdue`]: no place is free, or the engine was not given the workflow |
    ///
    /// What waits for an event or for its time is not stuck: that is its way. One of a newer version that waits is not either,
    /// until its time or an event has come; [`list`](Self::list) with [`Query::version`] finds those of a version, whatever they wait for.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[state] pub struct Draft;
    /// # #[state(end)] pub struct Published;
    /// # pub struct Article;
    /// # #[workflow(start = Draft)]
    /// # impl Article {
    /// #     #[state]
    /// #     async fn publish(&self, _: &Cx, _: Draft) -> Result<Published> { Err(Error::msg("no paper")) }
    /// # }
    /// # workflow_runtime::block_on(async {
    /// use workflow_runtime::store::Query;
    ///
    /// # let engine = workflow_runtime::Engine::in_memory().workflow(Article).start().await?;
    /// # engine.start::<Article>("first", Draft).await?.outcome().await.unwrap_err();
    /// for stuck in engine.stuck(&Query::default()).await?.executions {
    ///     println!("{stuck}"); // Article/first  draft  parked  since …  no paper
    /// #   assert!(stuck.to_string().starts_with("Article/first  draft  parked  since "));
    /// #   assert!(stuck.to_string().ends_with("  no paper"));
    /// }
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn stuck(&self, query: &Query) -> Result<StuckPage, EngineError> {
        let mut query = checked(&self.core, query)?;
        query.stuck_before = Some(before(self.core.now(), OVERDUE));
        query.limit = query.limit.max(1);
        let mut executions = Vec::new();
        loop {
            let page = self.core.store().list(&query).await?;
            executions.extend(page.executions.into_iter().filter_map(|found| self.stuck_one(found)));
            // What runs is not stuck, so a page of the store may come to less than one here.
            match page.next {
                Some(next) if executions.is_empty() => query.after = Some(next),
                next => return Ok(StuckPage { executions, next }),
            }
        }
    }

    fn stuck_one(&self, found: ExecutionSummary) -> Option<StuckExecution> {
        let is_active = self.core.active.is_active(&found.key());
        let (because, error, since) = match (found.status, found.failing, found.wake_at) {
            (Status::Parked, ..) => (StuckBecause::Parked, found.error, found.parked_at.unwrap_or(found.entered_at)),
            (_, Some(failing), _) => {
                let step = failing.step().to_owned();
                let because = StuckBecause::Failing { step, attempts: failing.attempts, next_attempt: failing.due };
                (because, Some(failing.error), failing.since)
            }
            (_, None, Some(due)) if self.core.is_newer(&found.workflow, found.version) => {
                (StuckBecause::Newer { version: found.version }, None, due)
            }
            (_, None, Some(due)) if !is_active => (StuckBecause::Overdue, None, due),
            _ => return None,
        };
        let (workflow, id, state, status) = (found.workflow, found.id, found.state, found.status);
        Some(StuckExecution { workflow, id, state, status, because, error, since })
    }
}

/// The query as a store is asked it.
pub(super) fn checked(core: &Core, query: &Query) -> Result<Query, EngineError> {
    if !query.attributes.is_empty() {
        let unknown = |attribute: &str, known| EngineError::UnknownAttribute {
            workflow: query.workflow.as_deref().map(str::to_owned),
            attribute: attribute.to_owned(),
            known,
        };
        let graph = match &query.workflow {
            Some(workflow) => core.machine(workflow)?.graph(),
            None => return Err(unknown(query.attributes.first().map_or("", |(name, _)| name), Vec::new())),
        };
        for (name, value) in &query.attributes {
            let kinds: Vec<_> = attributes(graph).filter(|info| info.name == name).map(|info| info.kind).collect();
            let Some(expected) = kinds.first() else {
                let mut known: Vec<_> = attributes(graph).map(|info| info.name.to_owned()).collect();
                known.sort();
                known.dedup();
                return Err(unknown(name, known));
            };
            if !kinds.contains(&value.kind()) {
                let (attribute, expected, found) = (name.clone(), *expected, value.kind());
                return Err(EngineError::WrongAttribute { attribute, expected, found });
            }
        }
    }
    let mut query = query.clone();
    if let Some(age) = query.older_than.take() {
        let since = before(core.now(), age);
        query.entered_before = Some(query.entered_before.map_or(since, |time| time.min(since)));
    }
    Ok(query)
}

fn before(now: Timestamp, duration: Duration) -> Timestamp {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(millis))
}

fn attributes(graph: &'static Graph) -> impl Iterator<Item = &'static AttributeInfo> {
    graph.states.iter().flat_map(|state| state.attributes)
}

/// A page of what is stuck.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StuckPage {
    /// The executions, in the order of workflow and id.
    pub executions: Vec<StuckExecution>,
    /// What to give as [`Query::after`] for the next page; `None` if this is the last.
    pub next: Option<ExecutionKey>,
}

/// An execution that is stuck. It is displayed as a line of a table: which, where, why, since when, and the error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StuckExecution {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The caller's name for the execution.
    pub id: ExecutionId,
    /// The persisted name of the state that it is in.
    pub state: String,
    /// How it stands.
    pub status: Status,
    /// Why it does not go on.
    pub because: StuckBecause,
    /// The last error, if there is one.
    pub error: Option<ErrorRecord>,
    /// Since when it does not go on.
    pub since: Timestamp,
}

/// Why an execution is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StuckBecause {
    /// It is parked: it waits for a person.
    Parked,
    /// A step, or an undo, fails and is tried again.
    Failing {
        /// The name of the step.
        step: String,
        /// How often it has been tried.
        attempts: u32,
        /// When it is tried again.
        next_attempt: Timestamp,
    },
    /// It is of a version of its workflow that this build is too old for: it goes on with a newer build.
    Newer {
        /// Its version.
        version: u32,
    },
    /// It has been due for a while, and nobody has taken it up.
    Overdue,
}

impl StuckExecution {
    /// Which execution it is.
    #[must_use]
    pub fn key(&self) -> ExecutionKey {
        ExecutionKey { workflow: Arc::clone(&self.workflow), id: self.id.clone() }
    }
}

impl fmt::Display for StuckExecution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workflow, id, state, because, since, .. } = self;
        write!(formatter, "{workflow}/{id}  {state}  {because}  since {since}")?;
        match &self.error {
            Some(error) => write!(formatter, "  {error}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for StuckBecause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parked => formatter.write_str("parked"),
            Self::Failing { step, attempts, next_attempt } => {
                write!(formatter, "`{step}` failed {attempts} times, next at {next_attempt}")
            }
            Self::Newer { version } => write!(formatter, "of version {version}, which is newer than this build,"),
            Self::Overdue => formatter.write_str("overdue"),
        }
    }
}
