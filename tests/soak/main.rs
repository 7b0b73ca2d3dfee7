//! A mixed load for a while, on one file, in a process that is killed again and again; then every outcome is compared.
//!
//! The load is executions of every kind (`load/`), each with what it is to come to by a model of its own. The process
//! ([`program`]) is this test binary, told by its environment to be that; it writes what its steps do and what it was
//! acknowledged to files beside the store ([`log`]). When all is done, [`check`] compares.
//!
//! | variable | says | default |
//! |---|---|---|
//! | `SOAK_SECONDS` | how long there is load | 60 if `CI` is set, else 10; `.ci/run` says 60 |
//! | `SOAK_KILLS` | how many kills there are, in place of that: on a new file after each hundred | – |
//! | `SOAK_SEED` | what the load is, and when kills come | a random one, which is printed; each file has the next |
//!
//! A seed makes the same load and the same plan of kills, but no two processes are killed at the very same point.

mod check;
mod effects;
mod expected;
mod killing;
mod load;
mod log;
mod program;
mod summary;
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
use summary::Summary;

/// So often, on average, the store of a process that was killed is looked at before the next one goes on with it.
const LOOKS: u32 = 8;

/// So many kills there are at most on one file, so that looking at it takes no longer the more there are.
const KILLS_OF_A_FILE: u64 = 100;

/// How long one file has load.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Time(Duration),
    Kills(u64),
}

#[test]
fn nothing_is_lost_and_nothing_done_twice_whenever_it_is_killed() {
    if let Some(folder) = env::var_os(killing::FOLDER) {
        return killing::be_the_process(Path::new(&folder));
    }
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let is_ci = env::var_os("CI").is_some();
    let seconds = number("SOAK_SECONDS").unwrap_or(if is_ci { 60 } else { 10 });
    let extents = match number("SOAK_KILLS") {
        Some(kills) => {
            let firsts = (0..kills).step_by(KILLS_OF_A_FILE.try_into().unwrap());
            firsts.map(|first| Extent::Kills(KILLS_OF_A_FILE.min(kills - first))).collect()
        }
        None => vec![Extent::Time(Duration::from_secs(seconds))],
    };
    let first = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let begun = Instant::now();
    let mut summary = Summary::default();
    for (seed, extent) in (first..).zip(extents) {
        println!("SOAK_SEED={seed}, {extent:?} (SOAK_SECONDS, SOAK_KILLS)");
        let folder = tempfile::tempdir().unwrap();
        match soak(folder.path(), seed, extent) {
            Ok(of_file) => summary.add(&of_file),
            Err(wrong) => panic!("{wrong}\nSOAK_SEED={seed}; everything is kept in {}", folder.keep().display()),
        }
    }
    println!("{summary}in {} s", begun.elapsed().as_secs());
    assert!(summary.pieces > 0, "there was no load");
}

fn soak(folder: &Path, seed: u64, extent: Extent) -> Result<Summary, String> {
    let mut killer = Killer::new(folder, seed);
    let foreign = old_file(folder, seed);
    let begun = Instant::now();
    let mut looks = 0;
    let goes_on = |killer: &Killer| match extent {
        Extent::Time(time) => begun.elapsed() < time,
        Extent::Kills(kills) => killer.kills.all() < kills,
    };
    while goes_on(&killer) {
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
    let summary = block_on(Check::new(folder, seed).at_the_end(&foreign))?;
    Ok(Summary { kills: killer.kills, looks, ..summary })
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
