//! What the services of an example have really done: a row an effect.

use std::path::Path;

use rusqlite::{Connection, params};
use workflow_runtime::Result;

use crate::Database;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS effects (
        key TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT;";

/// What was done, each under the idempotency key that it was done with: a second call with a key is a repetition of the
/// first, and does nothing.
#[derive(Debug, Clone)]
pub struct Effects {
    database: Database,
}

impl Effects {
    /// What the file `path` remembers.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::open(path, SCHEMA)? })
    }

    /// Does something of this kind to `subject`, once for each key; says whether this was the first time.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn once(&self, key: String, subject: &str, kind: &'static str, detail: &str) -> Result<bool> {
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        let insert = "INSERT INTO effects VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let work = move |connection: &Connection| connection.execute(insert, params![key, subject, kind, detail]);
        Ok(self.database.call(work).await? > 0)
    }

    /// What was done to `subject`, in order: kind and detail.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn of(&self, subject: &str) -> Result<Vec<(String, String)>> {
        let subject = subject.to_owned();
        let select = "SELECT kind, detail FROM effects WHERE subject = ?1 ORDER BY rowid";
        let work = move |connection: &Connection| {
            connection.prepare(select)?.query_map([subject], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        self.database.call(work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let effects = Effects::open(&folder.path().join("effects.db")).unwrap();
        workflow_runtime::block_on(async {
            assert!(effects.once("a".into(), "order", "charge", "5").await.unwrap());
            assert!(!effects.once("a".into(), "order", "charge", "5").await.unwrap());
            assert!(effects.once("b".into(), "order", "refund", "5").await.unwrap());
            let of = effects.of("order").await.unwrap();
            assert_eq!(of, [("charge".into(), "5".into()), ("refund".into(), "5".into())]);
            assert!(effects.of("another").await.unwrap().is_empty());
        });
    }
}
