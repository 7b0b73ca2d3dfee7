//! Each way through the machine, without an engine, on real files and a real table; and crashed everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::content::Reason;
use crate::results::rows;

workflow_runtime::lock!(Ingest);

struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    fn table(&self) -> PathBuf {
        self.folder.path().join("results.db")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> FileName {
        fs::write(self.root().join(name), content).unwrap();
        FileName::new(Path::new(name))
    }

    async fn ingest(&self) -> Ingest {
        let results = Results::open(&self.table(), &self.root()).await.unwrap();
        Ingest { root: self.root(), size_limit: 100, results }
    }

    /// Ingests the file, whatever may be needed for that, and gives the last rest and what came of it.
    async fn outcome(&self, from: IngestState) -> IngestOutcome {
        let mut stepper = Stepper::enter(self.ingest().await, &from).unwrap();
        assert_eq!(stepper.run_to_end().await.unwrap(), Rest::Ended);
        stepper.outcome().unwrap().unwrap()
    }

    fn break_table(&self) {
        Connection::open(self.table()).unwrap().execute_batch("ALTER TABLE files RENAME TO away").unwrap();
    }

    fn mend_table(&self) {
        Connection::open(self.table()).unwrap().execute_batch("ALTER TABLE away RENAME TO files").unwrap();
    }
}

fn received(file: &FileName) -> IngestState {
    Received { file: file.clone() }.into()
}

fn enriched(file: &FileName) -> IngestState {
    let modified = workflow_runtime::Timestamp::EPOCH;
    let facts = Facts { digest: "d1".into(), bytes: 1, lines: 1, words: 1, modified };
    Enriched { file: file.clone(), facts }.into()
}

#[test]
fn a_text_is_stored() {
    let fixture = Fixture::new();
    let file = fixture.write("a.txt", "two words\nand three more\n");
    block_on(async {
        let mut stepper = Stepper::start(fixture.ingest().await, Received { file: file.clone() }).unwrap();
        assert_eq!(stepper.run().await.unwrap(), Rest::Ended);
        let Some(IngestOutcome::Stored(stored)) = stepper.outcome().unwrap() else { panic!("not stored") };
        assert_eq!((stored.facts.bytes, stored.facts.lines, stored.facts.words), (25, 2, 5));
        assert_eq!(stored.facts.digest, blake3::hash(b"two words\nand three more\n").to_string());
        let rows = rows(&fixture.table()).unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((&row.file, &row.digest, row.writes), (&file, &stored.facts.digest, 1));
        let ways = stepper.history().iter().filter_map(|row| match &row.kind {
            HistoryKind::Transition { to, .. } => Some(to.as_str()),
            _ => None,
        });
        assert_eq!(ways.collect::<Vec<_>>(), ["validated", "enriched", "stored"]);
    });
}

#[test]
fn what_is_not_for_the_table_is_rejected_with_the_reason() {
    let fixture = Fixture::new();
    let cases = [
        (fixture.write("empty", ""), Reason::Empty),
        (fixture.write("binary", b"ab\xff"), Reason::NotUtf8 { valid_up_to: 2 }),
        (fixture.write("large", "x".repeat(101)), Reason::TooLarge { bytes: 101, limit: 100 }),
    ];
    block_on(async {
        for (file, reason) in cases {
            let IngestOutcome::Rejected(rejected) = fixture.outcome(received(&file)).await else { panic!("{file}") };
            assert_eq!(rejected.refusal.reason, reason, "{file}");
        }
        assert_eq!(rows(&fixture.table()).unwrap(), []);
    });
}

#[test]
fn a_file_that_is_gone_fails_wherever_it_is_read() {
    let fixture = Fixture::new();
    let file = FileName::new(Path::new("gone"));
    block_on(async {
        for from in [received(&file), Validated { file: file.clone() }.into()] {
            let IngestOutcome::Failed(failed) = fixture.outcome(from).await else { panic!("it did not fail") };
            assert!(failed.error.contains("cannot read") && failed.error.contains("gone"), "{}", failed.error);
        }
    });
}

#[test]
fn a_table_that_stays_broken_fails_the_file() {
    let fixture = Fixture::new();
    let file = FileName::new(Path::new("a.txt"));
    block_on(async {
        let mut stepper = Stepper::enter(fixture.ingest().await, &enriched(&file)).unwrap();
        fixture.break_table();
        assert_eq!(stepper.run_to_end().await.unwrap(), Rest::Ended);
        let Some(IngestOutcome::Failed(failed)) = stepper.outcome().unwrap() else { panic!("it did not fail") };
        assert!(failed.error.contains("no such table"), "{}", failed.error);
        let attempts = stepper.history().iter().find_map(|row| match &row.kind {
            HistoryKind::Transition { attempts, .. } => Some(*attempts),
            _ => None,
        });
        assert_eq!(attempts, Some(5));
    });
}

#[test]
fn a_table_that_is_mended_in_time_gets_the_row() {
    let fixture = Fixture::new();
    let file = FileName::new(Path::new("a.txt"));
    block_on(async {
        let mut stepper = Stepper::enter(fixture.ingest().await, &enriched(&file)).unwrap();
        fixture.break_table();
        assert!(matches!(stepper.run().await.unwrap(), Rest::Waiting { until: Some(_) }));
        fixture.mend_table();
        assert_eq!(stepper.run_to_end().await.unwrap(), Rest::Ended);
        assert!(matches!(stepper.outcome().unwrap(), Some(IngestOutcome::Stored(_))));
    });
}

#[test]
fn a_row_that_is_written_twice_is_one_row() {
    let fixture = Fixture::new();
    let file = FileName::new(Path::new("a.txt"));
    block_on(async {
        for _ in 0..2 {
            assert!(matches!(fixture.outcome(enriched(&file)).await, IngestOutcome::Stored(_)));
        }
        let rows = rows(&fixture.table()).unwrap();
        assert_eq!(rows.iter().map(|row| row.writes).collect::<Vec<_>>(), [2]);
    });
}

/// Three files in a simulated world: a text, one that is none, and one that is gone. The rows that there are in the end.
async fn three_files(sim: Sim, root: PathBuf) -> Result<Vec<FileName>> {
    let results = Results::open(Path::new(":memory:"), &root).await?;
    let of_workflow = results.clone();
    sim.workflow(move || Ingest { root: root.clone(), size_limit: 100, results: of_workflow.clone() });
    for name in ["a.txt", "binary", "gone"] {
        let file = FileName::new(Path::new(name));
        sim.start::<Ingest>(name, Received { file }).await?.outcome().await?;
    }
    // How often a row was written is how often the process died.
    Ok(results.rows().await?.into_iter().map(|row| row.file).collect())
}

fn three_names() -> Fixture {
    let fixture = Fixture::new();
    fixture.write("a.txt", "two words\n");
    fixture.write("binary", b"ab\xff");
    fixture
}

#[test]
fn files_survive_a_crash_at_every_point() {
    let fixture = three_names();
    crash_everywhere(|sim| three_files(sim, fixture.root()));
}

#[test]
fn files_bear_that_every_step_is_repeated() {
    let fixture = three_names();
    repeat_everywhere(|sim| three_files(sim, fixture.root()));
}

#[test]
fn the_readme_shows_the_machine() {
    let readme = include_str!("../../README.md");
    let diagram = Ingest::GRAPH.to_mermaid();
    assert!(readme.contains(diagram.trim()), "put this into README.md:\n{diagram}");
}
