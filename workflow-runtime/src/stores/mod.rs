//! Layer 4: the stores that come with the crate. Each passes the same conformance suite.

mod memory;
mod rules;

pub use memory::MemoryStore;
