//! How many allocations a pure transition takes, way by way, as JSON.
//!
//! A program of its own, as an allocator that counts makes all that is measured beside it dearer.

#[path = "../turnstile/mod.rs"]
mod turnstile;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use workflow_runtime::Error;

use self::turnstile::{
    BOXED, BY_HAND, BY_HAND_BY_CHANCE, ENGINE, GENERATED, GENERATED_BY_CHANCE, STATIG, TYPED, drive_boxed,
    drive_by_hand, drive_by_hand_by_chance, drive_generated, drive_generated_by_chance, drive_statig, drive_typed,
    through_the_engine,
};

const TRANSITIONS: u64 = 10_000;

/// One way to take so many transitions.
type Way = fn(u64) -> u64;

fn main() -> Result<(), Error> {
    let ways: [(&str, Way); 7] = [
        (BY_HAND, drive_by_hand),
        (GENERATED, drive_generated),
        (BY_HAND_BY_CHANCE, drive_by_hand_by_chance),
        (GENERATED_BY_CHANCE, drive_generated_by_chance),
        (TYPED, drive_typed),
        (STATIG, drive_statig),
        (BOXED, drive_boxed),
    ];
    let each = |count: u64| count as f64 / TRANSITIONS as f64;
    let mut counts = BTreeMap::new();
    for (way, drive) in ways {
        let counted = measure(|| {
            black_box(drive(black_box(TRANSITIONS)));
        });
        counts.insert(way, each(counted.count_total));
    }
    // On one thread, whose allocations are all that there are.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut result = Ok(Duration::ZERO);
    let counted = measure(|| result = runtime.block_on(through_the_engine(TRANSITIONS)));
    result?;
    counts.insert(ENGINE, each(counted.count_total));
    say(&serde_json::to_string(&counts)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the other program reads it there")]
fn say(text: &str) {
    println!("{text}");
}
