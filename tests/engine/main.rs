//! How an engine behaves, on a clock that the tests move.

mod edges;
mod failure;
mod faults;
mod fixture;
mod hooked;
mod interruption;
mod lagging;
mod lifecycle;
mod limits;
mod losses;
mod panics;
mod races;
mod recovery;
#[cfg(unix)]
mod signals;
mod timers;
