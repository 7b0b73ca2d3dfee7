//! How an engine behaves, on a clock that the tests move.

mod failure;
mod fixture;
mod interruption;
mod lifecycle;
mod limits;
mod recovery;
mod timers;
