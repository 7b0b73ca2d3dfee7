//! A night, without an engine, and one that is crashed everywhere.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Engine, ManualClock, MemoryStore, Rest, Stepper, Timestamp, block_on};

use super::*;

workflow_runtime::lock!(Backup: [copy, verify]);

struct Fixture {
    vault: Vault,
    folder: TempDir,
}

impl Fixture {
    /// A folder with one file.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::write(folder.path().join("documents/diary.md"), "It rained.").unwrap();
        Self { vault: Vault::open(folder.path().join("vault")).unwrap(), folder }
    }

    fn backup(&self) -> Backup {
        Backup { vault: self.vault.clone() }
    }

    fn input(&self) -> BackupInput {
        BackupInput { folder: self.folder.path().join("documents") }
    }
}

#[test]
fn a_night_leaves_an_archive_that_was_read_back() {
    let fixture = Fixture::new();
    block_on(async {
        let mut night = Stepper::start(fixture.backup(), fixture.input()).unwrap();
        assert_eq!(night.run_to_end().await.unwrap(), Rest::Ended);
        let Some(BackupOutcome::Done(done)) = night.outcome().unwrap() else { panic!("not done") };
        assert_eq!((done.output.files, fixture.vault.names().unwrap()), (1, vec!["stepper".to_owned()]));
    });
}

#[test]
fn a_folder_that_is_not_there_parks_the_night_until_it_is() {
    let fixture = Fixture::new();
    block_on(async {
        let input = BackupInput { folder: fixture.folder.path().join("photos") };
        let mut night = Stepper::start(fixture.backup(), input).unwrap();
        assert!(matches!(night.run_to_end().await.unwrap(), Rest::Parked(_)));
        fs::create_dir(fixture.folder.path().join("photos")).unwrap();
        night.retry().await.unwrap();
        assert_eq!(night.run_to_end().await.unwrap(), Rest::Ended);
    });
}

#[test]
fn each_night_has_its_archive_also_after_a_restart() {
    let fixture = Fixture::new();
    let (store, clock) = (Arc::new(MemoryStore::new()), ManualClock::new(Timestamp::EPOCH));
    let engine = || Engine::on(store.clone()).clock(clock.clone()).workflow(fixture.backup()).start();
    block_on(async {
        for night in 1..=3 {
            let engine = engine().await.unwrap();
            let folder = fixture.input().folder;
            let schedule = engine.schedule("nightly", every_night(folder)).await.unwrap();
            let due = schedule.describe().await.unwrap().next[0];
            clock.advance_to(due + Duration::from_millis(1));
            while schedule.describe().await.unwrap().recent.iter().filter(|run| run.end.is_some()).count() < night {
                tokio::task::yield_now().await;
            }
            assert_eq!(fixture.vault.names().unwrap().len(), night);
        }
    });
}

/// A night in a simulated world, in which the vault is new and the documents are old.
async fn night(sim: Sim, input: BackupInput) -> Result<(Archive, Vec<String>)> {
    let folder = tempfile::tempdir()?;
    let vault = Vault::open(folder.path().to_owned())?;
    let of_workflow = vault.clone();
    sim.workflow(move || Backup { vault: of_workflow.clone() });
    let BackupOutcome::Done(done) = sim.start::<Backup>("night", input).await?.outcome().await?;
    vault.verify(&done.output).await?;
    Ok((done.output, vault.names()?))
}

#[test]
fn a_night_survives_a_crash_at_every_point() {
    let fixture = Fixture::new();
    crash_everywhere(|sim| night(sim, fixture.input()));
}

#[test]
fn a_night_bears_that_every_step_is_repeated() {
    let fixture = Fixture::new();
    repeat_everywhere(|sim| night(sim, fixture.input()));
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), BackupState::GRAPH);
}
