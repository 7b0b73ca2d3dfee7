//! What is known of the sensors, and the table of what they measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use example_support::{Database, read_json};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use workflow_runtime::Result;

/// How long it takes to look a sensor up.
const LATENCY: Duration = Duration::from_millis(2);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS readings (
        number INTEGER PRIMARY KEY, sensor TEXT NOT NULL, room TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL,
        alarm INTEGER NOT NULL
    ) STRICT;";

/// What is known of a sensor.
#[derive(Debug, Clone, Deserialize)]
pub struct Sensor {
    /// What it calls itself.
    pub name: String,
    /// Where it is.
    pub room: String,
    /// What it measures in.
    pub unit: String,
    /// The least that is right.
    pub low: f64,
    /// The most that is right.
    pub high: f64,
}

/// A reading with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number.
    pub number: u32,
    /// Which sensor sent it.
    pub sensor: String,
    /// Where that is.
    pub room: String,
    /// What it measured.
    pub value: f64,
    /// In what.
    pub unit: String,
    /// Whether that is out of bounds.
    pub alarm: bool,
}

/// A reading of a sensor that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("nobody knows the sensor `{sensor}`")]
pub struct UnknownSensor {
    /// What it calls itself.
    pub sensor: String,
}

/// Knows the sensors, and has the table.
#[derive(Debug, Clone)]
pub struct Plant {
    sensors: Arc<BTreeMap<String, Sensor>>,
    table: Database,
}

impl Plant {
    /// The sensors that a file lists, with their table in another.
    ///
    /// # Errors
    /// If one of the files cannot be used.
    pub fn open(sensors: &Path, table: &Path) -> Result<Self> {
        let sensors: Vec<Sensor> = read_json(sensors)?;
        let sensors = sensors.into_iter().map(|sensor| (sensor.name.clone(), sensor)).collect();
        Ok(Self { sensors: Arc::new(sensors), table: Database::open(table, SCHEMA)? })
    }

    /// The sensors, by name.
    #[must_use]
    pub fn sensors(&self) -> &BTreeMap<String, Sensor> {
        &self.sensors
    }

    /// All that is known of a reading.
    ///
    /// # Errors
    /// If nobody knows the sensor.
    pub async fn look_up(&self, number: u32, sensor: &str, value: f64) -> Result<Row, UnknownSensor> {
        tokio::time::sleep(LATENCY).await;
        let Some(Sensor { name, room, unit, low, high }) = self.sensors.get(sensor) else {
            return Err(UnknownSensor { sensor: sensor.to_owned() });
        };
        let alarm = !(*low..=*high).contains(&value);
        Ok(Row { number, sensor: name.clone(), room: room.clone(), value, unit: unit.clone(), alarm })
    }

    /// Writes a row, or writes it over: a repetition changes nothing.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn write(&self, row: &Row) -> Result<()> {
        let Row { number, sensor, room, value, unit, alarm } = row.clone();
        let upsert = "INSERT OR REPLACE INTO readings VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.table
            .call(move |connection| connection.execute(upsert, params![number, sensor, room, value, unit, alarm]))
            .await?;
        Ok(())
    }

    /// How many rows there are, and how many of them are alarms.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn count(&self) -> Result<(u32, u32)> {
        let count = "SELECT count(*), coalesce(sum(alarm), 0) FROM readings";
        self.table.call(move |connection| connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))).await
    }
}
