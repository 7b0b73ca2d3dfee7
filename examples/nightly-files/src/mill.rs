//! What is done to a file: its lines are counted, and what was found is written beside the others.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use walkdir::WalkDir;
use workflow_runtime::{Context as _, Error, Result};

/// What was found in a file of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many lines it has.
    pub lines: u64,
    /// How many of them are errors.
    pub errors: u64,
}

/// Why a file cannot be digested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum MillError {
    /// It cannot be read, or what was found cannot be written.
    #[error("{0}: {1}")]
    Unreadable(String, String),
    /// It is no text.
    #[error("{0}: it is no text")]
    NoText(String),
}

/// Where digests are written. Cloning gives the same.
#[derive(Debug, Clone)]
pub struct Mill {
    outbox: PathBuf,
    digested: Arc<AtomicUsize>,
}

impl Mill {
    /// One that writes into a folder, which is made if there is none.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn open(outbox: PathBuf) -> Result<Self> {
        fs::create_dir_all(&outbox).with_context(|| format!("cannot use the folder {}", outbox.display()))?;
        Ok(Self { outbox, digested: Arc::default() })
    }

    /// How many files this process has digested.
    #[must_use]
    pub fn digested(&self) -> usize {
        self.digested.load(Ordering::Relaxed)
    }

    /// The names of all files below a folder, in order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn list(&self, inbox: &Path) -> Result<Vec<String>> {
        let inbox = inbox.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut files = Vec::new();
            for entry in WalkDir::new(&inbox).sort_by_file_name() {
                let entry = entry?;
                if entry.file_type().is_file() {
                    let name = entry.path().strip_prefix(&inbox)?;
                    files.push(name.to_str().context("a name is no text")?.to_owned());
                }
            }
            Ok(files)
        })
        .await?
    }

    /// Digests a file. Done again, it writes the same over.
    ///
    /// # Errors
    /// If the file cannot be digested.
    pub async fn digest(&self, inbox: &Path, file: &str) -> Result<Digest, MillError> {
        let (mill, path, name) = (self.clone(), inbox.join(file), file.to_owned());
        let digest = tokio::task::spawn_blocking(move || mill.digest_now(&path, &name)).await;
        digest.unwrap_or_else(|error| Err(MillError::Unreadable(file.to_owned(), error.to_string())))
    }

    /// Writes the summary of a night beside the digests.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn write_summary(&self, text: &str) -> Result<()> {
        let (mill, text) = (self.clone(), text.to_owned());
        tokio::task::spawn_blocking(move || Ok::<_, Error>(mill.write("summary.json", text.as_bytes())?)).await?
    }

    /// How many digests there are.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn digests(&self) -> Result<usize> {
        let names = fs::read_dir(&self.outbox)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names: Vec<String> = names.collect::<Result<_>>()?;
        Ok(names.iter().filter(|name| name.ends_with(".digest")).count())
    }

    fn digest_now(&self, path: &Path, name: &str) -> Result<Digest, MillError> {
        let unreadable = |error: std::io::Error| MillError::Unreadable(name.to_owned(), error.to_string());
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => MillError::NoText(name.to_owned()),
            _ => unreadable(error),
        })?;
        let count = |lines: usize| u64::try_from(lines).unwrap_or(u64::MAX);
        let lines = count(text.lines().count());
        let errors = count(text.lines().filter(|line| line.contains(" ERROR ")).count());
        let found = format!("{lines} lines, {errors} errors\n");
        self.write(&format!("{}.digest", name.replace('/', "-")), found.as_bytes()).map_err(unreadable)?;
        self.digested.fetch_add(1, Ordering::Relaxed);
        Ok(Digest { lines, errors })
    }

    /// Writes a file as a whole or not at all.
    fn write(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        // Under a name that nobody else has: an attempt that was cut off may still be writing.
        let mut file = NamedTempFile::new_in(&self.outbox)?;
        file.write_all(content)?;
        file.persist(self.outbox.join(name))?;
        Ok(())
    }
}
