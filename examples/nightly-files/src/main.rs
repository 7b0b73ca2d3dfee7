//! `cargo run --release -p nightly-files [-- FILES | FOLDER] [--data FOLDER]`

use std::path::PathBuf;
use std::process::ExitCode;

use example_support::{Program, with_engine};
use nightly_files::mill::Mill;
use nightly_files::run::run;
use nightly_files::sample;
use nightly_files::workflow::Night;
use workflow_runtime::Engine;

const PROGRAM: Program = Program {
    name: "nightly-files",
    usage: "\
Digests every file of a folder. Stop it at any moment and run it again: it goes on.

Usage: nightly-files [FILES | FOLDER] [--data FOLDER]

  FILES           how many files to try it on (10000); they are made first
  FOLDER          a folder of files of your own",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM
        .run(async |args| {
            let given = args.words.first().map_or("10000", String::as_str);
            let inbox = match given.parse() {
                Ok(files) => {
                    let inbox = args.file("inbox");
                    sample::write(&inbox, files)?;
                    inbox
                }
                Err(_) => PathBuf::from(given),
            };
            let mill = Mill::open(args.file("outbox"))?;
            let engine = Engine::sqlite(args.file("executions.db")).workflow(Night { mill: mill.clone() });
            with_engine(engine, async |engine| run(engine, &mill, &inbox).await).await
        })
        .await
}
