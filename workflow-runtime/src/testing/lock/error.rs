//! Why the code does not pass its lock.

use std::io;
use std::path::{Path, PathBuf};

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
    #[error("the workflow `{workflow}` has no lock: {}", missing(path, record))]
    Missing {
        /// The workflow.
        workflow: String,
        /// Where the lock ought to be.
        path: PathBuf,
        /// How it is made.
        record: String,
    },
    /// There is no lock, and one that none of the workflows has and that this one would fit: it was renamed, as far as can be told.
    #[error(
        "the workflow `{workflow}` has no lock, and {}, the lock of `{was}`, is like it and belongs to none of the workflows that are named here.

  1. If `{was}` was renamed, write `name = \"{was}\"` in the `#[workflow(…)]` of `{workflow}`: what is stored by that name is found then,
     and by another one it would not be.
  2. If it is another workflow, or nothing of `{was}` is stored anywhere, {accept} makes {}. The file of a
     workflow that is gone can be deleted.
",
        path.display(),
        made.display()
    )]
    Renamed {
        /// The workflow.
        workflow: String,
        /// The lock that it seems to have had.
        path: PathBuf,
        /// Whose that is.
        was: String,
        /// The lock that it would have.
        made: PathBuf,
        /// How it is made all the same.
        accept: String,
    },
    /// The code fits, and has more than the lock.
    #[error(
        "{} is out of date. What is different fits what is stored:\n{changes}\n{record}, which records it, and commit the file",
        path.display()
    )]
    Stale {
        /// The lock.
        path: PathBuf,
        /// What is different.
        changes: String,
        /// How it is recorded.
        record: String,
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
    #[error(
        "{} is the lock of `{found}`, and not of `{workflow}`. If the workflow has another name now, what is stored as `{found}` would not be found: write `name = \"{found}\"` in its `#[workflow(…)]`. In any case give the file its name back",
        path.display()
    )]
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
    /// Two workflows have one name, so they would have one lock.
    #[error("{what}")]
    Ambiguous {
        /// Which, and what to do.
        what: String,
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
        "it is not known where the lock is: CARGO_MANIFEST_DIR is not set, and the package is not where it was compiled. Run the test by `cargo test`, or use `Code::verify` with a path"
    )]
    NoDirectory,
}

/// What is said of a lock that is missing, after the workflow.
pub(super) fn missing(path: &Path, record: &str) -> String {
    format!("{} does not exist. {record}, which makes it, and commit the file", path.display())
}
