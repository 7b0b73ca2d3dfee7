//! What becomes of one reading: the whole machine.

use workflow_runtime::prelude::*;

use crate::plant::{Plant, Row, UnknownSensor};

/// It has come in, as the sensor has sent it: `t-1=-18.5`.
#[state]
#[derive(Debug)]
pub struct Received {
    /// Its number among all readings.
    pub number: u32,
    /// What was sent.
    pub text: String,
}

/// It can be read.
#[state]
#[derive(Debug)]
pub struct Validated {
    /// Its number.
    pub number: u32,
    /// Which sensor sent it.
    pub sensor: String,
    /// What it measured.
    pub value: f64,
}

/// It is known what it means.
#[state]
#[derive(Debug)]
pub struct Enriched {
    /// All of it.
    pub row: Row,
}

/// Its row is in the table.
#[state(end)]
#[derive(Debug)]
pub struct Stored;

/// It is of no use.
#[state(end)]
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub reason: String,
}

/// Takes one reading into the table.
#[derive(Debug)]
pub struct Pipeline {
    /// Knows the sensors, and has the table.
    pub plant: Plant,
}

#[workflow(start = Received)]
impl Pipeline {
    /// Reads it. There is nothing to wait for in that, so it is one commit with what comes before.
    #[state]
    fn validate(&self, s: Received) -> Next<(Validated, Failed)> {
        let parts = s.text.split_once('=');
        match parts.and_then(|(sensor, value)| Some((sensor.to_owned(), value.parse().ok()?))) {
            Some((sensor, value)) => goto(Validated { number: s.number, sensor, value }),
            None => goto(Failed { reason: format!("`{}` is no reading", s.text) }),
        }
    }

    /// Finds out where the sensor is, and whether what it measured is within bounds.
    #[state]
    async fn enrich(&self, cx: &Cx, s: Validated) -> Result<Enriched> {
        let row = self.look_up(cx, s.number, &s.sensor, s.value).await?;
        Ok(Enriched { row })
    }

    /// Nobody knows the sensor.
    #[catch]
    fn unknown(&self, _: Validated, error: UnknownSensor) -> Failed {
        Failed { reason: error.to_string() }
    }

    /// Writes its row. While that fails, it waits, and nothing is lost: after the last attempt it is parked.
    #[state]
    async fn store(&self, cx: &Cx, s: Enriched) -> Result<Stored> {
        self.write_row(cx, &s.row).await?;
        Ok(Stored)
    }

    #[step]
    async fn look_up(&self, _: &Cx, number: u32, sensor: &str, value: f64) -> Result<Row, UnknownSensor> {
        self.plant.look_up(number, sensor, value).await
    }

    #[step(retry(max = 10, backoff = "20ms..10s"), timeout = "30s")]
    async fn write_row(&self, _: &Cx, row: &Row) -> Result<()> {
        self.plant.write(row).await
    }
}

#[cfg(test)]
mod tests;
