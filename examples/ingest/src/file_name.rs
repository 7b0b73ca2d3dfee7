//! The name of a file as text.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use workflow_runtime::ExecutionId;

/// The path of a file from the root of its directory, as text that stands for exactly one path: the key of the table.
///
/// It is the path itself, but for `%`, control characters and bytes that are no UTF-8: they are written as in URLs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The name of the file with this path from the root.
    #[must_use]
    pub fn new(relative: &Path) -> Self {
        let mut name = String::new();
        for chunk in relative.as_os_str().as_encoded_bytes().utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '%' => escape(&mut name, b"%"),
                    _ if character.is_control() => escape(&mut name, character.encode_utf8(&mut [0; 4]).as_bytes()),
                    _ => name.push(character),
                }
            }
            escape(&mut name, chunk.invalid());
        }
        Self(name)
    }

    /// A name that was persisted.
    #[must_use]
    pub fn persisted(name: String) -> Self {
        Self(name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's path, below `root`.
    #[must_use]
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(from_bytes(unescape(&self.0)))
    }

    /// The name of the execution that ingests the file: the name itself, or a digest where that is too long for an id.
    #[must_use]
    pub fn execution_id(&self) -> String {
        if self.0.len() <= ExecutionId::MAX_LEN {
            return self.0.clone();
        }
        format!("blake3:{}", blake3::hash(self.0.as_bytes()))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn escape(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(name, "%{byte:02X}");
    }
}

fn unescape(name: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut pieces = name.split('%');
    bytes.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, piece.get(2..)) {
            (Some(byte), Some(rest)) => {
                bytes.push(byte);
                bytes.extend(rest.bytes());
            }
            // Not one of ours: left as it is, and the file will not be found.
            _ => {
                bytes.push(b'%');
                bytes.extend(piece.bytes());
            }
        }
    }
    bytes
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}

/// Elsewhere a name that is no Unicode is not found again, and its file ends as failed.
#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        FileName::new(Path::new(path)).as_str().to_owned()
    }

    #[test]
    fn an_ordinary_path_is_its_own_name_and_id() {
        assert_eq!(text("src/größe 1.rs"), "src/größe 1.rs");
        assert_eq!(FileName::new(Path::new("src/main.rs")).execution_id(), "src/main.rs");
    }

    #[test]
    fn what_an_id_may_not_hold_is_escaped() {
        assert_eq!(text("a\nb%20\u{85}"), "a%0Ab%2520%C2%85");
    }

    #[test]
    fn a_name_leads_back_to_its_path() {
        for path in ["src/main.rs", "100%", "%25", "a\nb\u{85}é", "%C3%A9"] {
            assert_eq!(FileName::new(Path::new(path)).below(Path::new("/root")), Path::new("/root").join(path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_utf8_has_a_name_too() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9\xff.txt"));
        let name = FileName::new(path);
        assert_eq!(name.as_str(), "caf%E9%FF.txt");
        assert_eq!(name.below(Path::new("r")), Path::new("r").join(path));
    }

    #[test]
    fn a_long_name_has_a_digest_for_an_id() {
        let long = FileName::new(Path::new(&"é".repeat(150)));
        let other = FileName::new(Path::new(&"é".repeat(151)));
        assert!(long.execution_id().starts_with("blake3:"));
        assert_ne!(long.execution_id(), other.execution_id());
        assert!(ExecutionId::new(long.execution_id()).is_ok());
    }
}
