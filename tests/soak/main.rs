//! A mixed load for a while, on one file, in a process that is killed again and again; then every outcome is compared.
//!
//! The load is executions of every kind (`load/`), each with what it is to come to by a model of its own. The process
//! ([`program`]) is this test binary, told by its environment to be that; it writes what its steps do and what it was
//! acknowledged to files beside the store ([`log`]). When all is done, [`check`] compares.
//!
//! | variable | says | default |
//! |---|---|---|
//! | `SOAK_SECONDS` | how long there is load | 60 if `CI` is set, else 10; `.ci/run` says 60 |
//! | `SOAK_SEED` | what the load is, and when kills come | a random one, which is printed |
//!
//! A seed makes the same load and the same plan of kills, but no two processes are killed at the very same point.

mod check;
mod effects;
mod expected;
mod killing;
mod load;
mod log;
mod program;
mod world;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use workflow_runtime::block_on;
use workflow_runtime::record::FORMAT_VERSION;

use check::Check;
use killing::Killer;

/// So often, on average, the store of a process that was killed is looked at before the next one goes on with it.
const LOOKS: u32 = 8;

#[test]
fn nothing_is_lost_and_nothing_done_twice_whenever_it_is_killed() {
    if let Some(folder) = env::var_os(killing::FOLDER) {
        return killing::be_the_process(Path::new(&folder));
    }
    let is_ci = env::var_os("CI").is_some();
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let duration = Duration::from_secs(number("SOAK_SECONDS").unwrap_or(if is_ci { 60 } else { 10 }));
    let seed = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("SOAK_SEED={seed}, for {} s (SOAK_SECONDS)", duration.as_secs());
    let folder = tempfile::tempdir().unwrap();
    if let Err(wrong) = soak(folder.path(), seed, duration) {
        panic!("{wrong}\nSOAK_SEED={seed}; everything is kept in {}", folder.keep().display());
    }
}

fn soak(folder: &Path, seed: u64, duration: Duration) -> Result<(), String> {
    let mut killer = Killer::new(folder, seed);
    let foreign = old_file(folder, seed);
    let begun = Instant::now();
    let mut looks = 0;
    while begun.elapsed() < duration {
        killer.run_and_kill()?;
        if killer.random.u32(..LOOKS) == 0 {
            // At a copy: what is made of the log is for the next process to find out.
            let copy = tempfile::tempdir().unwrap();
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            }
            block_on(Check::new(copy.path(), seed).in_between(&foreign))?;
            looks += 1;
        }
    }
    if let Err(hangs) = killer.drain() {
        // What is not done by now tells why.
        let wrong = block_on(Check::new(folder, seed).at_the_end(&foreign)).err();
        return Err(format!("{hangs}\n{}", wrong.unwrap_or_default()));
    }
    let found = block_on(Check::new(folder, seed).at_the_end(&foreign))?;
    println!("{killer}; looked at {looks} of the files they left; {found}");
    assert!(found.pieces > 0, "there was no load");
    Ok(())
}

/// With most seeds, the file is one that a release has left: of an older format, which the first processes are to bring to
/// the present one, or of the present. Gives the executions in it.
fn old_file(folder: &Path, seed: u64) -> BTreeSet<String> {
    let format = seed % u64::from(FORMAT_VERSION + 1);
    if format == 0 {
        return BTreeSet::new();
    }
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/format-{format}.db"));
    let copy = tempfile::tempdir().unwrap();
    fs::copy(&fixture, copy.path().join(program::STORE)).unwrap();
    fs::copy(&fixture, folder.join(program::STORE)).unwrap();
    block_on(check::foreign(copy.path()))
}
