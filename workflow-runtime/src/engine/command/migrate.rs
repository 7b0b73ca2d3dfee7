//! All executions of older versions brought to the present one, while no engine runs them.

use std::fmt::Write as _;

use serde_json::json;

use super::{Progress, Told, UNFIT, named};
use crate::base::{Error, Timestamp};
use crate::engine::migrating::{Migrated, MigrationReport};
use crate::engine::registry::{Registry, Versions};
use crate::engine::{EngineBuilder, EngineError, block_on};
use crate::kernel::Kernel;
use crate::record::{ErrorKind, ErrorRecord, ExecutionKey};
use crate::store::{Change, Commit, Epoch, ExecutionSummary, Fence, Loaded, Query, Refused, Store};

/// How many executions are read at once.
const PAGE: usize = 100;

/// After how many executions is said how far it is.
const TOLD: u64 = 2_000;

/// What is to be migrated, and how.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) workflow: Option<String>,
    /// Whether nothing is to be written.
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

impl EngineBuilder {
    /// Brings executions to the present version as [`Engine::migrate_all`](crate::Engine::migrate_all) does, but runs nothing of
    /// them, and leaves those as they were that cannot be brought there: a rollback finds them running.
    pub(super) fn run_migrate(self, asked: &Asked, progress: &Progress) -> Result<Told, Told> {
        let registry = self.registry().map_err(|error| self.error(&error))?;
        if let Some(workflow) = &asked.workflow {
            named(&registry, Some(workflow))?;
        }
        let opened = if asked.dry_run { self.store_to_read() } else { self.store_to_write() };
        let store = opened.map_err(|error| self.error(&error.into()))?;
        let (now, keeps_data, keep_history) = self.history_settings();
        let report = MigrationReport::default();
        let mut migration =
            Migration { store: &*store, epoch: None, now, keeps_data, keep_history, progress, tried: 0, report };
        let done = block_on(async {
            if !asked.dry_run {
                // Whoever has had the store can write nothing any more.
                migration.epoch = Some(store.acquire().await?);
            }
            migration.run(&registry, asked.workflow.as_deref()).await
        });
        let report = migration.report;
        match done {
            Ok(()) => Ok(Told {
                code: if report.failed == 0 { 0 } else { UNFIT },
                output: if asked.json { as_json(&report) } else { as_text(&report, asked.dry_run) },
                error: String::new(),
            }),
            Err(error) => {
                let mut told = self.error(&error);
                if report.migrated > 0 {
                    // Writing to a text does not fail.
                    let _ = writeln!(told.error, "before that: {report}. That stays so; run it again for the others");
                }
                Err(told)
            }
        }
    }
}

struct Migration<'a> {
    store: &'a dyn Store,
    /// What may be written with; nothing is written without.
    epoch: Option<Epoch>,
    now: Timestamp,
    keeps_data: bool,
    keep_history: Option<u64>,
    progress: &'a Progress,
    tried: u64,
    report: MigrationReport,
}

impl Migration<'_> {
    async fn run(&mut self, registry: &Registry, workflow: Option<&str>) -> Result<(), EngineError> {
        for known in registry.known() {
            let Some((name, versions)) = registry.get(&known.name) else { continue };
            if workflow.is_none_or(|workflow| *workflow == **name) {
                let mut query = Query { limit: PAGE, workflow: Some(known.name), ..Query::default() };
                query.before_version = Some(known.version);
                self.migrate_pages(query, versions).await?;
            }
        }
        Ok(())
    }

    async fn migrate_pages(&mut self, mut query: Query, versions: &Versions) -> Result<(), EngineError> {
        loop {
            let page = self.store.list(&query).await?;
            let found = page.executions.iter().filter(|found| !found.status.is_over());
            let keys: Vec<ExecutionKey> = found.map(ExecutionSummary::key).collect();
            let loaded = self.store.load_many(&keys).await?;
            let mut commits = Vec::new();
            for (key, loaded) in keys.into_iter().zip(loaded) {
                self.tried += 1;
                if self.tried.is_multiple_of(TOLD) {
                    self.progress.say(format!("{}: {} so far\n", key.workflow, self.report));
                }
                match self.migrate(loaded, versions) {
                    Ok(mut execution) => match self.epoch {
                        Some(epoch) => commits.push(self.commit_of(key, &mut execution, epoch)),
                        None => self.report.add(key, Migrated::Done),
                    },
                    Err(migrated) => self.report.add(key, migrated),
                }
            }
            self.commit(commits).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The execution in the present version, or what else is to be said of it.
    fn migrate(&self, loaded: Loaded, versions: &Versions) -> Result<Kernel, Migrated> {
        let stored = match loaded {
            Ok(stored) => stored.ok_or(Migrated::Nothing)?,
            Err(error) => return Err(Migrated::Failed(ErrorRecord::new(ErrorKind::Unreadable, &Error::from(error)))),
        };
        let execution = Kernel::new(stored.record, stored.journal, stored.inbox, stored.undo);
        let mut execution = execution.keeping_state_data(self.keeps_data);
        if versions.keeps(execution.record().version) && !execution.has_moved() {
            return Err(Migrated::Kept);
        }
        match execution.try_to_migrate(versions.present().plan(), self.now) {
            Ok(true) => Ok(execution),
            Ok(false) => Err(Migrated::Nothing),
            Err(error) => Err(Migrated::Failed(error)),
        }
    }

    fn commit_of(&self, key: ExecutionKey, execution: &mut Kernel, epoch: Epoch) -> Commit {
        let fence = Fence { visit: execution.stored_visit(), epoch };
        let mut advance = execution.take_changes();
        advance.keep_history = self.keep_history.filter(|_| !advance.history.is_empty());
        Commit { key, change: Change::Advance { fence, advance } }
    }

    /// Writes a page, each of it by itself: what is cut off in the middle is found again by the next run.
    async fn commit(&mut self, commits: Vec<Commit>) -> Result<(), EngineError> {
        if commits.is_empty() {
            return Ok(());
        }
        let keys: Vec<ExecutionKey> = commits.iter().map(|commit| commit.key.clone()).collect();
        let done = self.store.commit(commits).await?;
        for (key, done) in keys.into_iter().zip(done) {
            match done {
                Ok(_) => self.report.add(key, Migrated::Done),
                Err(Refused::Ended | Refused::Unknown) => self.report.add(key, Migrated::Nothing),
                Err(refused @ Refused::Fenced) => return Err(EngineError::refused(refused, &key)),
            }
        }
        Ok(())
    }
}

fn as_text(report: &MigrationReport, dry_run: bool) -> String {
    let mut text = match dry_run {
        false => format!("{report}\n"),
        true => format!(
            "{} would be migrated, {} kept, {} would fail; nothing was written\n",
            report.migrated, report.kept, report.failed
        ),
    };
    if report.failed > 0 {
        text.push_str("these are left as they were; mend their migrations, and run it again:\n");
    }
    for (key, error) in &report.why_failed {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {key}: {error}");
    }
    let unnamed = report.failed.saturating_sub(report.why_failed.len());
    if unnamed > 0 {
        let _ = writeln!(text, "  and {unnamed} more");
    }
    text
}

fn as_json(report: &MigrationReport) -> String {
    let why = |(key, error): &(ExecutionKey, ErrorRecord)| json!({ "workflow": &*key.workflow, "id": key.id.as_str(), "error": error.to_string() });
    let failures: Vec<_> = report.why_failed.iter().map(why).collect();
    let report = json!({
        "migrated": report.migrated,
        "kept": report.kept,
        "failed": report.failed,
        "why_failed": failures,
    });
    format!("{report:#}\n")
}
