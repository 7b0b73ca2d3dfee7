//! One night: a sequential workflow, with one branch for each file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;

use crate::mill::{Digest, Mill, MillError};

/// What came of a night.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many files were digested.
    pub digested: usize,
    /// How many lines they have.
    pub lines: u64,
    /// How many of those are errors.
    pub errors: u64,
    /// The files that could not be digested, and why, in order.
    pub refused: Vec<String>,
}

/// Digests every file of a folder, and writes down what came of it.
#[workflow]
pub async fn night(cx: &Cx, #[dep] mill: &Mill, inbox: PathBuf) -> Result<Summary> {
    let files = list(cx, mill, &inbox).await?;
    let digests = digest_all(cx, mill.clone(), inbox, files).await;
    let mut summary = Summary::default();
    for digest in digests {
        match digest {
            Ok(digest) => {
                summary.digested += 1;
                summary.lines += digest.lines;
                summary.errors += digest.errors;
            }
            Err(refused) => summary.refused.push(refused.to_string()),
        }
    }
    write_summary(cx, mill, &summary).await?;
    Ok(summary)
}

/// Every file at once, sixty-four at a time; one that cannot be digested does not stop the others.
#[parallel(limit = 64, join = settle)]
async fn digest_all(cx: &Cx, mill: Mill, inbox: PathBuf, #[each] file: String) -> Result<Digest, MillError> {
    digest(cx, &mill, &inbox, &file).await
}

/// What there is to do is settled once: a file that comes later is for the next night.
#[step(retry(max = 5))]
async fn list(_: &Cx, mill: &Mill, inbox: &Path) -> Result<Vec<String>> {
    mill.list(inbox).await
}

#[step(retry(max = 3, backoff = "50ms..2s", only(Unreadable)), timeout = "1m")]
async fn digest(_: &Cx, mill: &Mill, inbox: &Path, file: &str) -> Result<Digest, MillError> {
    mill.digest(inbox, file).await
}

#[step(retry(max = 5))]
async fn write_summary(_: &Cx, mill: &Mill, summary: &Summary) -> Result<()> {
    mill.write_summary(&serde_json::to_string_pretty(summary)?).await
}

#[cfg(test)]
mod tests;
