//! Why the code does not pass its lock.

use std::io;
use std::path::PathBuf;

use super::parse::ParseError;

/// Why the code does not pass its lock. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// What is saved now and what was saved before do not fit.
    #[error("{report}")]
    Broken {
        /// Everything that is different, and the ways out.
        report: String,
    },
    /// There is no lock, and none may be made here.
    #[error(
        "the workflow `{workflow}` has no lock: {} does not exist. Run `cargo test` with neither CI nor WORKFLOW_LOCK set, which makes it, and commit the file",
        path.display()
    )]
    Missing {
        /// The workflow.
        workflow: String,
        /// Where the lock ought to be.
        path: PathBuf,
    },
    /// The code fits, and has more than the lock.
    #[error(
        "{} is out of date. What is different fits what is stored:\n{changes}\nRun `cargo test` with neither CI nor WORKFLOW_LOCK set, which records it, and commit the file",
        path.display()
    )]
    Stale {
        /// The lock.
        path: PathBuf,
        /// What is different.
        changes: String,
    },
    /// The file is no lock, or not one that was left as it was written.
    #[error("{} cannot be read, and was left as it is", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ParseError,
    },
    /// The file is the lock of another workflow.
    #[error("{} is the lock of `{found}`, and not of `{workflow}`: give it its own name back", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose lock it is.
        found: String,
        /// Whose it ought to be.
        workflow: String,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be read or written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An environment variable has a value that means nothing.
    #[error(
        "WORKFLOW_LOCK is {value:?}: it may be `accept`, which records what does not fit, `check`, which records nothing, or not be set"
    )]
    UnknownMode {
        /// The value.
        value: String,
    },
    /// It is not known where the lock is.
    #[error(
        "CARGO_MANIFEST_DIR is not set, so it is not known where the lock is: run the test by `cargo test`, or use `Code::verify` with a path"
    )]
    NoDirectory,
}
