//! `cargo run --release -p incident [-- COMMAND…] [--data FOLDER]`

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use example_support::{Args, Program, read_json, with_engine};
use incident::desk::{Command, play, settle};
use incident::outside::{Outside, Roster};
use incident::report::report;
use incident::workflow::Response;
use workflow_runtime::{Engine, Result};

const PROGRAM: Program = Program {
    name: "incident",
    usage: "\
Has incidents seen to. Stop it at any moment and run it again: it goes on.

Usage: incident [COMMAND] [--data FOLDER]

  report ID TEXT            somebody has noticed something
  acknowledge ID PERSON     somebody takes it
  propose ID PERSON FIX     they say what is to be done
  approve ID PERSON         somebody else agrees
  reject ID PERSON          or does not
  dismiss ID PERSON         there is nothing to it
  waiting                   who waits for whom
  watch                     wait until every incident is over
  play [FILE]               all of it from a file; without a command, evening.txt of this example",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM.run(run).await
}

async fn run(args: Args) -> Result<bool> {
    let roster = Roster::new(read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("roster.json"))?)?;
    let outside = Outside::open(&args.file("outside.db"))?;
    let engine = Engine::sqlite(args.file("executions.db")).workflow(Response { roster, outside: outside.clone() });
    with_engine(engine, async |engine| {
        let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["play"] => play(engine, include_str!("../evening.txt")).await?,
            ["play", file] => play(engine, &fs::read_to_string(file)?).await?,
            ["watch"] => {}
            words => {
                Command::parse(&words.join(" "))?.carry_out(engine, None).await?;
                settle(engine).await;
                return Ok(true);
            }
        }
        report(engine, &outside).await
    })
    .await
}
