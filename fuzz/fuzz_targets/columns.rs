//! The columns of an SQLite file: what an engine of this build has left, with one of them damaged.

#![no_main]

const FILE: &[u8] = include_bytes!("../../tests/fixtures/format-3.db");

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    workflow_runtime::testing::fuzz::columns(FILE, data);
});
