//! Before a deploy: whether every execution of a store goes on with this code.
//!
//! Nothing is run and nothing is written. What is looked at is what an engine would come to with the executions as they stand:
//! the state and its data, the handler that is under way, the results that are recorded, what is to be undone and what
//! waits in the inbox.

mod misfit;
mod one;
mod report;
mod undos;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use misfit::{Misfit, Unknown};
pub use report::{CheckGroup, CheckReport, FitGroup};

use self::one::{Found, Trial};
use self::report::Reporter;
use self::undos::{Older, older};
use super::registry::Registry;
use super::{EngineBuilder, EngineError, SystemClock};
use crate::base::Clock as _;
use crate::kernel::{Kernel, Plan};
use crate::machine::ResultReaders;
use crate::record::{ErrorRecord, Status};
use crate::store::{ExecutionSummary, Loaded, Query, Store, StoreError, Stored};

/// How many executions are read at once.
const PAGE: usize = 500;

impl EngineBuilder {
    /// Tries every execution of the store that has not ended with the workflows that this was given, without starting an engine:
    /// does the code have its state, and can it read the data; is the handler there that is under way; are the results of
    /// steps found and read; can be undone what may have to be; are the events known that wait. Nothing is run, and
    /// nothing is written: an SQLite file is opened [to be read only](crate::SqliteStore::open_read_only), so it may
    /// be that of a service in production. Memory is bounded, however many there are.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use std::sync::Arc;
    /// # use workflow_runtime::MemoryStore;
    /// # #[state] pub struct Draft;
    /// # #[state(end)] pub struct Published;
    /// # #[event] pub struct Approved;
    /// # pub struct Article;
    /// # #[workflow(start = Draft, allow(endless_wait))]
    /// # impl Article { #[on] fn approved(&self, _: Draft, _: Approved) -> Published { Published } }
    /// use workflow_runtime::Engine;
    ///
    /// # workflow_runtime::block_on(async {
    /// # let store = Arc::new(MemoryStore::new());
    /// # let engine = Engine::on(store.clone()).workflow(Article).start().await?;
    /// # engine.start::<Article>("first", Draft).await?;
    /// let report = Engine::on(store).workflow(Article).check().await?;
    /// assert!(report.is_fit());
    /// assert!(report.to_string().starts_with("1 of 1 executions go on with this code"));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`EngineError::DuplicateWorkflow`], or that of the store. What is wrong with a single execution is in the report.
    pub async fn check(&self) -> Result<CheckReport, EngineError> {
        let store = self.store_to_read()?;
        check(&*store, &self.registry()?).await
    }
}

async fn check(store: &dyn Store, registry: &Registry) -> Result<CheckReport, EngineError> {
    let mut reporter = Reporter::default();
    let mut checker = Checker { registry, results: BTreeMap::new() };
    let mut query = Query { limit: PAGE, ..Query::default() };
    query.statuses = Status::ALL.into_iter().filter(|status| !status.is_over()).collect();
    loop {
        let page = store.list(&query).await?;
        let known = |found: &&ExecutionSummary| registry.get(&found.workflow).is_some();
        let keys: Vec<_> = page.executions.iter().filter(known).map(ExecutionSummary::key).collect();
        let mut loaded = store.load_many(&keys).await?.into_iter();
        for found in &page.executions {
            let tried = match known(&found) {
                true => {
                    let loaded = loaded.next().unwrap_or(Ok(None));
                    let older = match &loaded {
                        Ok(Some(stored)) => older(store, &found.key(), stored).await?,
                        _ => Older::Unknown,
                    };
                    checker.check(found, loaded, &older)
                }
                false => Some(Found { misfits: vec![Misfit::UnknownWorkflow], ..Found::default() }),
            };
            if let Some(Found { misfits, unknown }) = tried {
                reporter.add(found, misfits, unknown);
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(reporter.into_report()),
        }
    }
}

struct Checker<'a> {
    registry: &'a Registry,
    results: BTreeMap<(Arc<str>, u32), ResultReaders>,
}

impl Checker<'_> {
    /// What is found of an execution; `None` if it has ended since it was listed.
    fn check(&mut self, found: &ExecutionSummary, loaded: Loaded, older: &Older) -> Option<Found> {
        let stored = match loaded {
            Ok(stored) => stored.filter(|stored| !stored.record.status().is_over())?,
            Err(StoreError::Corrupt { what, .. }) => {
                return Some(Found { misfits: vec![Misfit::Damaged { what: what.to_owned() }], ..Found::default() });
            }
            Err(error) => {
                let misfits = vec![Misfit::Damaged { what: error.to_string() }];
                return Some(Found { misfits, ..Found::default() });
            }
        };
        let (_, versions) = self.registry.get(&found.workflow)?;
        let version = stored.record.version;
        let is_kept = versions.keeps(version);
        let machine = versions.of_version(version);
        if version > machine.plan().version() {
            return Some(Found { misfits: vec![Misfit::NewerVersion { version }], ..Found::default() });
        }
        let stored = match is_kept {
            true => stored,
            false => match migrated(stored, machine.plan()) {
                Ok(stored) => stored,
                Err(error) => {
                    let misfit = Misfit::CannotMigrate { version, error: error.to_string() };
                    return Some(Found { misfits: vec![misfit], ..Found::default() });
                }
            },
        };
        let known = (Arc::clone(&found.workflow), machine.plan().version());
        let results = self.results.entry(known).or_insert_with(|| machine.result_readers());
        let trial = Trial { registry: self.registry, machine: &**machine, results, stored: &stored, older };
        Some(trial.run())
    }
}

/// The execution as it is once it was brought to the version of the code, as far as it was to be.
fn migrated(stored: Stored, plan: &Plan) -> Result<Stored, ErrorRecord> {
    let Stored { record, journal, inbox, undo } = stored;
    let mut execution = Kernel::new(record, journal, inbox.clone(), undo.clone());
    execution.try_to_migrate(plan, SystemClock.now())?;
    Ok(Stored { record: execution.record().clone(), journal: execution.journal().to_vec(), inbox, undo })
}
