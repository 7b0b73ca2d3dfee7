//! The program, run, killed and run again.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn nothing_is_lost_in_a_burst_over_a_dozen_kills() {
    let plant = Folder::of(env!("CARGO_BIN_EXE_pipeline"));
    for moment in 1..=12 {
        drop(plant.run(&["2000"]).kill_after(Duration::from_millis(moment * 30)));
    }
    let output = plant.succeeds(&["2000"]);
    assert!(output.contains("1700 stored"), "{output}");
    assert!(output.contains("checked: every reading is stored or failed"), "{output}");
    let again = plant.succeeds(&["2000"]);
    assert!(again.contains("2000 readings, 2000 of them from before"), "{again}");
}

#[test]
fn a_number_that_is_none_is_refused() {
    let end = Folder::of(env!("CARGO_BIN_EXE_pipeline")).run(&["many"]).end();
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.errors.contains("`many` is no number of readings"), "{}", end.errors);
}
