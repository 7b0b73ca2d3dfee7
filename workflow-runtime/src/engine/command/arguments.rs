//! What the command is asked for.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};

use super::migrate;

/// What the command is asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Help,
    Check { store: Option<PathBuf>, json: bool },
    Migrate { store: Option<PathBuf>, asked: migrate::Asked },
    Fork { store: Option<PathBuf>, workflow: Option<String>, from: String, visit: u64, to: String },
}

/// What `--help` says, of the program of this name.
pub(super) fn usage(program: Option<&str>) -> String {
    let program = program.map(|program| format!("{program} ")).unwrap_or_default();
    USAGE.replace("{program}", &program)
}

const USAGE: &str = "\
Looks after the executions of a store, with the workflows of this program.

Usage: {program}check [--store FILE] [--json]
       {program}migrate [--workflow NAME] [--dry-run] [--store FILE] [--json]
       {program}fork FROM VISIT NEW_ID [--workflow NAME] [--store FILE]

  check            tries every execution that has not ended with this code, and says which do not go on
                   with it and why. Nothing is run and nothing is written, so the store may be in use.
                   Exit code: 0 if all go on, 1 if not, 2 if that could not be found out
  migrate          brings every execution of an older version of its workflow to the present one, each in a
                   commit of its own, and runs nothing. The store must not be in use. It may be stopped
                   at any moment, and run again. Those that cannot be brought there stay as they were, as do
                   those of a newer version, or of a workflow that this program does not have
                   Exit code: 0 if all are there, 1 if some are not, 2 if it could not be carried out
  fork             begins the execution NEW_ID in the state that the execution FROM was in at its visit
                   VISIT, counted from 1. The store must not be in use. Earlier visits than the present one take
                   a history with the data of states, which engines with `.keep_state_data(true)` write
                   Exit code: 0 if it is there, 1 if it was refused, 2 if that could not be found out

Whatever is not written as above is exit code 2.

  --store FILE     the store; without, the one that the program names
  --json           the report as JSON
  --workflow NAME  the workflow; `migrate` goes through all without, `fork` needs it if the program has several
  --dry-run        says what `migrate` would come to and writes nothing, so the store may be in use
  --help           this text

What executions are saved as is compared with the lock files where the code is compiled, by a command of
its own: `workflow_runtime::lock_command!(…);` in `examples/lock.rs`, and `cargo run --example lock -- --help`
";

/// Reads the arguments, the name of the program not among them.
///
/// # Errors
/// With what is wrong.
pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    read_all(Parser::from_args(arguments)).map_err(|error| error.to_string())
}

fn read_all(mut parser: Parser) -> Result<Asked, lexopt::Error> {
    let (mut store, mut workflow, mut json, mut dry_run) = (None, None, false, false);
    let mut words: Vec<String> = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Asked::Help),
            Arg::Long("store") => store = Some(PathBuf::from(parser.value()?)),
            Arg::Long("workflow") => workflow = Some(parser.value()?.string()?),
            Arg::Long("json") => json = true,
            Arg::Long("dry-run") => dry_run = true,
            Arg::Value(word) => words.push(word.string()?),
            // A number below zero looks like an option.
            Arg::Short(digit @ '0'..='9') if words.first().is_some_and(|word| word == "fork") => {
                let rest = parser.optional_value().unwrap_or_default();
                return Err(no_visit(&format!("-{digit}{}", rest.to_string_lossy())));
            }
            other => return Err(other.unexpected()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (words.as_slice(), &workflow) {
        (["help"], _) => Ok(Asked::Help),
        ([], _) => Err("there is no command".into()),
        (["migrate"], _) => Ok(Asked::Migrate { store, asked: migrate::Asked { workflow, dry_run, json } }),
        (["lock", ..], _) => Err(
            "`lock` is a command of its own, beside the source of the workflows: `cargo run --example lock -- check`, with the one line `workflow_runtime::lock_command!(…);` in `examples/lock.rs`. `WORKFLOW_LOCK=check cargo test schema_lock` is the same by the test that `workflow_runtime::lock!` makes".into(),
        ),
        (["migrate", word, ..], _) => Err(format!("`migrate` takes no `{word}`").into()),
        ([word @ ("check" | "fork"), ..], _) if dry_run => Err(format!("`{word}` takes no `--dry-run`").into()),
        (["check"], None) => Ok(Asked::Check { store, json }),
        (["check"], Some(_)) => Err("`check` tries all workflows, and takes no `--workflow`".into()),
        (["check", word, ..], _) => Err(format!("`check` takes no `{word}`").into()),
        (["fork", ..], _) if json => Err("`fork` takes no `--json`".into()),
        (["fork", from, visit, to], _) => match visit.parse::<NonZeroU64>() {
            Ok(visit) => {
                let (from, to) = ((*from).to_owned(), (*to).to_owned());
                Ok(Asked::Fork { store, workflow, from, visit: visit.get(), to })
            }
            Err(_) => Err(no_visit(visit)),
        },
        (["fork", ..], _) => Err("`fork` takes three words: FROM VISIT NEW_ID".into()),
        ([word, ..], _) => Err(format!("there is no command `{word}`").into()),
    }
}

fn no_visit(word: &str) -> lexopt::Error {
    format!("`{word}` is no visit: write a number from 1").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_begins_each_line_with_the_program_if_that_has_a_name() {
        let named = usage(Some("sales-store"));
        assert!(named.contains("\nUsage: sales-store check [--store FILE]"), "{named}");
        assert!(named.contains("\n       sales-store fork FROM VISIT NEW_ID"), "{named}");
        let unnamed = usage(None);
        assert!(unnamed.contains("\nUsage: check [--store FILE]") && !unnamed.contains('{'), "{unnamed}");
    }
}
