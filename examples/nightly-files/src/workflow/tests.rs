//! A night, without an engine, and one that is crashed everywhere.

use std::fs;
use std::path::Path;

use example_support::testing::assert_shows;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::sample;

workflow_runtime::lock!(Night: [list, digest, write_summary]);

fn summary(night: &Stepper<Night>) -> Summary {
    let Some(NightOutcome::Done(done)) = night.outcome().unwrap() else { panic!("the night is not over") };
    done.output
}

#[test]
fn every_file_is_digested_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, outbox) = (folder.path().join("inbox"), folder.path().join("outbox"));
    sample::write(&inbox, 200).unwrap();
    let mill = Mill::open(outbox.clone()).unwrap();
    block_on(async {
        let mut night = Stepper::start(Night { mill: mill.clone() }, NightInput { inbox }).unwrap();
        assert_eq!(night.run_to_end().await.unwrap(), Rest::Ended);
        let summary = summary(&night);
        assert_eq!((summary.digested, mill.digests().unwrap(), mill.digested()), (198, 198, 198));
        assert_eq!(summary.refused, ["rack-19/00099.log: it is no text", "rack-39/00199.log: it is no text"]);
        let written: Summary = serde_json::from_slice(&fs::read(outbox.join("summary.json")).unwrap()).unwrap();
        assert_eq!(written, summary);
    });
}

#[test]
fn a_folder_that_is_not_there_parks_the_night_until_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    let mill = Mill::open(folder.path().join("outbox")).unwrap();
    block_on(async {
        let mut night = Stepper::start(Night { mill }, NightInput { inbox: inbox.clone() }).unwrap();
        assert!(matches!(night.run_to_end().await.unwrap(), Rest::Parked(_)));
        sample::write(&inbox, 3).unwrap();
        night.retry().await.unwrap();
        assert_eq!(night.run_to_end().await.unwrap(), Rest::Ended);
        assert_eq!(summary(&night).digested, 3);
    });
}

/// A night in a simulated world: some files, one of which is no text.
async fn small_night(sim: Sim, inbox: &Path) -> Result<(Summary, usize)> {
    let folder = tempfile::tempdir()?;
    let mill = Mill::open(folder.path().to_owned())?;
    let of_workflow = mill.clone();
    sim.workflow(move || Night { mill: of_workflow.clone() });
    let night = sim.start::<Night>("night", NightInput { inbox: inbox.to_owned() }).await?;
    let NightOutcome::Done(done) = night.outcome().await?;
    Ok((done.output, mill.digests()?))
}

fn small_inbox() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    sample::write(folder.path(), 4).unwrap();
    fs::write(folder.path().join("picture.log"), [0xff]).unwrap();
    folder
}

#[test]
fn a_night_survives_a_crash_at_every_point() {
    let inbox = small_inbox();
    crash_everywhere(|sim| small_night(sim, inbox.path()));
}

#[test]
fn a_night_bears_that_every_step_is_repeated() {
    let inbox = small_inbox();
    repeat_everywhere(|sim| small_night(sim, inbox.path()));
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), NightState::GRAPH);
}
