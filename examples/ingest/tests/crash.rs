//! Kills the program fifty times, at random moments, and then looks whether anything was lost or done twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by a panic, and may tell of itself"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use example_support::testing::{Folder, Run};
use fastrand::Rng;
use ingest::file_name::FileName;
use ingest::results::{Row, rows};
use ingest::run::MAX_ACTIVE;
use ingest::workflow::Ingest;
use workflow_runtime::store::{ExecutionSummary, Query, Store as _};
use workflow_runtime::{HistoryKind, SqliteStore, Status, Workflow as _, block_on};

const KILLS: usize = 50;
/// So many files are there whenever there is nothing left to do.
const BATCH: usize = 200;
/// The program is not run more often than this, whatever happens.
const RUNS: usize = 400;
const ARGUMENTS: &[&str] = &["files", "--store", "store.db", "--results", "results.db"];

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Rejected,
}

#[test]
fn nothing_is_lost_or_done_twice_over_fifty_kills() {
    let mut directory = Directory::new(4711);
    directory.add_files();
    let started = Instant::now();
    let mut killed = 0;
    let mut killed_at_work = 0;
    assert!(directory.ends().contains(&format!("{BATCH} new, 0 unfinished")));
    let full_run = started.elapsed();
    directory.add_files();
    let mut runs = 1;
    while killed < KILLS {
        assert!(runs < RUNS, "only {killed} kills in {runs} runs");
        runs += 1;
        let moment = full_run.mul_f64(directory.random.f64());
        let end = directory.run().kill_after(moment);
        match end.code {
            None => {
                killed += 1;
                killed_at_work += usize::from(end.output.contains("unfinished from before"));
            }
            Some(0) => directory.add_files(),
            Some(code) => panic!("{code}\n{}\n{}", end.output, end.errors),
        }
    }
    directory.ends();
    let again = directory.ends();
    assert!(again.contains(" 0 new, 0 unfinished from before\nnothing to do\n"), "{again}");
    let writes = directory.check();
    let once = directory.expected(Fate::Stored).count();
    let most = once + killed * MAX_ACTIVE;
    assert!((once..=most).contains(&writes), "{writes} writes of {once} rows with {killed} kills");
    println!(
        "{killed} kills in {runs} runs, {killed_at_work} of them at work; {} files, {} rows written again",
        directory.fates.len(),
        writes - once
    );
}

/// A directory that grows, and what the program makes of it.
struct Directory {
    folder: Folder,
    random: Rng,
    fates: BTreeMap<FileName, Fate>,
}

impl Directory {
    fn new(seed: u64) -> Self {
        let folder = Folder::of(env!("CARGO_BIN_EXE_ingest"));
        fs::create_dir(folder.path("files")).unwrap();
        Self { folder, random: Rng::with_seed(seed), fates: BTreeMap::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    fn add_files(&mut self) {
        for _ in 0..BATCH {
            let number = self.fates.len();
            let name = match number % 10 {
                0 => format!("100% of\n{number}"),
                1 => format!("a/{}/{number}", "long".repeat(60)),
                2..5 => format!("a/b/{number}.txt"),
                _ => format!("{number}.txt"),
            };
            let (content, fate) = match self.random.u8(..20) {
                0 => (Vec::new(), Fate::Rejected),
                1 => (vec![b'x', 0xff], Fate::Rejected),
                _ => (format!("{number}\n").repeat(self.random.usize(1..500)).into_bytes(), Fate::Stored),
            };
            let path = self.path("files").join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            self.fates.insert(FileName::new(Path::new(&name)), fate);
        }
    }

    fn run(&self) -> Run {
        self.folder.run(ARGUMENTS)
    }

    /// Runs the program to its end, which is to be a success, and gives what it printed.
    fn ends(&self) -> String {
        self.folder.succeeds(ARGUMENTS)
    }

    fn expected(&self, fate: Fate) -> impl Iterator<Item = &FileName> {
        self.fates.iter().filter(move |(_, wanted)| **wanted == fate).map(|(file, _)| file)
    }

    /// Compares everything with what was generated, and says how often a row was written.
    fn check(&self) -> usize {
        let rows = rows(&self.path("results.db")).unwrap();
        assert!(rows.iter().map(|row| &row.file).eq(self.expected(Fate::Stored)), "other rows than stored files");
        rows.iter().for_each(|row| self.check_row(row));
        block_on(self.check_executions());
        rows.iter().map(|row| usize::try_from(row.writes).unwrap()).sum()
    }

    fn check_row(&self, row: &Row) {
        let content = fs::read(row.file.below(&self.path("files"))).unwrap();
        assert_eq!(row.digest, blake3::hash(&content).to_string(), "{}", row.file);
    }

    async fn check_executions(&self) {
        let store = SqliteStore::open(self.path("store.db")).unwrap();
        let query = Query::default().limit(usize::MAX >> 1);
        let executions = store.list(&query).await.unwrap().executions;
        let mut by_id: BTreeMap<String, ExecutionSummary> =
            executions.into_iter().map(|execution| (execution.id.to_string(), execution)).collect();
        for (file, fate) in &self.fates {
            let execution = by_id.remove(&file.execution_id()).unwrap_or_else(|| panic!("{file} has no execution"));
            let way: &[&str] = match fate {
                Fate::Stored => &["received", "validated", "enriched", "stored"],
                Fate::Rejected => &["received", "rejected"],
            };
            assert_eq!(&*execution.workflow, Ingest::NAME);
            assert_eq!((execution.status, Some(&execution.state.as_str())), (Status::Ended, way.last()), "{file}");
            let history = store.history(&execution.key(), 0, 100).await.unwrap();
            let entered = history.iter().map(|row| match &row.record.kind {
                HistoryKind::Started { to } | HistoryKind::Transition { to, .. } => to.as_str(),
                other => panic!("{file}: {other:?}"),
            });
            assert_eq!(entered.collect::<Vec<_>>(), way, "{file}");
        }
        assert!(by_id.is_empty(), "executions of no file: {by_id:?}");
    }
}
