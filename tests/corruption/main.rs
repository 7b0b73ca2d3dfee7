//! A file that was damaged is refused, or what is damaged in it is parked or told; never is anything wrong believed.
//!
//! A file with a few executions, each in the middle of something, is damaged in one way, and an engine is started on it.
//! Each execution has to come to the end that it was to come to, or to be parked, or whoever asks for it has to be told.
//! Nothing may panic or hang. Where the rows of one execution were damaged, all others come to their ends.
//!
//! `CORRUPTION_CASES` and `CORRUPTION_SEED` choose more damages of chance, and others.

mod columns;
mod ledger;
mod outcome;
mod raw;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::outcome::{Fate, Outcome, outcome};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The file that is damaged, and a folder for its copies.
fn original() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledgers.db");
    runtime().block_on(ledger::write(&path));
    (folder, path)
}

fn copy(original: &Path, name: &str) -> PathBuf {
    let path = original.with_file_name(name);
    for suffix in ["-wal", "-shm", ".lock", "-lock"] {
        fs::remove_file(format!("{}{suffix}", path.display())).ok();
    }
    fs::copy(original, &path).unwrap();
    path
}

/// How often what came out.
#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    /// Files of which some executions were parked or told of as damaged.
    damaged: u32,
    /// Files whose damage changed nothing.
    harmless: u32,
    /// Files of which an execution is not woken: nothing in the format tells.
    unnoticed: u32,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &str, outcome: Result<Outcome, String>) {
        match outcome {
            Ok(Outcome::Refused(_)) => self.refused += 1,
            Ok(Outcome::Ran(fates)) if fates.iter().all(|(_, fate)| *fate == Fate::Right) => self.harmless += 1,
            Ok(Outcome::Ran(fates)) if fates.iter().any(|(_, fate)| *fate == Fate::Asleep) => self.unnoticed += 1,
            Ok(Outcome::Ran(_)) => self.damaged += 1,
            Err(why) => self.wrong.push(format!("{case}: {why}")),
        }
    }

    fn check(&self, what: &str) {
        let Self { refused, damaged, harmless, unnoticed, .. } = self;
        println!("{what}: {refused} refused, {damaged} damaged, {harmless} harmless, {unnoticed} unnoticed");
        let all = refused + damaged + harmless + unnoticed;
        assert!(unnoticed * 25 <= all, "{unnoticed} of {all} were not noticed");
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
    }
}

#[test]
fn a_file_that_was_not_damaged_comes_to_its_ends() {
    let (_folder, path) = original();
    let outcome = runtime().block_on(outcome(&copy(&path, "whole.db"))).unwrap();
    let Outcome::Ran(fates) = outcome else { panic!("{outcome:?}") };
    assert!(fates.iter().all(|(_, fate)| *fate == Fate::Right), "{fates:?}");
}
