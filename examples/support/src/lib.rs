//! What the examples share besides workflows.
//!
//! [`program`] is the command line and the exit code, [`database`] an SQLite file that stands for the world outside,
//! [`effects`] what was done in it, and [`testing`] runs and kills programs.

pub mod database;
pub mod effects;
pub mod program;
pub mod testing;

pub use database::Database;
pub use effects::Effects;
pub use program::{Args, Program, read_json, say, with_engine};
