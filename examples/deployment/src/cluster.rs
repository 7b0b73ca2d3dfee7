//! Where services run: an SQLite file, which stands for three clusters.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use example_support::Database;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use workflow_runtime::Result;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS running (
        stage TEXT NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL, PRIMARY KEY (stage, name)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS deployed (key TEXT PRIMARY KEY, before TEXT) STRICT;";

/// One of the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Where nobody minds.
    Dev,
    /// Where everything is a copy.
    Staging,
    /// Where the customers are.
    Production,
}

/// A version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The least versions of the services that it calls.
    #[serde(default)]
    pub needs: BTreeMap<String, u32>,
    /// Where it does not answer, if anywhere.
    #[serde(default)]
    pub silent_in: Option<Stage>,
}

/// What is rolled out together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// What is new.
    pub services: Vec<Service>,
}

/// What was deployed, and in place of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    stage: Stage,
    name: String,
    before: Option<String>,
}

/// A test has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{service} in {stage}: {fault}")]
pub struct Broken {
    /// Of which service.
    pub service: String,
    /// Where.
    pub stage: Stage,
    /// What was found.
    pub fault: String,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Production => "production",
        })
    }
}

/// The clusters.
#[derive(Debug, Clone)]
pub struct Cluster {
    database: Database,
}

impl Cluster {
    /// The clusters in the file `path`.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::open(path, SCHEMA)? })
    }

    /// Has a service run in place of what ran under its name. What that was is kept with the key: a repetition finds it, where
    /// it would else find itself.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn deploy(&self, stage: Stage, service: &Service, key: String) -> Result<Deployed> {
        let (name, text) = (service.name.clone(), serde_json::to_string(service)?);
        let before = self.database.call(move |connection| {
            let known = "SELECT before FROM deployed WHERE key = ?1";
            if let Some(before) = connection.query_row(known, [&key], |row| row.get(0)).optional()? {
                return Ok(before);
            }
            let before = running(connection, stage, &name)?;
            connection.execute("INSERT INTO deployed VALUES (?1, ?2)", params![key, before])?;
            run(connection, stage, &name, Some(&text))?;
            Ok(before)
        });
        Ok(Deployed { stage, name: service.name.clone(), before: before.await? })
    }

    /// Has run what ran before.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn take_back(&self, deployed: &Deployed) -> Result<()> {
        let Deployed { stage, name, before } = deployed.clone();
        self.database.call(move |connection| run(connection, stage, &name, before.as_deref())).await
    }

    /// Whether the right version of a service runs.
    ///
    /// # Errors
    /// If it does not.
    pub async fn starts(&self, stage: Stage, service: &Service) -> Result<(), Broken> {
        let version = self.versions(stage).await.unwrap_or_default().get(&service.name).copied();
        if version == Some(service.version) {
            Ok(())
        } else {
            Err(service.broken(stage, "another version runs".into()))
        }
    }

    /// Whether a service answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn answers(&self, stage: Stage, service: &Service) -> Result<(), Broken> {
        if service.silent_in == Some(stage) { Err(service.broken(stage, "it does not answer".into())) } else { Ok(()) }
    }

    /// Whether what a service calls is there, and new enough.
    ///
    /// # Errors
    /// If it is not.
    pub async fn agrees(&self, stage: Stage, service: &Service) -> Result<(), Broken> {
        let versions = self.versions(stage).await.unwrap_or_default();
        for (name, least) in &service.needs {
            let found = versions.get(name).copied().unwrap_or(0);
            if found < *least {
                return Err(service.broken(stage, format!("it needs {name} {least}, and finds {found}")));
            }
        }
        Ok(())
    }

    /// Which version of what runs.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn versions(&self, stage: Stage) -> Result<BTreeMap<String, u32>> {
        let texts: Vec<String> = self
            .database
            .call(move |connection| {
                let mut select = connection.prepare("SELECT service FROM running WHERE stage = ?1")?;
                select.query_map([stage.to_string()], |row| row.get(0))?.collect()
            })
            .await?;
        let services = texts.iter().map(|text| Ok(serde_json::from_str::<Service>(text)?));
        services.map(|service: Result<Service>| service.map(|service| (service.name, service.version))).collect()
    }
}

impl Service {
    fn broken(&self, stage: Stage, fault: String) -> Broken {
        Broken { service: format!("{} {}", self.name, self.version), stage, fault }
    }
}

fn running(connection: &Connection, stage: Stage, name: &str) -> rusqlite::Result<Option<String>> {
    let select = "SELECT service FROM running WHERE stage = ?1 AND name = ?2";
    connection.query_row(select, [&stage.to_string(), name], |row| row.get(0)).optional()
}

fn run(connection: &Connection, stage: Stage, name: &str, service: Option<&str>) -> rusqlite::Result<()> {
    let stage = stage.to_string();
    match service {
        Some(service) => {
            connection.execute("INSERT OR REPLACE INTO running VALUES (?1, ?2, ?3)", params![stage, name, service])?
        }
        None => connection.execute("DELETE FROM running WHERE stage = ?1 AND name = ?2", params![stage, name])?,
    };
    Ok(())
}
