//! Fulfils orders and takes them back: what was done is undone, the newest first.
//!
//! [`workflow`] is what becomes of one order, [`messages`] what it is told, [`shop`] what it needs from outside, and [`report`] what
//! is compared in the end.

#![allow(missing_debug_implementations, reason = "states are to be read, and nobody prints them")]

pub mod messages;
pub mod report;
pub mod shop;
pub mod workflow;
