//! Digests 10,000 files in a night, many at once, over any number of crashes.
//!
//! [`workflow`] is what happens in a night, [`mill`] what is done to a file, [`run`] one run with its check, and [`sample`] makes
//! files to try it on.

pub mod mill;
pub mod run;
pub mod sample;
pub mod workflow;
