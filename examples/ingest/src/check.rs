//! Whether what was ingested is what is in the directory.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use workflow_runtime::store::{ExecutionSummary, Query};
use workflow_runtime::{Engine, Result, Status};

use crate::content;
use crate::file_name::FileName;
use crate::results::{self, Row};
use crate::scan::scan;
use crate::workflow::{Ingest, IngestState, Rejected, Stored};

/// What there is to know in the end.
#[derive(Debug, Default)]
pub struct Report {
    /// How many files have a row in the table.
    pub stored: usize,
    /// Files that are not for the table, and why.
    pub rejected: Vec<(FileName, String)>,
    /// Files that could not be read or stored, and why.
    pub failed: Vec<(FileName, String)>,
    /// Files that were changed after they had been read: what is known of them is what they were.
    pub changed: Vec<FileName>,
    /// How many executions are of files that are no longer there.
    pub gone: usize,
    /// How many files have come since the directory was walked: the next run finds them.
    pub new: usize,
    /// What must not be.
    pub faults: Vec<String>,
}

/// Where everything is.
#[derive(Debug)]
pub struct Places {
    /// The directory.
    pub root: PathBuf,
    /// The most bytes that a file may have.
    pub size_limit: u64,
    /// Where executions are kept.
    pub store: PathBuf,
    /// Where the table is.
    pub results: PathBuf,
}

/// Walks the directory anew and compares: each file is one execution that has ended, as the file's content has it, and
/// the table has one row for each file that is stored and no other.
///
/// # Errors
/// If the store or the table cannot be read.
pub async fn check(engine: &Engine, places: &Places, started: &[FileName]) -> Result<Report> {
    let mut check = Check {
        engine,
        places,
        executions: executions(engine).await?.into_iter().map(|row| (row.id.as_str().to_owned(), row)).collect(),
        rows: results::rows(&places.results)?.into_iter().map(|row| (row.file.execution_id(), row)).collect(),
        report: Report::default(),
    };
    let started: HashSet<&FileName> = started.iter().collect();
    for file in scan(&places.root, &[&places.store, &places.results]).files {
        let id = file.execution_id();
        match check.executions.remove(&id) {
            Some(execution) => check.file(&id, &file, &execution).await?,
            None if started.contains(&file) => check.fault(&file, "has no execution"),
            None => check.report.new += 1,
        }
    }
    check.rest();
    Ok(check.report)
}

/// Every execution there is.
///
/// # Errors
/// That of the store.
pub async fn executions(engine: &Engine) -> Result<Vec<ExecutionSummary>> {
    let mut query = Query::of::<Ingest>().limit(1_000);
    let mut all = Vec::new();
    loop {
        let page = engine.list(&query).await?;
        all.extend(page.executions);
        match page.next {
            Some(next) => query = query.after(next),
            None => return Ok(all),
        }
    }
}

struct Check<'a> {
    engine: &'a Engine,
    places: &'a Places,
    executions: BTreeMap<String, ExecutionSummary>,
    rows: BTreeMap<String, Row>,
    report: Report,
}

impl Check<'_> {
    async fn file(&mut self, id: &str, file: &FileName, execution: &ExecutionSummary) -> Result<()> {
        let row = self.rows.remove(id);
        if execution.status != Status::Ended {
            self.unfinished(file.as_str(), execution);
            return Ok(());
        }
        let path = file.below(&self.places.root);
        match self.engine.execution::<Ingest>(id)?.state().await? {
            IngestState::Stored(stored) => {
                self.report.stored += 1;
                self.stored(file, &path, &stored, row).await;
            }
            IngestState::Rejected(rejected) => {
                self.report.rejected.push((file.clone(), rejected.refusal.reason.to_string()));
                self.rejected(file, &path, &rejected, row).await;
            }
            // Its row may be there: writing it may have succeeded after all.
            IngestState::Failed(failed) => self.report.failed.push((file.clone(), failed.error)),
            IngestState::Received(_) | IngestState::Validated(_) | IngestState::Enriched(_) => {
                self.fault(file, "has ended in a state that is no end");
            }
        }
        Ok(())
    }

    async fn stored(&mut self, file: &FileName, path: &Path, stored: &Stored, row: Option<Row>) {
        match row {
            None => self.fault(file, "is stored but has no row"),
            Some(row) if row.digest != stored.facts.digest => self.fault(file, "has a row with another digest"),
            Some(_) => {}
        }
        match content::analyse(path.to_owned()).await {
            Ok(now) if now.digest == stored.facts.digest => {}
            Ok(now) if now.modified != stored.facts.modified => self.report.changed.push(file.clone()),
            Ok(_) => self.fault(file, "has another digest, although it was not changed"),
            Err(_) if !path.exists() => self.report.gone += 1,
            Err(error) => self.fault(file, &format!("cannot be compared: {error:#}")),
        }
    }

    async fn rejected(&mut self, file: &FileName, path: &Path, rejected: &Rejected, row: Option<Row>) {
        if row.is_some() {
            self.fault(file, "was rejected but has a row");
        }
        match content::inspect(path.to_owned(), self.places.size_limit).await {
            Ok(Some(_)) => {}
            Ok(None) if content::modified(path).is_ok_and(|now| now != rejected.refusal.modified) => {
                self.report.changed.push(file.clone());
            }
            Ok(None) => self.fault(file, "was rejected for no reason"),
            Err(_) if !path.exists() => self.report.gone += 1,
            Err(error) => self.fault(file, &format!("cannot be compared: {error:#}")),
        }
    }

    /// Executions of files that are gone, and rows that are nobody's.
    fn rest(&mut self) {
        for (id, execution) in std::mem::take(&mut self.executions) {
            self.report.gone += 1;
            self.rows.remove(&id);
            if execution.status != Status::Ended {
                self.unfinished(&id, &execution);
            }
        }
        for row in std::mem::take(&mut self.rows).into_values() {
            self.fault(&row.file, "has a row but no execution");
        }
    }

    fn unfinished(&mut self, name: &str, execution: &ExecutionSummary) {
        let fault = match &execution.error {
            Some(error) => format!("{name} is parked in `{}`: {error}", execution.state),
            None => format!("{name} has not ended, it is in `{}`", execution.state),
        };
        self.report.faults.push(fault);
    }

    fn fault(&mut self, file: &FileName, fault: &str) {
        self.report.faults.push(format!("{file} {fault}"));
    }
}
