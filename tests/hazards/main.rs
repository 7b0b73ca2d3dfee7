//! Code that trips careless macros. It has to compile, without a warning; what little runs is beside the point.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic
)]

mod allowed;
mod conditions;
mod data;
mod generics;
mod kept;
mod local;
mod names;
mod no_prelude;
mod private;
mod program;
mod raw;
mod renamed;
mod shadowed;
mod std_named;
mod steps;
mod superstates;
mod two_workflows;
mod unusual;
