//! Where archives are: a folder with one file a night.
//!
//! In an archive, each file is its path, its length, each on a line, and its content.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use walkdir::WalkDir;
use workflow_runtime::{Context as _, Error, Result};

/// What is known of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Its name in the vault.
    pub name: String,
    /// How many files are in it.
    pub files: usize,
    /// How long it is.
    pub bytes: u64,
    /// Its BLAKE3 digest.
    pub digest: String,
}

/// A file of an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path below the folder.
    pub path: &'a str,
    /// Its content.
    pub content: &'a [u8],
}

/// Where archives are.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
}

impl Vault {
    /// The archives in a folder, which is made if there is none.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot use the folder {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Copies all files below `source` into the archive `name`, which is there as a whole or not at all.
    ///
    /// # Errors
    /// If a file cannot be read, or the archive cannot be written.
    pub async fn write(&self, name: &str, source: &Path) -> Result<Archive> {
        let (vault, name, source) = (self.clone(), name.to_owned(), source.to_owned());
        tokio::task::spawn_blocking(move || vault.write_now(name, &source)).await?
    }

    /// Reads an archive back.
    ///
    /// # Errors
    /// If it is not what was written.
    pub async fn verify(&self, archive: &Archive) -> Result<()> {
        let (vault, archive) = (self.clone(), archive.clone());
        tokio::task::spawn_blocking(move || vault.verify_now(&archive)).await?
    }

    /// Writes the files of the archive `name` below `target`, and says how many they were.
    ///
    /// # Errors
    /// If the archive cannot be read, or a file cannot be written.
    pub fn restore(&self, name: &str, target: &Path) -> Result<usize> {
        let content = self.read(name)?;
        let entries = entries(&content)?;
        for entry in &entries {
            let path = target.join(below(entry.path)?);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, entry.content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(entries.len())
    }

    /// The names of all archives, oldest first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".archive").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.archive"))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn write_now(&self, name: String, source: &Path) -> Result<Archive> {
        // Under a name that nobody else has: an attempt that was cut off may still be writing.
        let mut file = BufWriter::new(NamedTempFile::new_in(&self.folder)?);
        let mut hasher = blake3::Hasher::new();
        let (mut files, mut bytes) = (0, 0);
        for entry in WalkDir::new(source).sort_by_file_name() {
            let entry = entry?;
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path().strip_prefix(source)?;
            let path = path.to_str().with_context(|| format!("{} has no name that can be written", path.display()))?;
            let mut content = Vec::new();
            File::open(entry.path())?.read_to_end(&mut content)?;
            let head = format!("{path}\n{}\n", content.len());
            for part in [head.as_bytes(), &content] {
                file.write_all(part)?;
                hasher.update(part);
                bytes += u64::try_from(part.len())?;
            }
            files += 1;
        }
        let file = file.into_inner().map_err(|error| Error::from(error.into_error()))?;
        file.as_file().sync_all()?;
        file.persist(self.path(&name))?;
        Ok(Archive { name, files, bytes, digest: hasher.finalize().to_string() })
    }

    fn verify_now(&self, archive: &Archive) -> Result<()> {
        let content = self.read(&archive.name)?;
        let files = entries(&content)?.len();
        let digest = blake3::hash(&content).to_string();
        if files != archive.files || digest != archive.digest {
            return Err(Error::msg(format!("the archive {} is not what was written", archive.name)));
        }
        Ok(())
    }
}

/// The files of an archive.
///
/// # Errors
/// If it is none.
pub fn entries(mut content: &[u8]) -> Result<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    while !content.is_empty() {
        let path = line(&mut content)?;
        let len: usize = line(&mut content)?.parse()?;
        let (file, rest) = content.split_at_checked(len).context("the last file is not complete")?;
        entries.push(Entry { path, content: file });
        content = rest;
    }
    Ok(entries)
}

fn line<'a>(content: &mut &'a [u8]) -> Result<&'a str> {
    let end = content.iter().position(|byte| *byte == b'\n').context("a line is not complete")?;
    let (line, rest) = content.split_at(end);
    *content = rest.get(1..).unwrap_or_default();
    Ok(std::str::from_utf8(line)?)
}

/// A path that does not lead out of the folder that it is joined to.
fn below(path: &str) -> Result<&Path> {
    let inside = Path::new(path).components().all(|component| matches!(component, Component::Normal(_)));
    if inside { Ok(Path::new(path)) } else { Err(Error::msg(format!("`{path}` leads out of the folder"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_archived_can_be_restored() {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
        let vault = Vault::open(folder.path().join("vault")).unwrap();
        let archive = vault.write_now("night".into(), &source).unwrap();
        vault.verify_now(&archive).unwrap();
        let restored = folder.path().join("restored");
        assert_eq!((vault.restore("night", &restored).unwrap(), archive.files), (4, 4));
        let letter = |folder: &Path| fs::read(folder.join("letters/ada.txt")).unwrap();
        assert_eq!(letter(&restored), letter(&source));
        assert_eq!(vault.names().unwrap(), ["night"]);
    }

    #[test]
    fn an_archive_that_changed_on_the_disk_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::write(folder.path().join("documents/diary.md"), "It rained.").unwrap();
        let vault = Vault::open(folder.path().join("vault")).unwrap();
        let archive = vault.write_now("night".into(), &folder.path().join("documents")).unwrap();
        fs::write(vault.path("night"), "diary.md\n10\nIt snowed.").unwrap();
        let error = vault.verify_now(&archive).unwrap_err();
        assert_eq!(error.to_string(), "the archive night is not what was written");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        assert!(entries(b"a.txt\n9\nshort").unwrap_err().to_string().contains("not complete"));
        assert!(entries(b"a.txt").is_err());
        for path in ["../secrets", "/etc/passwd"] {
            assert!(below(path).is_err(), "{path}");
        }
    }
}
