//! Bringing all executions to the present version of their workflows, and not one by one when they are touched.

use std::fmt;
use std::sync::Arc;

use super::core::Core;
use super::searching::checked;
use super::{Engine, EngineError};
use crate::base::Error;
use crate::record::{ErrorKind, ErrorRecord, ExecutionKey};
use crate::store::{ExecutionSummary, Query, StoreError};

/// How many are migrated at once, and read from the store.
const PAGE: usize = 64;

/// The most executions that a report names among those that failed.
const NAMED: usize = 1_000;

/// What became of one execution.
pub(super) enum Migrated {
    /// It is of the present version now.
    Done,
    /// There was nothing to do: somebody was quicker, or it is over.
    Nothing,
    /// It goes on with code of its own version.
    Kept,
    /// It is left as it was, and parked.
    Failed(ErrorRecord),
}

impl Engine {
    /// Brings every execution that `query` finds, and that has not ended, to the present version of its workflow. Without
    /// this, each is brought there when it is next touched: by an event, a timer, or by hand.
    ///
    /// | an execution | is |
    /// |---|---|
    /// | that waits, runs or is parked | migrated, in one commit; one that is parked stays so |
    /// | whose version is [kept](crate::Keep) | left to the code of that version |
    /// | whose migration fails | parked as it was, with the error; `retry` tries again |
    /// | that is of a newer version, or has ended | not touched |
    ///
    /// They are read a page at a time, so memory is bounded however many there are. A call that was cut off may be made
    /// again: those that are migrated are not found any more. It waits for places among those that [run at
    /// once](super::EngineBuilder::max_active).
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
    /// use workflow_runtime::store::Query;
    ///
    /// # let engine = workflow_runtime::Engine::in_memory().workflow(Article).start().await?;
    /// let report = engine.migrate_all(&Query::of::<Article>()).await?;
    /// println!("{report}"); // 9,998 migrated, 0 kept, 2 failed
    /// # assert_eq!(report.to_string(), "0 migrated, 0 kept, 0 failed");
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`list`](Self::list), [`EngineError::ShuttingDown`], or that of the store; what was done before stays done.
    pub async fn migrate_all(&self, query: &Query) -> Result<MigrationReport, EngineError> {
        let query = checked(&self.core, query)?;
        let mut report = MigrationReport::default();
        for known in self.core.registry.known() {
            if query.workflow.as_ref().is_none_or(|workflow| *workflow == known.name) {
                let before = query.before_version.map_or(known.version, |version| version.min(known.version));
                let mut query = Query { workflow: Some(known.name), before_version: Some(before), ..query.clone() };
                query.limit = query.limit.clamp(1, PAGE);
                self.migrate_pages(query, &mut report).await?;
            }
        }
        Ok(report)
    }

    async fn migrate_pages(&self, mut query: Query, report: &mut MigrationReport) -> Result<(), EngineError> {
        loop {
            let page = self.core.store().list(&query).await?;
            let found = page.executions.iter().filter(|found| !found.status.is_over()).map(ExecutionSummary::key);
            // All of a page at once, so that they share the commits of a group.
            let tasks: Vec<_> = found.map(|key| self.core.spawn(migrate_one(Arc::clone(&self.core), key))).collect();
            for task in tasks {
                let (key, migrated) = task.await.map_err(|_| self.core.stopped())??;
                report.add(key, migrated);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// Migrates an execution where nobody else can be at work on it, and has it go on.
async fn migrate_one(core: Arc<Core>, key: ExecutionKey) -> Result<(ExecutionKey, Migrated), EngineError> {
    loop {
        if core.is_stopping() {
            return Err(core.stopped());
        }
        if let Some(run) = core.claim_in_turn(&key).await {
            let (run, migrated) = run.migrate().await;
            // Somebody may have counted on the place meanwhile, and what is new in the state is to be looked at.
            core.begin(run, None);
            return Ok((key, migrated?));
        }
        // Whoever runs it brings it to the present version before anything else, which may take a moment.
        let stored = match core.store.load(&key).await {
            Ok(stored) => stored,
            // Whoever runs it parks it. The others are not to wait for that.
            Err(error @ StoreError::Corrupt { .. }) => {
                let why = ErrorRecord::new(ErrorKind::Unreadable, &Error::from(error));
                return Ok((key, Migrated::Failed(why)));
            }
            Err(error) => return Err(error.into()),
        };
        match stored.map(|stored| stored.record.version) {
            Some(version) if core.is_behind(&key, version) => tokio::task::yield_now().await,
            Some(version) if core.is_kept(&key, version) => return Ok((key, Migrated::Kept)),
            Some(_) => return Ok((key, Migrated::Done)),
            None => return Ok((key, Migrated::Nothing)),
        }
    }
}

/// What became of the executions that were to be migrated. It is displayed in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MigrationReport {
    /// How many are of the present version now: that is on disk.
    pub migrated: usize,
    /// How many go on with code of their own version.
    pub kept: usize,
    /// How many could not be migrated. They are as they were, and parked.
    pub failed: usize,
    /// Those that could not, and why: the first 1,000 of them.
    pub why_failed: Vec<(ExecutionKey, ErrorRecord)>,
}

impl MigrationReport {
    pub(super) fn add(&mut self, key: ExecutionKey, migrated: Migrated) {
        match migrated {
            Migrated::Done => self.migrated += 1,
            Migrated::Nothing => {}
            Migrated::Kept => self.kept += 1,
            Migrated::Failed(error) => {
                self.failed += 1;
                if self.why_failed.len() < NAMED {
                    self.why_failed.push((key, error));
                }
            }
        }
    }
}

impl fmt::Display for MigrationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} migrated, {} kept, {} failed", self.migrated, self.kept, self.failed)
    }
}
