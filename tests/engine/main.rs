//! How an engine behaves, on a clock that the tests move.

mod edges;
mod failure;
mod faults;
mod fixture;
mod hooked;
mod interruption;
mod lifecycle;
mod limits;
mod recovery;
mod timers;
