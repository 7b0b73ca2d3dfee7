//! The arguments of the command that looks after a store.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    workflow_runtime::testing::fuzz::commands(data);
});
