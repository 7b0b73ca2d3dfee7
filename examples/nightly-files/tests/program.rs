//! The program, run, killed and run again.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn a_night_goes_on_where_it_was_over_a_dozen_kills() {
    let home = Folder::of(env!("CARGO_BIN_EXE_nightly-files"));
    for moment in 1..=12 {
        drop(home.run(&["2000"]).kill_after(Duration::from_millis(moment * 25)));
    }
    let output = home.succeeds(&["2000"]);
    assert!(output.contains("1980 files with"), "{output}");
    assert!(output.contains("checked: every file was digested or refused"), "{output}");
    let again = home.succeeds(&["2000"]);
    assert!(again.contains("1980 were digested before, 0 in this run"), "{again}");
}
