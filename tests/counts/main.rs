//! What things cost, in counts that are the same on every machine: allocations, commits, syncs, bytes.
//!
//! A guard against getting slower without noticing it, without a clock: each bound stands some 10 % above what was measured
//! when it was set, with what to look at when it breaks. A change that makes a figure better should lower its bound; one
//! that has a reason to make it worse raises it and says so.
//!
//! Allocations are those of the thread of the test, where the engine and its store run too: so they are exact, and tests
//! that run beside each other do not disturb them.

mod allocations;
mod checking;
mod load;
mod reads;
mod sizes;
mod syncs;
mod tally;
mod undo;
