//! The modules of this crate as a library, for the target in `fuzz/`: a macro crate shows its macros alone.

#![allow(dead_code, reason = "only what is fuzzed is called")]

extern crate proc_macro;

mod body;
mod case;
mod check;
mod data_impl;
mod duration;
mod errors;
mod expand;
mod flow;
mod fn_impl;
mod lint;
mod lints;
mod machine_impl;
mod model;
mod nearest;
mod parallel_impl;
mod parse;
mod picture;
mod sequential_impl;
#[path = "fuzz_tests/target.rs"]
mod target;
mod versions;
mod warnings;

/// Expands what the bytes are as an attribute on an item, whatever they are; says whether they are anything.
pub fn attributes(data: &[u8]) -> bool {
    target::attributes(data)
}
