//! Where files are put while they are measured.

use std::path::{Path, PathBuf};
use std::{env, fs};

use tempfile::TempDir;
use workflow_runtime::Error;

use crate::options::Options;

/// The file systems that durable rows run on.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// A file system in memory, so that the cost of the software shows.
    pub(crate) memory: Option<Place>,
    pub(crate) disk: Place,
}

/// A directory, and what it is on.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    pub(crate) is_disk: bool,
    directory: PathBuf,
}

impl Places {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let disk = options.disk.clone().unwrap_or_else(|| target().join("disk"));
        fs::create_dir_all(&disk)?;
        let shared_memory = Path::new("/dev/shm");
        let memory = match &options.memory {
            Some(memory) => Some(memory.clone()),
            None => shared_memory.is_dir().then(|| shared_memory.to_owned()),
        };
        Ok(Self {
            memory: memory.map(|directory| Place { name: "in memory", is_disk: false, directory }),
            disk: Place { name: "on disk", is_disk: true, directory: disk },
        })
    }

    /// Both, the one in memory first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Place> {
        self.memory.iter().chain([&self.disk])
    }

    /// The one in memory if there is one.
    pub(crate) fn fastest(&self) -> &Place {
        self.memory.as_ref().unwrap_or(&self.disk)
    }

    /// What the figures depend on.
    pub(crate) fn describe(&self) -> String {
        let describe = |place: &Place| {
            format!("{}: {} ({})", place.name, place.directory.display(), file_system(&place.directory))
        };
        let memory = self.memory.as_ref().map_or_else(
            || "in memory: none, as there is no /dev/shm; name a directory with --memory".to_owned(),
            describe,
        );
        format!("{memory}\n{}", describe(&self.disk))
    }
}

impl Place {
    /// A new directory, which is removed when it is dropped.
    pub(crate) fn scratch(&self) -> Result<TempDir, Error> {
        Ok(tempfile::Builder::new().prefix("workflow-benches-").tempdir_in(&self.directory)?)
    }
}

/// Where everything that a run leaves behind goes: beside the program, in the target directory.
pub(crate) fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).unwrap_or(Path::new(".")).join("benches")
}

/// The type of the file system that `directory` is on, as far as the system tells.
fn file_system(directory: &Path) -> String {
    let directory = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let kinds = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (mounted, kind) = (fields.next()?, fields.next()?);
        directory.starts_with(mounted).then_some((mounted.len(), kind))
    });
    kinds.max_by_key(|(len, _)| *len).map_or("unknown", |(_, kind)| kind).to_owned()
}
