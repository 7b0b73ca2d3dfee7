//! `cargo run --release -p backup [-- COMMAND…] [--data FOLDER]`

use std::path::Path;
use std::process::ExitCode;

use backup::vault::{Archive, Vault};
use backup::workflow::{Backup, BackupInput, BackupOutcome, every_night};
use example_support::{Args, Program, say, with_engine};
use workflow_runtime::{Clock as _, Engine, Error, Result, SystemClock};

const PROGRAM: Program = Program {
    name: "backup",
    usage: "\
Copies a folder into an archive every night, and reads the archive back. Stop it at any moment and run it again: it goes on.

Usage: backup [COMMAND] [--data FOLDER]

  nightly [FOLDER]        a backup every night, until it is stopped
  now [FOLDER]            the backup of today, of a folder (documents of this example)
  list                    the archives that there are
  restore NAME FOLDER     what is in one of them, to a folder",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM.run(run).await
}

async fn run(args: Args) -> Result<bool> {
    let vault = Vault::open(args.file("vault"))?;
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    match words.as_slice() {
        ["nightly"] => nightly(&args, &vault, &documents).await,
        ["nightly", folder] => nightly(&args, &vault, Path::new(folder)).await,
        [] | ["now"] => now(&args, &vault, &documents).await,
        ["now", folder] => now(&args, &vault, Path::new(folder)).await,
        ["list"] => {
            vault.names()?.iter().for_each(say);
            Ok(true)
        }
        ["restore", name, folder] => {
            say(format!("{} files restored to {folder}", vault.restore(name, Path::new(folder))?));
            Ok(true)
        }
        words => Err(Error::msg(format!("`{}` is no command: see --help", words.join(" ")))),
    }
}

/// A backup every night, until the program is stopped.
async fn nightly(args: &Args, vault: &Vault, folder: &Path) -> Result<bool> {
    let engine = Engine::sqlite(args.file("executions.db")).workflow(Backup { vault: vault.clone() });
    with_engine(engine, async |engine| {
        let schedule = engine.schedule("nightly", every_night(folder.canonicalize()?)).await?.describe().await?;
        say(format!("{}; the next ones are", schedule.times));
        schedule.next.iter().for_each(|next| say(format!("  {next}")));
        engine.stopped().await?;
        Ok(true)
    })
    .await
}

/// The backup of today, which is one however often it is asked for.
async fn now(args: &Args, vault: &Vault, folder: &Path) -> Result<bool> {
    let input = BackupInput { folder: folder.to_owned() };
    let today: String = SystemClock.now().to_string().chars().take_while(|letter| *letter != 'T').collect();
    let engine = Engine::sqlite(args.file("executions.db")).workflow(Backup { vault: vault.clone() });
    with_engine(engine, async |engine| {
        let night = engine.start::<Backup>(format!("backup-{today}"), input).await?;
        let BackupOutcome::Done(done) = night.outcome().await?;
        let Archive { name, files, bytes, digest } = done.output;
        say(format!("{name}: {files} files, {bytes} bytes, read back: {digest}"));
        Ok(true)
    })
    .await
}
