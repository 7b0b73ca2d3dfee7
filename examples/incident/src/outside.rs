//! Whom is called up, and what is fixed: an SQLite file, which stands for telephones and servers.

use std::path::Path;
use std::time::Duration;

use example_support::{Effects, say};
use serde::Deserialize;
use workflow_runtime::{Error, Result};

/// Who is called up, in what order.
#[derive(Debug, Clone)]
pub struct Roster(Vec<Duty>);

/// One person's place on the roster.
#[derive(Debug, Clone, Deserialize)]
pub struct Duty {
    /// Who it is.
    pub person: String,
    /// How long they have to take an incident, in milliseconds.
    pub patience_ms: u64,
}

impl Roster {
    /// This order of people.
    ///
    /// # Errors
    /// If there is nobody.
    pub fn new(duties: Vec<Duty>) -> Result<Self> {
        if duties.is_empty() {
            return Err(Error::msg("there is nobody on the roster"));
        }
        Ok(Self(duties))
    }

    /// Who is called up at this level. Past the last one, it is the last one again.
    #[must_use]
    pub fn person(&self, level: usize) -> &str {
        self.at(level).map_or("nobody", |duty| &duty.person)
    }

    /// How long they have.
    #[must_use]
    pub fn patience(&self, level: usize) -> Duration {
        Duration::from_millis(self.at(level).map_or(0, |duty| duty.patience_ms))
    }

    fn at(&self, level: usize) -> Option<&Duty> {
        self.0.get(level).or(self.0.last())
    }
}

/// Telephones and servers.
#[derive(Debug, Clone)]
pub struct Outside {
    effects: Effects,
}

impl Outside {
    /// What the file `path` remembers.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { effects: Effects::open(path)? })
    }

    /// Calls somebody up, once for each key.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn call_up(&self, incident: &str, person: &str, text: &str, key: String) -> Result<()> {
        if self.effects.once(key, incident, "call", person).await? {
            say(format!("  the telephone of {person} rings: {incident}, {text}"));
        }
        Ok(())
    }

    /// Makes a fix, once for each key.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn make_fix(&self, incident: &str, fix: &str, key: String) -> Result<()> {
        if self.effects.once(key, incident, "fix", fix).await? {
            say(format!("  {incident} is fixed: {fix}"));
        }
        Ok(())
    }

    /// Who was called up for an incident, in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn called(&self, incident: &str) -> Result<Vec<String>> {
        self.details(incident, "call").await
    }

    /// What was done about an incident.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn fixes(&self, incident: &str) -> Result<Vec<String>> {
        self.details(incident, "fix").await
    }

    async fn details(&self, incident: &str, kind: &str) -> Result<Vec<String>> {
        let effects = self.effects.of(incident).await?;
        Ok(effects.into_iter().filter(|(of, _)| of == kind).map(|(_, detail)| detail).collect())
    }
}
