//! Layer 4: the stores that come with the crate. Each passes the same conformance suite.

mod memory;
mod rules;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::this_process;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteStats, SqliteStore};
