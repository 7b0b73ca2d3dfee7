//! What the environment asks for.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::recording::Recording;

pub(super) const VARIABLE: &str = "WORKFLOW_COVERAGE";
pub(super) const FOLDER: &str = "WORKFLOW_COVERAGE_DIR";

/// The folder, in that of what cargo builds.
const OWN_FOLDER: &str = "workflow-coverage";

/// What cargo marks the folder with that it builds into.
const MARK: &str = "CACHEDIR.TAG";

/// What is to be done with what tests take.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Nothing,
    Record(Recording),
    Report(Recording),
}

impl Asked {
    /// What the environment asks for.
    ///
    /// # Errors
    /// If nobody knows what that is, or where.
    pub(super) fn from_env() -> Result<Self, String> {
        let Some(asked) = env::var_os(VARIABLE) else { return Ok(Self::Nothing) };
        let recording = || folder().map(Recording::new);
        match &*asked.to_string_lossy() {
            "" => Ok(Self::Nothing),
            "record" => Ok(Self::Record(recording()?)),
            "report" => Ok(Self::Report(recording()?)),
            other => Err(format!("{VARIABLE} is {other:?}: write `record` or `report`")),
        }
    }
}

/// Where it is recorded: one folder for all test programs of a workspace, each of which cargo runs in a folder of its own.
fn folder() -> Result<PathBuf, String> {
    let set = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let package = set("CARGO_MANIFEST_DIR");
    if let Some(folder) = set(FOLDER) {
        return Ok(workspace(package.as_deref()).unwrap_or_default().join(folder));
    }
    let program = env::current_exe().unwrap_or_default();
    let by_program = program.ancestors().find(|folder| folder.join(MARK).is_file()).map(Path::to_owned);
    // A test in the docs is built elsewhere.
    let by_package = || {
        let mut folders = package.as_deref()?.ancestors().map(|folder| folder.join("target"));
        folders.find(|folder| folder.join(MARK).is_file())
    };
    let target =
        by_program.or_else(|| set("CARGO_TARGET_DIR").filter(|folder| folder.is_absolute())).or_else(by_package);
    match target {
        Some(target) => Ok(target.join(OWN_FOLDER)),
        None => {
            Err(format!("nobody knows where cargo builds, to record there what tests take: say where with {FOLDER}"))
        }
    }
}

/// The folder of the workspace, which is that of the lock of its dependencies.
fn workspace(package: Option<&Path>) -> Option<PathBuf> {
    let has_lock = |folder: &&Path| folder.join("Cargo.lock").is_file();
    package?.ancestors().find(has_lock).map(Path::to_owned)
}
