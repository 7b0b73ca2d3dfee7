//! What all tests take of a workflow: recorded by one command, reported by another.
//!
//! The tests here run this very program again, as `cargo test` does, in a folder of their own.

use std::path::Path;
use std::process::{Command, Output};
use std::{fs, thread};

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{Sim, crash_everywhere};

#[event]
pub struct Ring;
#[state]
pub struct Quiet;
#[state]
pub struct Ringing;
#[state(end)]
pub struct Answered;
#[state(end)]
pub struct Missed;

/// Rings until somebody answers.
pub struct Phone;

#[workflow(start = Quiet, allow(endless_wait, fragile_step))]
impl Phone {
    #[on]
    fn rings(&self, _: Quiet, _: Ring) -> Ringing {
        Ringing
    }
    #[state]
    async fn answer(&self, cx: &Cx, _: Ringing) -> Result<Answered> {
        self.pick_up(cx).await?;
        Ok(Answered)
    }
    #[catch]
    fn missed(&self, _: Ringing, _: Error) -> Missed {
        Missed
    }
    #[step]
    async fn pick_up(&self, cx: &Cx) -> Result<()> {
        if cx.id().as_str() == "nobody" { Err(Error::msg("nobody is there")) } else { Ok(()) }
    }
}

workflow_runtime::coverage!(Phone, at_least = 90);

mod all_of_it {
    workflow_runtime::coverage!(super::Phone, without = ["pick_up", "missed"], at_least = 100,);
}

mod shown_alone {
    workflow_runtime::coverage!(super::Phone);
}

async fn call(sim: Sim, id: &'static str) -> Result<bool> {
    sim.workflow(|| Phone);
    let phone = sim.start::<Phone>(id, Quiet).await?;
    phone.send(Ring).await?;
    Ok(matches!(phone.outcome().await?, PhoneOutcome::Missed(_)))
}

#[test]
fn somebody_answers() {
    crash_everywhere(|sim| call(sim, "somebody"));
}

#[test]
fn nobody_answers() {
    assert!(Sim::run(1, |sim| call(sim, "nobody")));
}

/// Runs tests of this program, as cargo would.
fn test(folder: &Path, mode: &str, tests: &[&str]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for test in tests {
        command.arg(format!("recorded::{test}"));
    }
    command.arg("--exact").env("WORKFLOW_COVERAGE", mode).env("WORKFLOW_COVERAGE_DIR", folder).output().unwrap()
}

fn recorded(folder: &Path, tests: &[&str]) {
    let output = test(folder, "record", tests);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn report(folder: &Path, test_of: &str) -> (bool, String) {
    let output = test(folder, "report", &[test_of]);
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.success(), text)
}

#[test]
fn many_processes_record_and_one_reports() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/by/the/first");
    thread::scope(|scope| {
        for _ in 0..3 {
            for test in ["somebody_answers", "nobody_answers"] {
                let folder = &folder;
                // With a report among them, which is none: nobody asks for it.
                scope.spawn(move || recorded(folder, &[test, "workflow_coverage"]));
            }
        }
    });
    let (passed, text) = report(&folder, "workflow_coverage");
    assert!(passed, "{text}");
    assert!(text.contains("workflow coverage: Phone: 100 % taken (4 of 4 states, 3 of 3 edges, 1 of 1 error paths)"));
    assert!(text.contains("yes: caught by `missed`"), "{text}");
    let page = fs::read_to_string(folder.join("Phone.md")).unwrap();
    assert!(page.starts_with("# Coverage of Phone\n") && page.contains("```mermaid\nflowchart TD\n"), "{page}");
    let lines = fs::read_to_string(folder.join("Phone.seen")).unwrap().lines().count();
    assert!(lines < 20, "{lines} lines: facts, however many tests and crashes there were");
}

#[test]
fn below_the_threshold_the_command_fails_and_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path(), &["somebody_answers"]);
    let (passed, text) = report(folder.path(), "workflow_coverage");
    assert!(!passed);
    let expected = "the tests take 62 % of Phone, and 90 % are demanded. Not taken:
  state `missed`
  edge `ringing` -> `missed`: missed · catch Error
  error path `pick_up` fails for good
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("NO: it ran") && text.contains("With a diagram: "), "{text}");
    assert!(fs::read_to_string(folder.path().join("Phone.md")).unwrap().contains("✗ missed"));
    // What is left out by name does not count.
    assert!(!text.contains("nothing was added since"), "{text}");
    let (passed, text) = report(folder.path(), "all_of_it::workflow_coverage");
    assert!(text.contains("* nothing was added since the last report"), "{text}");
    assert!(passed && text.contains("Phone: 100 % taken (3 of 3 states, 2 of 2 edges)"), "{text}");
    let (passed, text) = report(folder.path(), "shown_alone::workflow_coverage");
    assert!(passed && text.contains("Phone: 62 % taken"), "{text}");

    // A run in which nothing of it was taken does not count what the one before took.
    recorded(folder.path(), &["workflow_coverage"]);
    let (passed, text) = report(folder.path(), "shown_alone::workflow_coverage");
    assert!(!passed && text.contains("is of an earlier run, and the last one took nothing of it"), "{text}");
    assert!(text.contains("take it out of `coverage!`"), "{text}");

    // The first recording after a report begins anew.
    recorded(folder.path(), &["nobody_answers"]);
    let (_, text) = report(folder.path(), "shown_alone::workflow_coverage");
    assert!(text.contains("| NO ") && !text.contains("`answered` | yes"), "{text}");
}

#[test]
fn what_cannot_be_reported_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (passed, text) = report(folder.path(), "workflow_coverage");
    assert!(!passed && text.contains("nothing is recorded of what tests take of Phone in "), "{text}");
    assert!(text.contains("run `WORKFLOW_COVERAGE=record cargo test` first"), "{text}");

    let output = test(folder.path(), "on", &["nobody_answers"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !output.status.success() && text.contains("WORKFLOW_COVERAGE is \"on\": write `record` or `report`"),
        "{text}"
    );

    fs::write(folder.path().join("file"), "").unwrap();
    let output = test(&folder.path().join("file/inside"), "record", &["nobody_answers"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && text.contains("what the tests take cannot be recorded in "), "{text}");
}

#[test]
fn half_a_line_of_a_killed_process_and_older_code_are_told_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    recorded(folder.path(), &["nobody_answers"]);
    let path = folder.path().join("Phone.seen");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("9a7b66c2 1 {\"sta");
    fs::write(&path, text).unwrap();
    recorded(folder.path(), &["somebody_answers"]);
    let (passed, text) = report(folder.path(), "workflow_coverage");
    assert!(passed && text.contains("100 % taken"), "{text}");
    assert!(text.contains("\nAbout the recording:\n\n* left out: 1 damaged lines of "), "{text}");
}
