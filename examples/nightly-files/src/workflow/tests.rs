//! A night, without an engine.

use std::fs;

use example_support::testing::assert_shows;
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

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), NightState::GRAPH);
}
