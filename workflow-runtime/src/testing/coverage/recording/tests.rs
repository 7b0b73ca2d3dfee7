use std::thread;

use super::*;

fn state(name: &str) -> (u32, Fact) {
    (1, Fact::State(name.into()))
}

fn recording() -> (tempfile::TempDir, Recording) {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(folder.path().join("not/there/yet"));
    (folder, recording)
}

fn add(recording: &Recording, name: &str) {
    recording.add_to(&recording.run().unwrap(), "Sale", &BTreeSet::from([state(name)])).unwrap();
}

fn names(recording: &Recording) -> Vec<String> {
    let recorded = recording.read("Sale").unwrap().unwrap();
    recorded.facts.iter().map(|(_, fact)| fact.to_string()).collect()
}

#[test]
fn what_is_added_is_there_once_by_its_name() {
    let (_folder, recording) = recording();
    assert!(recording.read("Sale").unwrap().is_none());
    add(&recording, "open");
    add(&recording, "open");
    add(&recording, "a|b \"c\"\n");
    let text = fs::read_to_string(recording.path("Sale")).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.starts_with("workflow coverage, format 1, of Sale\n"), "{text}");
    assert!(text.contains(" 1 {\"state\":\"open\"}\n"), "{text}");
    assert_eq!(names(&recording), ["the state `a|b \"c\"\n`", "the state `open`"]);
}

#[test]
fn each_fact_is_read_as_it_was_written() {
    use super::super::fact::{How, Then};
    let (_folder, recording) = recording();
    let name = || "a".into();
    let facts = BTreeSet::from([
        (1, Fact::State(name())),
        (2, Fact::Edge { from: name(), handler: None, to: name() }),
        (2, Fact::Edge { from: name(), handler: Some(name()), to: name() }),
        (1, Fact::Stayed { state: name(), handler: None }),
        (1, Fact::Rested(name())),
        (1, Fact::Done(name())),
        (1, Fact::Failed { step: name(), then: Then::Caught { by: name() } }),
        (1, Fact::Failed { step: name(), then: Then::Open }),
        (1, Fact::Undone(name())),
        (1, Fact::NotUndone(name())),
        (1, Fact::Parked(name())),
        (1, Fact::Closed { state: name(), how: How::Cancelled }),
        (1, Fact::Moved { from: name(), to: name() }),
    ]);
    recording.add_to(&recording.run().unwrap(), "Sale", &facts).unwrap();
    assert_eq!(recording.read("Sale").unwrap().unwrap().facts, facts);
}

#[test]
fn many_at_once_lose_nothing() {
    let (_folder, recording) = recording();
    thread::scope(|scope| {
        for writer in 0..8 {
            let recording = &recording;
            scope.spawn(move || (0..20).for_each(|fact| add(recording, &format!("{}", fact * (writer % 2 + 1)))));
        }
    });
    let recorded = recording.read("Sale").unwrap().unwrap();
    let all: BTreeSet<_> =
        (0..20).flat_map(|fact| [state(&fact.to_string()), state(&(fact * 2).to_string())]).collect();
    assert_eq!((recorded.facts, recorded.damaged), (all, Vec::new()));
    let lines = fs::read_to_string(recording.path("Sale")).unwrap().lines().count();
    assert_eq!(lines, 32, "each fact once, the head and the run");
}

#[test]
fn a_file_cut_anywhere_loses_what_was_cut_and_goes_on() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    add(&recording, "shut");
    let whole = fs::read(recording.path("Sale")).unwrap();
    for length in 0..whole.len() {
        fs::write(recording.path("Sale"), &whole[..length]).unwrap();
        add(&recording, "other");
        let recorded = recording.read("Sale").unwrap().unwrap();
        assert!(recorded.facts.contains(&state("other")), "cut at {length}");
        assert!(recorded.damaged.len() <= 1 && recorded.newer == 0, "cut at {length}: {recorded:?}");
        add(&recording, "open");
        add(&recording, "shut");
        assert_eq!(names(&recording), ["the state `open`", "the state `other`", "the state `shut`"], "cut at {length}");
    }
}

#[test]
fn a_changed_line_says_nothing_and_is_told() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    add(&recording, "shut");
    let path = recording.path("Sale");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("open", "oven")).unwrap();
    let recorded = recording.read("Sale").unwrap().unwrap();
    assert_eq!((recorded.facts, recorded.damaged), (BTreeSet::from([state("shut")]), vec![3]));
    // A fact that only a newer build knows.
    let newer = checked("1 {\"dreamed\":\"of\"}");
    fs::write(&path, format!("{}\n{newer}\n", head("Sale"))).unwrap();
    let recorded = recording.read("Sale").unwrap().unwrap();
    assert_eq!((recorded.newer, recorded.damaged.len()), (1, 0));
}

#[test]
fn what_is_no_recording_is_left_as_it_is() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    let path = recording.path("Sale");
    for (text, expected) in [
        ("dear diary\n", "is no recording"),
        ("workflow coverage, format 2, of Sale\n", "in format 2: delete it"),
        ("workflow coverage, format 1, of Rent\n", "is of the workflow Rent, and not of Sale"),
    ] {
        fs::write(&path, text).unwrap();
        let error = recording.add_to(&recording.run().unwrap(), "Sale", &BTreeSet::from([state("a")])).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(recording.read("Sale").unwrap_err().contains(expected));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn after_a_report_it_begins_anew() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    for _ in 0..2 {
        recording.reported("Sale").unwrap();
        recording.last_run().unwrap().reported().unwrap();
    }
    assert_eq!(names(&recording), ["the state `open`"], "a second report reads the same");
    let reported = recording.last_run().unwrap().id();
    add(&recording, "shut");
    assert_eq!(names(&recording), ["the state `shut`"]);
    let run = recording.last_run().unwrap().id();
    assert!(run != reported && recording.read("Sale").unwrap().unwrap().run == run);
}

#[test]
fn a_run_that_adds_nothing_to_a_file_leaves_its_mark_all_the_same() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    recording.last_run().unwrap().reported().unwrap();
    drop(recording.run().unwrap());
    let of = recording.read("Sale").unwrap().unwrap().run;
    assert!(of.is_some() && of != recording.last_run().unwrap().id(), "it is of the run before");
}

#[test]
fn a_run_whose_mark_is_damaged_is_another_one() {
    let (_folder, recording) = recording();
    add(&recording, "open");
    let path = recording.last_run().unwrap().path().to_owned();
    let text = fs::read_to_string(&path).unwrap();
    for damaged in ["", "dear diary\n", &text[..10], &text.replace("open", "over"), &format!("{text}{text}")] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(recording.last_run().unwrap().id(), None, "{damaged:?}");
    }
    add(&recording, "shut");
    assert_eq!(names(&recording), ["the state `shut`"]);
    assert_eq!(fs::read_to_string(&path).unwrap().len(), text.len());
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let (folder, _) = recording();
    fs::write(folder.path().join("file"), "").unwrap();
    let recording = Recording::new(folder.path().join("file/inside"));
    let error = recording.run().unwrap_err();
    assert!(error.starts_with("what the tests take cannot be recorded in "), "{error}");
}

#[test]
fn every_workflow_has_a_file_of_its_own() {
    assert_eq!(file_name("Sale"), "Sale");
    assert_eq!(file_name("a/b").len(), "a_b-01234567".len());
    assert_ne!(file_name("a/b"), file_name("a.b"));
}
