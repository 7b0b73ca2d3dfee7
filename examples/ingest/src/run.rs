//! One run, from the start of the engine to the check of what came of it.

use std::process::ExitCode;

use workflow_runtime::store::ExecutionSummary;
use workflow_runtime::{Engine, EngineError, Error, Result, Status};

use crate::args::Args;
use crate::check::{Places, Report, check, executions};
use crate::progress;
use crate::results::Results;
use crate::scan::{Scan, scan};
use crate::workflow::{Ingest, Received};

/// The most bytes that a file may have.
const SIZE_LIMIT: u64 = 8 << 20;

/// How many files are worked on at once. So many executions at most have a write under way when the process is killed.
pub const MAX_ACTIVE: usize = 64;

/// How many rejected or failed files are named.
const NAMED: usize = 10;

/// Ingests what is to be ingested, and says what came of it.
///
/// # Errors
/// If the directory, the store or the table cannot be used.
pub async fn run(args: Args) -> Result<ExitCode> {
    let root = args.root.canonicalize().and_then(|root| root.read_dir().map(|_| root));
    let root = root.map_err(|error| Error::from(error).context(format!("cannot walk {}", args.root.display())))?;
    let places = Places { root, size_limit: SIZE_LIMIT, store: args.store, results: args.results };
    let results = Results::open(&places.results, &places.root).await?;
    let ingest = Ingest { root: places.root.clone(), size_limit: SIZE_LIMIT, results };
    let engine =
        Engine::sqlite(&places.store).workflow(ingest).max_active(MAX_ACTIVE).shutdown_on_ctrl_c().start().await?;
    let ended = ingest_all(&engine, &places).await;
    let stopped = engine.shutdown().await;
    match ended {
        Err(error) if is_told_to_stop(&error) => {
            stopped?;
            say("stopped; nothing is lost: the same command goes on from here");
            Ok(ExitCode::from(130))
        }
        Ok(report) if report.faults.is_empty() => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        Err(error) => Err(error),
    }
}

async fn ingest_all(engine: &Engine, places: &Places) -> Result<Report> {
    let unfinished = executions(engine).await?.into_iter().filter(is_unfinished).count();
    let found = scan(&places.root, &[&places.store, &places.results]);
    let starts = found.files.iter().map(|file| (file.execution_id(), Received { file: file.clone() }));
    let new = engine.start_all::<Ingest, _>(starts).await?;
    announce(places, &found, new, unfinished);
    if new + unfinished > 0 {
        tokio::select! {
            ended = all_ended(engine) => ended?,
            failed = progress::show(engine) => match failed? {},
        }
    }
    let report = check(engine, places, &found.files).await?;
    summarise(places, &report);
    Ok(report)
}

/// Waits for every execution to end or to be parked.
async fn all_ended(engine: &Engine) -> Result<()> {
    for execution in executions(engine).await?.iter().filter(|execution| is_unfinished(execution)) {
        match engine.execution::<Ingest>(execution.id.as_str())?.outcome().await {
            Ok(_) | Err(EngineError::Parked { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_unfinished(execution: &ExecutionSummary) -> bool {
    matches!(execution.status, Status::Running | Status::Waiting)
}

fn is_told_to_stop(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(EngineError::ShuttingDown))
}

fn announce(places: &Places, found: &Scan, new: usize, unfinished: usize) {
    for problem in &found.unreadable {
        say(&format!("passed over: {problem}"));
    }
    let files = found.files.len();
    say(&format!("{files} files in {}: {new} new, {unfinished} unfinished from before", places.root.display()));
    if new + unfinished == 0 {
        say("nothing to do");
    }
}

fn summarise(places: &Places, report: &Report) {
    let Report { stored, rejected, failed, changed, gone, new, faults } = report;
    say(&format!("{stored} stored, {} rejected, {} failed", rejected.len(), failed.len()));
    for (kind, files) in [("rejected", rejected), ("failed", failed)] {
        files.iter().take(NAMED).for_each(|(file, reason)| say(&format!("  {kind}: {file}: {reason}")));
        if files.len() > NAMED {
            say(&format!("  … and {} more {kind}", files.len() - NAMED));
        }
    }
    if !changed.is_empty() {
        say(&format!("{} changed since they were ingested, such as {}", changed.len(), list(changed)));
    }
    if *gone > 0 {
        say(&format!("{gone} gone since they were ingested"));
    }
    if *new > 0 {
        say(&format!("{new} came meanwhile: run again to ingest them"));
    }
    if faults.is_empty() {
        say(&format!("checked: each file is one execution, and {} has {stored} rows", places.results.display()));
    } else {
        say(&format!("THE CHECK FAILED, {} faults:", faults.len()));
        faults.iter().for_each(|fault| say(&format!("  {fault}")));
    }
}

fn list(files: &[crate::file_name::FileName]) -> String {
    files.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[allow(clippy::print_stdout, reason = "a program that talks to its user")]
fn say(line: &str) {
    println!("{line}");
}
