//! Looking into files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use workflow_runtime::{Error, Result, Timestamp};

/// What the table says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The BLAKE3 digest of its content, in hexadecimal digits.
    pub digest: String,
    /// How long it is.
    pub bytes: u64,
    /// How many lines it has; a last one without an end counts.
    pub lines: u64,
    /// How many words it has, between white space.
    pub words: u64,
    /// When it had been changed last when it was read.
    pub modified: Timestamp,
}

/// A file that is not for the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// When it had been changed last when it was looked at.
    pub modified: Timestamp,
}

/// Why a file is not for the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// It is no text.
    #[error("not UTF-8 from byte {valid_up_to}")]
    NotUtf8 {
        /// How much of it is UTF-8.
        valid_up_to: usize,
    },
    /// It is too long.
    #[error("{bytes} bytes long, over the limit of {limit}")]
    TooLarge {
        /// How long it is.
        bytes: u64,
        /// How long it may be.
        limit: u64,
    },
}

/// Says why the file at `path` is not for the table, if it is not.
///
/// # Errors
/// If it cannot be read.
pub async fn inspect(path: PathBuf, size_limit: u64) -> Result<Option<Refusal>> {
    on_file(path, move |file, length| {
        if length > size_limit {
            return Ok(Some(Reason::TooLarge { bytes: length, limit: size_limit }));
        }
        Ok(find_fault(&content(file, length)?))
    })
    .await
    .map(|(reason, modified)| reason.map(|reason| Refusal { reason, modified }))
}

/// Reads the file at `path`.
///
/// # Errors
/// If it cannot be read.
pub async fn analyse(path: PathBuf) -> Result<Facts> {
    let read = on_file(path, content).await;
    read.map(|(content, modified)| Facts {
        digest: blake3::hash(&content).to_string(),
        bytes: content.len() as u64,
        lines: count_lines(&content),
        words: count_words(&content),
        modified,
    })
}

/// When the file at `path` was changed last.
///
/// # Errors
/// If nothing is known of it.
pub fn modified(path: &Path) -> io::Result<Timestamp> {
    path.metadata()?.modified().map(Timestamp::from)
}

/// Does `work` on an open file where it may block, and says when the file had been changed last before that.
async fn on_file<T, F>(path: PathBuf, work: F) -> Result<(T, Timestamp)>
where
    T: Send + 'static,
    F: FnOnce(File, u64) -> io::Result<T> + Send + 'static,
{
    let shown = path.display().to_string();
    let open_and_work = move || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let modified = metadata.modified()?.into();
        Ok((work(file, metadata.len())?, modified))
    };
    let done: io::Result<_> = tokio::task::spawn_blocking(open_and_work).await?;
    done.map_err(|error| Error::from(error).context(format!("cannot read {shown}")))
}

fn content(mut file: File, length: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.read_to_end(&mut content)?;
    Ok(content)
}

fn find_fault(content: &[u8]) -> Option<Reason> {
    if content.is_empty() {
        return Some(Reason::Empty);
    }
    std::str::from_utf8(content).err().map(|error| Reason::NotUtf8 { valid_up_to: error.valid_up_to() })
}

fn count_lines(content: &[u8]) -> u64 {
    let ends = content.iter().filter(|byte| **byte == b'\n').count() as u64;
    let unended = content.last().is_some_and(|byte| *byte != b'\n');
    ends + u64::from(unended)
}

fn count_words(content: &[u8]) -> u64 {
    content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_words_are_counted() {
        for (text, lines, words) in [("", 0, 0), ("a", 1, 1), ("a\n", 1, 1), ("one two\n\tthree \r\n\nfour", 4, 4)] {
            assert_eq!((count_lines(text.as_bytes()), count_words(text.as_bytes())), (lines, words), "{text:?}");
        }
    }

    #[test]
    fn only_text_has_no_fault() {
        assert_eq!(find_fault(b""), Some(Reason::Empty));
        assert_eq!(find_fault(b"ab\xff"), Some(Reason::NotUtf8 { valid_up_to: 2 }));
        assert_eq!(find_fault("größe".as_bytes()), None);
    }
}
