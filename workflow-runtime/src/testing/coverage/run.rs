//! The last run that recorded. What an earlier one has left does not count, also where the last one has recorded nothing in its place.
//!
//! A run begins with the first process that records after a report, and every process says so, whatever it has seen. Who holds a
//! [`Run`] holds the lock of the folder.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::recording::checked;

/// A run that is recorded, until it is dropped.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    path: PathBuf,
    line: Option<Line>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    id: u64,
    is_reported: bool,
}

impl Line {
    /// All lines have one length, so that one is written over another in one piece.
    fn text(self) -> String {
        let state = if self.is_reported { "over" } else { "open" };
        format!("{}\n", checked(&format!("run {:016x} {state}", self.id)))
    }

    fn read(text: &str) -> Option<Self> {
        let (_, body) = text.trim_end().split_once(' ')?;
        let (id, state) = body.strip_prefix("run ")?.split_once(' ')?;
        let line = Self { id: u64::from_str_radix(id, 16).ok()?, is_reported: state == "over" };
        (line.text() == text).then_some(line)
    }
}

impl Run {
    /// The run of this folder, if there is one.
    pub(super) fn last(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join("last.run");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        file.lock()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let line = Line::read(&String::from_utf8_lossy(&bytes));
        Ok(Self { file, path, line })
    }

    /// The run that is recorded now: a new one, if there was a report of the last.
    pub(super) fn recording(folder: &Path) -> io::Result<Self> {
        let mut run = Self::last(folder)?;
        if run.line.is_none_or(|line| line.is_reported) {
            // Not by the chance of a simulation, which is the same each time.
            let id = RandomState::new().build_hasher().finish();
            run.write(Line { id, is_reported: false })?;
        }
        Ok(run)
    }

    /// There was a report of it.
    pub(super) fn reported(&mut self) -> io::Result<()> {
        match self.line {
            Some(line) if !line.is_reported => self.write(Line { is_reported: true, ..line }),
            _ => Ok(()),
        }
    }

    fn write(&mut self, line: Line) -> io::Result<()> {
        let text = line.text();
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        // What somebody else has left behind it.
        self.file.set_len(text.len() as u64)?;
        self.line = Some(line);
        Ok(())
    }

    /// What tells it from every other run.
    pub(super) fn id(&self) -> Option<u64> {
        self.line.map(|line| line.id)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
