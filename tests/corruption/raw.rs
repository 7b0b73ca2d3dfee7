//! The bytes of the file: bits that flip, pages that are zero, elsewhere, or cut off.

use std::path::Path;
use std::{env, fs};

use fastrand::Rng;

use crate::outcome::outcome;
use crate::{Tally, copy, original, runtime};

const CASES: u64 = 150;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn page_size(bytes: &[u8]) -> usize {
    match u16::from_be_bytes([bytes[16], bytes[17]]) {
        1 => 65_536,
        size => usize::from(size),
    }
}

fn check(path: &Path, cases: impl Iterator<Item = (String, Vec<u8>)>, what: &str) {
    let runtime = runtime();
    let mut tally = Tally::default();
    for (case, bytes) in cases {
        let damaged = copy(path, "damaged.db");
        fs::write(&damaged, bytes).unwrap();
        tally.add(&case, runtime.block_on(outcome(&damaged)));
    }
    tally.check(what);
}

#[test]
fn pages_that_are_lost_or_stand_elsewhere() {
    let (_folder, path) = original();
    let bytes = fs::read(&path).unwrap();
    let size = page_size(&bytes);
    let pages = bytes.len() / size;
    assert!(pages > 10, "there are {pages} pages");
    let at = |page: usize| page * size..(page + 1) * size;
    let damaged = (0..pages).flat_map(|page| {
        let mut zeroed = bytes.clone();
        zeroed[at(page)].fill(0);
        let mut half = bytes.clone();
        half[page * size + size / 2..(page + 1) * size].fill(0);
        let mut noise = bytes.clone();
        Rng::with_seed(page as u64).fill(&mut noise[at(page)]);
        let next = (page + 1) % pages;
        let mut swapped = bytes.clone();
        swapped[at(page)].copy_from_slice(&bytes[at(next)]);
        swapped[at(next)].copy_from_slice(&bytes[at(page)]);
        let mut doubled = bytes.clone();
        doubled[at(next)].copy_from_slice(&bytes[at(page)]);
        let cut = bytes[..page * size].to_vec();
        let torn = bytes[..page * size + size / 3].to_vec();
        [
            (format!("page {page} zeroed"), zeroed),
            (format!("half of page {page} zeroed"), half),
            (format!("page {page} is noise"), noise),
            (format!("pages {page} and {next} swapped"), swapped),
            (format!("page {next} is page {page}"), doubled),
            (format!("cut off before page {page}"), cut),
            (format!("cut off in page {page}"), torn),
        ]
    });
    check(&path, damaged, "pages");
}

#[test]
fn bits_that_flip() {
    let (_folder, path) = original();
    let bytes = fs::read(&path).unwrap();
    let first = number("CORRUPTION_SEED", 0);
    let damaged = (first..first + number("CORRUPTION_CASES", CASES)).map(|number| {
        let mut chance = Rng::with_seed(number);
        let mut damaged = bytes.clone();
        let mut places = Vec::new();
        for _ in 0..[1, 1, 1, 2, 8, 64][chance.usize(0..6)] {
            let place = chance.usize(0..bytes.len());
            damaged[place] ^= 1 << chance.u8(0..8);
            places.push(place);
        }
        (format!("case {number}: flips at {places:?}"), damaged)
    });
    check(&path, damaged, "bits");
}
