//! Calls people up until one takes an incident, and has its fix approved by another.
//!
//! [`workflow`] is what becomes of one incident, and [`messages`] what it is told. [`desk`] is what people do, [`waiting`] who waits
//! for whom, [`outside`] who is called up and what is fixed, and [`report`] what is compared in the end.

pub mod desk;
pub mod messages;
pub mod outside;
pub mod report;
pub mod waiting;
pub mod workflow;
