//! Copies a folder into an archive every night, and reads the archive back.
//!
//! [`workflow`] is what happens in a night, [`vault`] where archives are.

pub mod vault;
pub mod workflow;
