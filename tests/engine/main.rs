//! How an engine behaves, on a clock that the tests move.

mod asking;
mod bulk;
mod cancelling;
mod children;
mod commands;
mod control;
mod cycles;
mod due_times;
mod edges;
mod failure;
mod faults;
mod fixture;
mod formats;
mod hooked;
mod interruption;
mod lagging;
mod later;
mod lifecycle;
mod limits;
mod losses;
mod on_disk;
mod panics;
mod parallel;
mod races;
mod receiving;
mod recovery;
mod schedules;
mod searching;
mod set_aside;
#[cfg(unix)]
mod signals;
mod timers;
mod trip;
mod undoing;
mod undoing_branches;
mod unwinding;
