//! Reads a directory into a table, file by file, over any number of crashes.
//!
//! [`workflow`] is what becomes of one file. The rest is what it takes to make a program of that: [`scan`] finds the
//! files, [`content`] looks into them, [`results`] is the table, [`progress`] what is shown meanwhile, and [`mod@check`]
//! compares in the end what there is with what there should be.

pub mod args;
pub mod check;
pub mod content;
pub mod file_name;
pub mod progress;
pub mod results;
pub mod run;
pub mod scan;
pub mod workflow;
