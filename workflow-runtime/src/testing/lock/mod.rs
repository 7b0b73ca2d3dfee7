//! The schema lock: what executions are saved as, in a file that is committed, so that a change of the code that could not
//! read what is stored fails the tests and not production.
//!
//! One line, anywhere in the crate, is the test:
//!
//! ```
//! # use workflow_runtime::prelude::*;
//! # #[state] pub struct Asked;
//! # #[state(end)] pub struct Answered;
//! # #[event] pub struct Answer;
//! # pub struct Question;
//! # #[workflow(start = Asked)]
//! # impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
//! workflow_runtime::lock!(Question);
//! # fn main() {}
//! ```
//!
//! It traces the types of all states, events and step results from their `Deserialize`, and compares them with
//! `workflows/Question.lock` beside the `Cargo.toml`:
//!
//! | the file, and what changed | `cargo test` | with `CI` set, or `WORKFLOW_LOCK=check` | `WORKFLOW_LOCK=accept` |
//! |---|---|---|---|
//! | is missing | makes it, and says so | fails | makes it |
//! | nothing changed | passes | passes | passes |
//! | what changed can read what is stored | records it, and says so | fails: commit it | records it |
//! | what changed cannot | fails, with the ways out | fails, with the ways out | records it |
//! | is not as it was written, has the marks of a merge, or is of a newer version | fails; nothing is written | the same | the same |
//!
//! A file that was touched by hand, or by a merge that cannot be right, is never written over: take it back from version control. To
//! delete it and have it made anew loses what former code has written, so it is right only if nothing of that is stored. Lines of two
//! branches can simply be kept both.
//!
//! The same as a command, without a test and without environment variables, is [`lock_command!`](crate::lock_command):
//!
//! | `cargo run --example lock` | does |
//! |---|---|
//! | (nothing), `-- check` | what the test does with `WORKFLOW_LOCK=check`, a line for each workflow; exit code 0 if all fit, 1 if something does not |
//! | `-- record`, `-- accept` | what the test does without, and with `WORKFLOW_LOCK=accept` |
//! | `-- show` | prints the locks that the code would have |
//!
//! The code of an older version that is kept is named with the newer one, `lock!(v1::Sale, Sale)`, and so is known to be there.
//!
//! A workflow that was renamed would not find what is stored by its old name. So no lock is made where one of the folder that none of the
//! named workflows has names nearly all that the new one does: the failure says to keep the name, `name = "…"`. Files that belong to none are told by the
//! command alone, and change nothing in its exit code, as a package may have workflows in other test programs.
//!
//! What is compatible and what is not:
//!
//! | compatible | not |
//! |---|---|
//! | a new state, event, step, edge or variant | one that is gone and may be in the store |
//! | a new field that may be missing: `Option`, `#[serde(default)]` | a new field that may not; a field that is gone |
//! | a larger integer or float, `T` as `Option<T>` | a smaller or another type, `Option<T>` as `T` |
//! | a new name, where the old one is read: `was`, `#[serde(alias)]` | a new name alone |
//!
//! A workflow's steps are its methods. Functions with `#[step]` that are called from there are named with it:
//! `workflow_runtime::lock!(Backup: [read_all, pack], Order);`. What `cx.step(…)` returns is known to the compiler alone, and not in the
//! lock; a type that cannot be looked into (`#[serde(untagged)]`, `#[serde(flatten)]`) is in it as `opaque`, with what
//! can be told of it, and is named where a lock is written.

mod command;
mod compare;
mod error;
mod judge;
mod parse;
mod print;
mod section;
mod several;
mod shape;
mod trace;
mod verify;
mod workflow;

use std::collections::BTreeMap;
use std::io::Write as _;

use self::several::{Checked, folder, verify_all};
use self::verify::Advice;

pub use command::LockCommand;
pub use error::LockError;
pub use parse::ParseError;
pub use verify::{Mode, Verified};
pub use workflow::{Code, StepFunction};

/// What executions of one workflow are saved as, by the versions of its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    workflow: String,
    versions: BTreeMap<u32, section::Section>,
}

impl Lock {
    /// The newest version that it knows.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.versions.keys().next_back().copied().unwrap_or_default()
    }

    /// The workflow's persisted name.
    #[must_use]
    pub fn workflow(&self) -> &str {
        &self.workflow
    }
}

impl std::str::FromStr for Lock {
    type Err = ParseError;

    /// Reads what stands in its file.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse::parse(text)
    }
}

impl std::fmt::Display for Lock {
    /// As it stands in its file.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&print::print(self))
    }
}

/// The checks of several workflows, of which each is made: what [`lock!`](crate::lock) writes.
///
/// # Panics
/// Of [`finish`](Self::finish): if one of them failed. The message says what to do.
#[derive(Debug, Default)]
pub struct Checks {
    package: Option<&'static str>,
    codes: Vec<Code>,
}

impl Checks {
    /// For the locks beside the `Cargo.toml` in this folder, where cargo does not run the test.
    #[must_use]
    pub fn beside(mut self, package: Option<&'static str>) -> Self {
        self.package = package;
        self
    }

    /// With the code of one workflow.
    #[must_use]
    pub fn of(mut self, code: Code) -> Self {
        self.codes.push(code);
        self
    }

    /// Holds them to their locks, and ends the test.
    ///
    /// # Panics
    /// If one of them failed.
    #[track_caller]
    pub fn finish(self) {
        let checked = folder(self.package)
            .and_then(|folder| Ok(verify_all(self.codes, &folder, Mode::from_env()?, |_| true, |_| Advice::of_test())));
        let checked = match checked {
            Ok(checked) => checked,
            // Not in a closure, which would not know who calls.
            Err(error) => panic!("\n\n{error}\n"),
        };
        let mut failures = Vec::new();
        for Checked { path, note, verified, .. } in checked {
            match verified {
                Ok(Verified::Same) => {}
                Ok(Verified::Made) => say(&format!("made {}: commit it\n{note}", path.display())),
                Ok(Verified::Recorded(changes)) => {
                    say(&format!("wrote {}: commit it\n{changes}{note}", path.display()));
                }
                Err(error) => failures.push(told(&error)),
            }
        }
        assert!(failures.is_empty(), "\n\n{}\n", failures.join("\n\n"));
    }
}

/// An error with what it stems from.
fn told(error: &LockError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        // An error of the system is in the text of its own.
        if !text.ends_with(&error.to_string()) {
            text = format!("{text}: {error}");
        }
        source = error.source();
    }
    text
}

/// Says something that is seen also where the test passes: the output of a test is kept back then, and this is none.
fn say(text: &str) {
    // In one piece, as other tests write, too.
    let _ = std::io::stderr().write_all(format!("workflow lock: {}\n", text.trim_end()).as_bytes());
}
