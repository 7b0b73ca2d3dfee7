//! An attribute on an item: the number of the attribute, its arguments, a zero, and the item.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    workflow_macros_fuzzed::attributes(data);
});
