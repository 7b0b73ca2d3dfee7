//! Code that trips careless macros. It has to compile, without a warning; what little runs is beside the point.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic
)]
#![allow(clippy::unused_self, clippy::needless_pass_by_value, clippy::unused_async, reason = "what handlers are like")]

mod allowed;
mod conditions;
mod data;
mod generics;
mod local;
mod names;
mod no_prelude;
mod private;
mod raw;
mod renamed;
mod shadowed;
mod steps;
mod two_workflows;
