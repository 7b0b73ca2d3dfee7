//! The records that stand in rows, as JSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    workflow_runtime::testing::fuzz::records(data);
});
