//! What holds of the kernel's arithmetic whatever the numbers: each against a simple model, or a law.
//!
//! The cases are the same at every run; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` choose others, and more.

mod inbox;
mod join;
mod retry;
mod timers;
mod undo;

use proptest::test_runner::{Config, RngSeed};

fn config() -> Config {
    let default = Config::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x776b_666c),
        chosen @ RngSeed::Fixed(_) => chosen,
    };
    // What fails here becomes a test with a name, and no file of numbers.
    Config { failure_persistence: None, rng_seed, ..default }
}
