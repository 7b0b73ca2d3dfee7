//! macros

#[allow(dead_code, unused_imports, reason = "the expansion is not there yet")]
mod lints;
#[allow(dead_code, unused_imports, reason = "the expansion is not there yet")]
mod picture;
