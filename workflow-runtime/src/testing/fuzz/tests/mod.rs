//! Every target, over cases that follow from their numbers. A failure prints its case and its number; `FUZZ_SEED` and
//! `FUZZ_CASES` choose others, and more.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures and failed cases are for people")]

mod change;
mod records;
mod seeds;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;

use super::locks;
use change::change_bytes;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Has `target` read so many cases, and says of how many it said yes.
fn read(cases: u64, make: impl Fn(&mut Rng) -> Vec<u8>, target: impl Fn(&[u8]) -> bool) -> (u64, u64) {
    let (first, cases) = (number("FUZZ_SEED", 0), number("FUZZ_CASES", cases));
    let mut read = 0_u64;
    for number in first..first + cases {
        let case = make(&mut Rng::with_seed(number));
        let answer = catch_unwind(AssertUnwindSafe(|| target(&case))).unwrap_or_else(|panic| {
            eprintln!("case {number}: {}\n{case:?}", String::from_utf8_lossy(&case));
            resume_unwind(panic)
        });
        read += u64::from(answer);
    }
    println!("{cases} cases, of which {read} were read");
    (read, cases)
}

#[test]
fn a_lock_is_written_as_it_was_read_or_refused() {
    const SEEDS: [&str; 3] = [
        include_str!("../../../../../examples/order/workflows/Fulfilment.lock"),
        include_str!("../../../../../examples/backup/workflows/Backup.lock"),
        include_str!("../../../../../examples/incident/workflows/Response.lock"),
    ];
    let make = |chance: &mut Rng| {
        let mut lines: Vec<_> = SEEDS[chance.usize(..SEEDS.len())].lines().collect();
        for _ in 0..chance.usize(..3) {
            let (one, other) = (chance.usize(..lines.len()), chance.usize(..lines.len()));
            match chance.u8(..4) {
                0 => drop(lines.remove(one)),
                1 => lines.insert(one, lines[other]),
                2 => lines.swap(one, other),
                _ => lines.truncate(one + 1),
            }
        }
        let mut bytes = lines.join("\n").into_bytes();
        if chance.bool() {
            change_bytes(&mut bytes, chance);
        }
        bytes
    };
    let (read, cases) = read(5_000, make, locks);
    assert!(read > cases / 20 && read < cases, "{read} of {cases} were read");
}

#[cfg(feature = "command")]
#[test]
fn a_command_line_is_understood_or_refused_with_the_reason() {
    const WORDS: [&str; 16] = [
        "check",
        "fork",
        "help",
        "--help",
        "-h",
        "--store",
        "--store=a.db",
        "--json",
        "--json=1",
        "--workflow",
        "sale-1",
        "3",
        "-1",
        "18446744073709551616",
        "--",
        "",
    ];
    let make = |chance: &mut Rng| {
        let words: Vec<_> = (0..chance.usize(..7)).map(|_| WORDS[chance.usize(..WORDS.len())]).collect();
        let mut bytes = words.join("\n").into_bytes();
        if chance.u8(..4) == 0 {
            change_bytes(&mut bytes, chance);
        }
        bytes
    };
    let (read, cases) = read(20_000, make, super::commands);
    assert!(read > cases / 50 && read < cases, "{read} of {cases} were read");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_column_that_says_anything_makes_no_read_panic() {
    const FILE: &[u8] = include_bytes!("../../../../../tests/fixtures/format-3.db");
    let make = |chance: &mut Rng| {
        let mut bytes: Vec<u8> = (0..4).map(|_| chance.u8(..)).collect();
        match chance.u8(..4) {
            0 => bytes.extend([0, 1, -1, i64::MIN, i64::MAX][chance.usize(..5)].to_le_bytes()),
            1 => bytes.extend(seeds::SEEDS[chance.usize(..seeds::SEEDS.len())].1.as_bytes()),
            _ => bytes.extend((0..chance.usize(..40)).map(|_| chance.u8(..))),
        }
        bytes
    };
    let (read, cases) = read(300, make, |data| super::columns(FILE, data));
    assert!(read > cases / 4 && read < cases, "{read} of {cases} columns were damaged");
}
