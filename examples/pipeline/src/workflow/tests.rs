//! Each way through the machine, without an engine, and crashed everywhere.

use std::path::{Path, PathBuf};

use example_support::testing::assert_shows;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;

workflow_runtime::lock!(Pipeline);

fn sensors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sensors.json")
}

/// What becomes of a reading, and the rows and alarms that there are then.
fn send(text: &str) -> (PipelineOutcome, (u32, u32)) {
    let folder = tempfile::tempdir().unwrap();
    let plant = Plant::open(&sensors(), &folder.path().join("readings.db")).unwrap();
    block_on(async {
        let received = Received { number: 1, text: text.to_owned() };
        let mut machine = Stepper::start(Pipeline { plant: plant.clone() }, received).unwrap();
        assert_eq!(machine.run_to_end().await.unwrap(), Rest::Ended);
        (machine.outcome().unwrap().unwrap(), plant.count().await.unwrap())
    })
}

#[test]
fn a_reading_within_bounds_is_stored() {
    let (outcome, rows) = send("t-1=-18.5");
    assert!(matches!(outcome, PipelineOutcome::Stored(_)));
    assert_eq!(rows, (1, 0));
}

#[test]
fn one_out_of_bounds_is_stored_as_an_alarm() {
    assert_eq!(send("t-1=3").1, (1, 1));
}

#[test]
fn what_is_no_reading_fails() {
    let (PipelineOutcome::Failed(failed), rows) = send("t-1=?") else { panic!("stored") };
    assert_eq!(failed.reason, "`t-1=?` is no reading");
    assert_eq!(rows, (0, 0));
}

#[test]
fn a_sensor_that_nobody_knows_fails() {
    let (PipelineOutcome::Failed(failed), rows) = send("x-4=3") else { panic!("stored") };
    assert_eq!(failed.reason, "nobody knows the sensor `x-4`");
    assert_eq!(rows, (0, 0));
}

/// Three readings in a simulated world: one within bounds, one out of them, one of a sensor that nobody knows.
async fn three_readings(sim: Sim) -> Result<(u32, u32)> {
    let plant = Plant::open(&sensors(), Path::new(":memory:"))?;
    let of_workflow = plant.clone();
    sim.workflow(move || Pipeline { plant: of_workflow.clone() });
    let mut readings = Vec::new();
    for (number, text) in (1..).zip(["t-1=-18.5", "t-1=3", "x-4=3"]) {
        let received = Received { number, text: text.to_owned() };
        readings.push(sim.start::<Pipeline>(format!("reading-{number}"), received).await?);
    }
    for reading in readings {
        reading.outcome().await?;
    }
    plant.count().await
}

#[test]
fn readings_survive_a_crash_at_every_point() {
    crash_everywhere(three_readings);
}

#[test]
fn readings_bear_that_every_step_is_repeated() {
    repeat_everywhere(three_readings);
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), PipelineState::GRAPH);
}
