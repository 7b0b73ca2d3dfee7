//! Walking the directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::file_name::FileName;

/// What was found below a directory.
#[derive(Debug, Default)]
pub struct Scan {
    /// The files, in the order of their paths.
    pub files: Vec<FileName>,
    /// What could not be looked into, and why.
    pub unreadable: Vec<String>,
}

/// Finds every file below `root`, but for folders called `.git` and `target`, symbolic links, and the SQLite files
/// `own` with what SQLite and the engine put beside them.
#[must_use]
pub fn scan(root: &Path, own: &[&Path]) -> Scan {
    let own: Vec<PathBuf> = own.iter().flat_map(|path| with_companions(path)).collect();
    let mut scan = Scan::default();
    let entries = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    for entry in entries.filter_entry(|entry| !is_skipped(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && !own.contains(&entry.path().to_owned()) => {
                // `WalkDir` gives paths that begin with the root.
                let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
                scan.files.push(FileName::new(relative));
            }
            Ok(_) => {}
            Err(error) => scan.unreadable.push(error.to_string()),
        }
    }
    scan
}

fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    // In a worktree, `.git` is a file.
    name == ".git" || (name == "target" && entry.file_type().is_dir())
}

/// The path of an SQLite file as the walk comes by it, with those of the files that are put beside it.
fn with_companions(path: &Path) -> Vec<PathBuf> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let companion = |suffix: &str| {
        let mut path = OsString::from(&path);
        path.push(suffix);
        PathBuf::from(path)
    };
    ["", "-wal", "-shm", "-journal", ".lock"].map(companion).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_and_passes_over_what_is_not_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for file in
            ["b.txt", "a/c.txt", ".git/config", "target/debug/x", "a/target/y", "target.txt", "x.db", "x.db-wal"]
        {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "text").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
        let found = scan(&root, &[&root.join("x.db")]);
        let names: Vec<_> = found.files.iter().map(FileName::as_str).collect();
        assert_eq!(names, ["a/c.txt", "b.txt", "target.txt"]);
        assert!(found.unreadable.is_empty());
    }
}
