//! The files of the schema lock.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    workflow_runtime::testing::fuzz::locks(data);
});
