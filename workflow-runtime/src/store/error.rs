//! What can go wrong with a store as a whole.

use std::path::PathBuf;
use std::sync::Arc;

use crate::record::{ExecutionKey, FORMAT_VERSION};

/// An error of a store. Each says what to do; none of them has changed anything, unless it says so.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file was written by a newer version of this crate.
    #[error(
        "{} has the format version {found}, and this build reads up to {FORMAT_VERSION}: run the version that wrote it, or a newer one; nothing was changed",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format version.
        found: u32,
    },
    /// There is no file, and none is to be made.
    #[error("there is no file {}: name the one that the store is in", path.display())]
    NoSuchFile {
        /// Where it ought to be.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a workflow store: {reason}; name another file, or move this one away", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// The file is open already, here or in another process.
    #[error("{} is in use by {holder}: stop that first, or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who holds it, as far as that is known.
        holder: String,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the store {}: see that its folder exists and can be written to", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The disk, or the quota on it, is full.
    #[error(
        "the disk of the store is full; everything that was acknowledged is safe: make room and open the store again"
    )]
    Full,
    /// The store can be read, but not written.
    #[error("the store is read-only: give this process the right to write the file and its folder, and open it again")]
    ReadOnly,
    /// The store was opened to be read, and is asked to write.
    #[error(
        "the store was opened to be read only, and nothing of it is written: open it with `SqliteStore::open` to write, while nobody else does"
    )]
    OpenedReadOnly,
    /// The store, opened to be read only, was brought to another format by somebody else.
    #[error("the store was brought to another format while it was open to be read: open it again")]
    Reformatted,
    /// A read or a write failed.
    #[error(
        "the store cannot be read or written; everything that was acknowledged is safe: see to the disk, and open the store again"
    )]
    Io {
        /// Why.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A write failed earlier, so that nobody knows what is on disk.
    #[error(
        "the store stopped after a failed write; everything that was acknowledged is safe: open it again ({reason})"
    )]
    Poisoned {
        /// The first failure.
        reason: String,
    },
    /// Another engine has taken the store over.
    #[error("another engine has taken the store over, and this one can write nothing any more: go on with that one")]
    TakenOver,
    /// What is stored of an execution cannot be believed.
    #[error(
        "what is stored of {key} cannot be read ({what}: {reason}): bring its rows back from a copy of the store, and `retry` it; the others are not concerned"
    )]
    Corrupt {
        /// The execution.
        key: ExecutionKey,
        /// Which part of it.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The store has been closed.
    #[error("the store is closed: open it again")]
    Closed,
}
