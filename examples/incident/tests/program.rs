//! The program, run, killed and run again; and a command at a time, as people use it.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn an_evening_comes_out_right_over_eight_kills() {
    let desk = Folder::of(env!("CARGO_BIN_EXE_incident"));
    for moment in 1..=8 {
        drop(desk.run(&[]).kill_after(Duration::from_millis(moment * 120)));
    }
    let output = desk.succeeds(&[]);
    assert!(output.contains("db-1: Restart the replica, by ada, approved by grace"), "{output}");
    assert!(output.contains("fan-2: dismissed by katherine"), "{output}");
    assert!(output.contains("checked: each was fixed once"), "{output}");
}

#[test]
fn each_command_is_a_run_of_its_own() {
    let desk = Folder::of(env!("CARGO_BIN_EXE_incident"));
    let reported = desk.succeeds(&["report", "web-1", "The", "site", "is", "down"]);
    assert!(reported.contains("the telephone of ada rings: web-1, The site is down"), "{reported}");
    let _ = desk.succeeds(&["acknowledge", "web-1", "ada"]);
    let _ = desk.succeeds(&["propose", "web-1", "ada", "Roll", "back"]);
    let _ = desk.succeeds(&["approve", "web-1", "ada"]);
    let waiting = desk.succeeds(&["waiting"]);
    assert!(waiting.contains("web-1    waits for not ada    to decide: Roll back"), "{waiting}");
    let approved = desk.succeeds(&["approve", "web-1", "grace"]);
    assert!(approved.contains("web-1 is fixed: Roll back"), "{approved}");
    assert!(desk.succeeds(&["watch"]).contains("web-1: Roll back, by ada, approved by grace"), "{approved}");
}

#[test]
fn what_is_no_command_is_refused() {
    let end = Folder::of(env!("CARGO_BIN_EXE_incident")).run(&["escalate", "web-1"]).end();
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.errors.contains("`escalate web-1` is nothing that can be done"), "{}", end.errors);
}
