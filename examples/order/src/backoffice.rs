//! All three services in one SQLite file, which stands for the world outside: what it has seen stays, whoever crashes.
//!
//! They are as slow and as unreliable as the [`Circumstances`] of an order say. Each effect is a row under its idempotency
//! key, so that in the end one can count what really happened.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::Deserialize;
use workflow_runtime::{Error, Result};

use crate::services::{Bank, Carrier, Order, Outage, Receipt, Reservation, ReserveError, ShipError, Stock, Tracking};
use crate::workflow::Payment;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS calls (
        service TEXT NOT NULL, order_id TEXT NOT NULL, calls INTEGER NOT NULL,
        PRIMARY KEY (service, order_id)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS effects (
        key TEXT PRIMARY KEY, kind TEXT NOT NULL, order_id TEXT NOT NULL
    ) STRICT;";

/// How the services treat an order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circumstances {
    /// How much its payment looks like fraud.
    pub fraud_score: f64,
    /// Whether there is none of it left.
    pub sold_out: bool,
    /// How many calls of the stock fail before one succeeds.
    pub stock_outages: u32,
    /// The same of the bank.
    pub bank_outages: u32,
    /// The same of the carrier.
    pub carrier_outages: u32,
    /// How many replies of the carrier are lost after it has taken the parcel.
    pub lost_carrier_replies: u32,
}

/// What the services have really done for an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effects {
    /// How often goods were kept for it.
    pub reservations: u32,
    /// How often they were given back.
    pub releases: u32,
    /// How many parcels were taken.
    pub parcels: u32,
    /// How often the money was taken.
    pub collections: u32,
    /// How often it was given back.
    pub refunds: u32,
}

/// The bank, the stock and the carrier. Cloning gives the same.
#[derive(Debug, Clone)]
pub struct Backoffice {
    // Held for one transaction, on a thread that may block.
    connection: Arc<Mutex<Connection>>,
    on_disk: bool,
    circumstances: Arc<HashMap<String, Circumstances>>,
    latency: Duration,
}

impl Backoffice {
    /// The services with what they remember in the file `path`. Every call takes as long as `latency`.
    ///
    /// With the path `:memory:` there is no disk to wait for, so all is done where it is asked: in a simulated world, the answer
    /// of another thread would come by chance.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path, circumstances: HashMap<String, Circumstances>, latency: Duration) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection =
            open().map_err(|error| Error::from(error).context(format!("cannot use the file {}", path.display())))?;
        let on_disk = path != Path::new(":memory:");
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            on_disk,
            circumstances: Arc::new(circumstances),
            latency,
        })
    }

    /// What was done for an order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn effects(&self, order_id: &str) -> Result<Effects> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |kind: &str| {
            let count = "SELECT count(*) FROM effects WHERE kind = ?1 AND order_id = ?2";
            connection.query_row(count, [kind, order_id], |row| row.get(0))
        };
        Ok(Effects {
            reservations: count("reservation")?,
            releases: count("release")?,
            parcels: count("parcel")?,
            collections: count("collection")?,
            refunds: count("refund")?,
        })
    }

    /// How often a service was called for an order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn calls(&self, service: &str, order_id: &str) -> Result<u32> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = "SELECT coalesce(sum(calls), 0) FROM calls WHERE service = ?1 AND order_id = ?2";
        Ok(connection.query_row(sum, [service, order_id], |row| row.get(0))?)
    }

    fn circumstances(&self, id: &str) -> Circumstances {
        self.circumstances.get(id).cloned().unwrap_or_default()
    }

    /// Counts a call, and lets the first ones fail.
    async fn answer(&self, service: &'static str, id: &str, outages: u32) -> Result<u32, Outage> {
        tokio::time::sleep(self.latency).await;
        let id = id.to_owned();
        let call = self.remember(service, move |connection| {
            let count = "INSERT INTO calls VALUES (?1, ?2, 1)
                         ON CONFLICT DO UPDATE SET calls = calls + 1 RETURNING calls";
            connection.query_row(count, [service, &id], |row| row.get(0))
        });
        match call.await? {
            call if call <= outages => Err(outage(service)),
            call => Ok(call),
        }
    }

    /// Does what is to be done once for a key, however often it is asked for.
    async fn effect(&self, service: &'static str, kind: &'static str, id: &str, key: &str) -> Result<(), Outage> {
        let (id, key) = (id.to_owned(), key.to_owned());
        let insert = "INSERT INTO effects (key, kind, order_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.remember(service, move |connection| connection.execute(insert, params![key, kind, id])).await?;
        Ok(())
    }

    async fn remember<T: Send + 'static>(
        &self,
        service: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Outage> {
        let connection = Arc::clone(&self.connection);
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        let done = if self.on_disk { tokio::task::spawn_blocking(work).await.ok() } else { Some(work()) };
        // As a caller sees it, a service that cannot remember is one that does not answer.
        done.and_then(Result::ok).ok_or_else(|| outage(service))
    }
}

impl Bank for Backoffice {
    async fn score_fraud(&self, order: &Order, _: &Payment) -> Result<f64, Outage> {
        let circumstances = self.circumstances(&order.id);
        self.answer("bank", &order.id, circumstances.bank_outages).await?;
        Ok(circumstances.fraud_score)
    }

    async fn collect(&self, order: &Order, _: &Payment, key: &str) -> Result<Receipt, Outage> {
        self.answer("bank", &order.id, self.circumstances(&order.id).bank_outages).await?;
        self.effect("bank", "collection", &order.id, key).await?;
        Ok(Receipt(order.id.clone()))
    }

    async fn refund(&self, Receipt(id): &Receipt, key: &str) -> Result<(), Outage> {
        self.answer("bank", id, self.circumstances(id).bank_outages).await?;
        self.effect("bank", "refund", id, key).await
    }
}

impl Stock for Backoffice {
    async fn reserve(&self, order: &Order, key: &str) -> Result<Reservation, ReserveError> {
        let circumstances = self.circumstances(&order.id);
        self.answer("stock", &order.id, circumstances.stock_outages).await?;
        if circumstances.sold_out {
            return Err(ReserveError::SoldOut { item: order.item.clone() });
        }
        self.effect("stock", "reservation", &order.id, key).await?;
        Ok(Reservation(order.id.clone()))
    }

    async fn release(&self, Reservation(id): &Reservation, key: &str) -> Result<(), Outage> {
        self.answer("stock", id, self.circumstances(id).stock_outages).await?;
        self.effect("stock", "release", id, key).await
    }
}

impl Carrier for Backoffice {
    async fn ship(&self, order: &Order, key: &str) -> Result<Tracking, ShipError> {
        let Circumstances { carrier_outages, lost_carrier_replies, .. } = self.circumstances(&order.id);
        let call = self.answer("carrier", &order.id, carrier_outages).await?;
        self.effect("carrier", "parcel", &order.id, key).await?;
        if call <= carrier_outages + lost_carrier_replies {
            return Err(outage("carrier").into());
        }
        Ok(Tracking(key.chars().take(10).collect()))
    }
}

fn outage(service: &str) -> Outage {
    Outage { service: service.to_owned() }
}
