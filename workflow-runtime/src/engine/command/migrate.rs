//! All executions of older versions brought to the present one, while no engine runs them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use super::{Progress, Told, UNFIT, named};
use crate::base::{Error, Timestamp};
use crate::engine::migrating::{Migrated, MigrationReport};
use crate::engine::registry::{Registry, Versions};
use crate::engine::{EngineBuilder, EngineError, block_on};
use crate::kernel::Kernel;
use crate::record::{ErrorKind, ErrorRecord, ExecutionKey, Status};
use crate::store::{Change, Commit, Epoch, ExecutionSummary, Fence, Loaded, Query, Refused, Store};

/// How many executions are read at once.
const PAGE: usize = 100;

/// The most workflows and versions that are named among those that there is no code for.
const NAMED: usize = 1_000;

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
        let mut migration = Migration {
            store: &*store,
            epoch: None,
            now,
            keeps_data,
            keep_history,
            progress,
            tried: 0,
            report,
            foreign: Foreign::default(),
        };
        let done = block_on(async {
            if !asked.dry_run {
                // Whoever has had the store can write nothing any more.
                migration.epoch = Some(store.acquire().await?);
            }
            migration.run(&registry, asked.workflow.as_deref()).await?;
            migration.find_foreign(&registry, asked.workflow.as_deref()).await
        });
        let (report, foreign) = (migration.report, migration.foreign);
        match done {
            Ok(()) => Ok(Told {
                code: if report.failed == 0 && foreign.count == 0 { 0 } else { UNFIT },
                output: if asked.json { as_json(&report, &foreign) } else { as_text(&report, &foreign, asked.dry_run) },
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
    foreign: Foreign,
}

/// The executions that this program has no code for: they are left as they were.
#[derive(Default)]
struct Foreign {
    count: u64,
    /// How many there are of a workflow and version, and the version of the code; none if there is no such workflow.
    groups: BTreeMap<(Arc<str>, u32), (u64, Option<u32>)>,
}

impl Foreign {
    fn add(&mut self, found: &ExecutionSummary, known: Option<u32>) {
        self.count += 1;
        let key = (Arc::clone(&found.workflow), found.version);
        if self.groups.len() < NAMED || self.groups.contains_key(&key) {
            self.groups.entry(key).or_insert((0, known)).0 += 1;
        }
    }

    /// How many are of none of the groups.
    fn unnamed(&self) -> u64 {
        self.count.saturating_sub(self.groups.values().map(|(count, _)| count).sum())
    }
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

    /// Finds the executions that have not ended and are of a newer version, or of a workflow that the program does not have.
    async fn find_foreign(&mut self, registry: &Registry, workflow: Option<&str>) -> Result<(), EngineError> {
        let mut query = Query { limit: PAGE, workflow: workflow.map(Arc::from), ..Query::default() };
        query.statuses = Status::ALL.into_iter().filter(|status| !status.is_over()).collect();
        loop {
            let page = self.store.list(&query).await?;
            for found in &page.executions {
                let known = registry.get(&found.workflow).map(|(_, versions)| versions.present().plan().version());
                if known.is_none_or(|known| found.version > known) {
                    self.foreign.add(found, known);
                }
            }
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

fn as_text(report: &MigrationReport, foreign: &Foreign, dry_run: bool) -> String {
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
    if foreign.count > 0 {
        let _ = writeln!(text, "{} are left as they were, as this program has no code for them:", foreign.count);
    }
    for ((workflow, version), (count, known)) in &foreign.groups {
        let _ = match known {
            Some(known) => writeln!(
                text,
                "  {count:>9}  {workflow}  version {version} is newer than this program, which has version {known}: run a build that has it"
            ),
            None => writeln!(
                text,
                "  {count:>9}  {workflow}  version {version}: this program has no such workflow; give it one with `.workflow(…)`"
            ),
        };
    }
    if foreign.unnamed() > 0 {
        let _ = writeln!(text, "  {:>9}  of further workflows and versions", foreign.unnamed());
    }
    text
}

fn as_json(report: &MigrationReport, foreign: &Foreign) -> String {
    let why = |(key, error): &(ExecutionKey, ErrorRecord)| json!({ "workflow": &*key.workflow, "id": key.id.as_str(), "error": error.to_string() });
    let failures: Vec<_> = report.why_failed.iter().map(why).collect();
    let groups = foreign.groups.iter().map(|((workflow, version), (count, known))| {
        let reason = if known.is_some() { "newer_version" } else { "unknown_workflow" };
        json!({ "workflow": &**workflow, "version": version, "reason": reason, "count": count })
    });
    let groups: Vec<_> = groups.collect();
    let report = json!({
        "migrated": report.migrated,
        "kept": report.kept,
        "failed": report.failed,
        "why_failed": failures,
        "without_code": foreign.count,
        "why_without_code": groups,
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ExecutionId;

    #[test]
    fn beyond_a_thousand_groups_the_rest_is_counted() {
        let mut foreign = Foreign::default();
        for version in (1..=1_003).chain([1, 1_003]) {
            let key = ExecutionKey { workflow: "Sale".into(), id: ExecutionId::new("a").unwrap() };
            let mut found = ExecutionSummary::new(key, "pending".to_owned(), Status::Waiting, 1, Timestamp::EPOCH);
            found.version = version;
            foreign.add(&found, None);
        }
        assert_eq!((foreign.count, foreign.groups.len(), foreign.unnamed()), (1_005, 1_000, 4));
        let text = as_text(&MigrationReport::default(), &foreign, false);
        assert!(text.ends_with("\n          4  of further workflows and versions\n"), "{text}");
        assert!(text.contains("        2  Sale  version 1: "), "{text}");
    }
}
