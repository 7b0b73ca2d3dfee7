//! How an engine behaves, on a clock that the tests move.

mod failure;
mod faults;
mod fixture;
mod formats;
mod hooked;
mod interruption;
mod lifecycle;
mod limits;
mod on_disk;
mod recovery;
mod telemetry;
mod timers;
