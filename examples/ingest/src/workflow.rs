//! What becomes of one file: the whole machine.

use std::path::PathBuf;

use workflow_runtime::prelude::*;

use crate::content::{self, Facts, Refusal};
use crate::file_name::FileName;
use crate::results::Results;

/// The file was found; nothing of it has been read.
#[state]
#[derive(Debug)]
pub struct Received {
    /// Which file.
    pub file: FileName,
}

/// The file is one for the table.
#[state]
#[derive(Debug)]
pub struct Validated {
    /// Which file.
    pub file: FileName,
}

/// What the table is to say of it is known.
#[state]
#[derive(Debug)]
pub struct Enriched {
    /// Which file.
    pub file: FileName,
    /// What was found in it.
    pub facts: Facts,
}

/// Its row is in the table.
#[state(end)]
#[derive(Debug)]
pub struct Stored {
    /// What the row says.
    pub facts: Facts,
}

/// It is not a file for the table.
#[state(end)]
#[derive(Debug)]
pub struct Rejected {
    /// Why.
    pub refusal: Refusal,
}

/// It could not be read or stored, however often it was tried.
#[state(end)]
#[derive(Debug)]
pub struct Failed {
    /// What went wrong.
    pub error: String,
}

/// Reads one file below `root` into the table.
#[derive(Debug)]
pub struct Ingest {
    /// The directory that the files are in.
    pub root: PathBuf,
    /// The most bytes that a file may have.
    pub size_limit: u64,
    /// The table.
    pub results: Results,
}

#[workflow(start = Received)]
impl Ingest {
    /// Looks at the file and decides whether it is one for the table.
    #[state]
    async fn validate(&self, cx: &Cx, s: Received) -> Result<Next<(Validated, Rejected)>> {
        match self.inspect(cx, &s.file).await? {
            None => Ok(goto(Validated { file: s.file })),
            Some(refusal) => Ok(goto(Rejected { refusal })),
        }
    }

    /// Computes its digest, and counts its lines and words.
    #[state]
    async fn enrich(&self, cx: &Cx, s: Validated) -> Result<Enriched> {
        let facts = self.analyse(cx, &s.file).await?;
        Ok(Enriched { file: s.file, facts })
    }

    /// Writes its row.
    #[state]
    async fn store(&self, cx: &Cx, s: Enriched) -> Result<Stored> {
        self.write_row(cx, &s.file, &s.facts).await?;
        Ok(Stored { facts: s.facts })
    }

    /// The file could not be looked at.
    #[catch]
    fn not_inspected(&self, _: Received, error: Error) -> Failed {
        error.into()
    }

    /// The file could not be read.
    #[catch]
    fn not_analysed(&self, _: Validated, error: Error) -> Failed {
        error.into()
    }

    /// The row could not be written.
    #[catch]
    fn not_stored(&self, _: Enriched, error: Error) -> Failed {
        error.into()
    }

    #[step(retry(max = 3, backoff = "20ms..200ms"), timeout = "30s")]
    async fn inspect(&self, _: &Cx, file: &FileName) -> Result<Option<Refusal>> {
        content::inspect(file.below(&self.root), self.size_limit).await
    }

    #[step(retry(max = 3, backoff = "20ms..200ms"), timeout = "30s")]
    async fn analyse(&self, _: &Cx, file: &FileName) -> Result<Facts> {
        content::analyse(file.below(&self.root)).await
    }

    #[step(retry(max = 5, backoff = "50ms..5s"), timeout = "30s")]
    async fn write_row(&self, _: &Cx, file: &FileName, facts: &Facts) -> Result<()> {
        self.results.upsert(file, facts).await
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error: format!("{error:#}") }
    }
}

#[cfg(test)]
mod tests;
