//! Takes a release from dev over staging to production, with tests, a gate and a way back.
//!
//! [`workflow`] is what becomes of one release, [`cluster`] where services run, [`report`] what is compared in the end.

pub mod cluster;
pub mod report;
pub mod workflow;
