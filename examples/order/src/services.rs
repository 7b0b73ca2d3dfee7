//! The services that a fulfilment needs, and what they are told.
//!
//! A call that has an effect takes an idempotency key: a second call with the same key is a repetition of the first, and has
//! no effect of its own.

use std::future::Future;

use serde::{Deserialize, Serialize};

use crate::workflow::Payment;

/// What a customer wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's number for it.
    pub id: String,
    /// What is ordered.
    pub item: String,
    /// How many of them.
    pub quantity: u32,
    /// Where they go.
    pub address: String,
}

/// The stock's number of the goods that it keeps for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reservation(pub String);

/// The bank's number of the money that it has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub String);

/// The carrier's number of a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tracking(pub String);

/// A service does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the {service} does not answer")]
pub struct Outage {
    /// Which service.
    pub service: String,
}

/// Why goods are not reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ReserveError {
    /// There are not enough of them.
    #[error("{item} is sold out")]
    SoldOut {
        /// What is ordered.
        item: String,
    },
    /// The stock does not answer.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// Why a parcel is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("no parcel was taken")]
pub struct ShipError {
    /// What went wrong.
    #[source]
    #[from]
    pub outage: Outage,
}

/// Knows about payments.
pub trait Bank: Send + Sync + 'static {
    /// How much a payment looks like fraud, from 0 to 1.
    fn score_fraud(&self, order: &Order, payment: &Payment) -> impl Future<Output = Result<f64, Outage>> + Send;

    /// Takes the money of a payment.
    fn collect(
        &self,
        order: &Order,
        payment: &Payment,
        key: &str,
    ) -> impl Future<Output = Result<Receipt, Outage>> + Send;

    /// Gives it back.
    fn refund(&self, receipt: &Receipt, key: &str) -> impl Future<Output = Result<(), Outage>> + Send;
}

/// Has the goods.
pub trait Stock: Send + Sync + 'static {
    /// Keeps goods for an order.
    fn reserve(&self, order: &Order, key: &str) -> impl Future<Output = Result<Reservation, ReserveError>> + Send;

    /// Gives back what was kept.
    fn release(&self, reservation: &Reservation, key: &str) -> impl Future<Output = Result<(), Outage>> + Send;
}

/// Takes parcels.
pub trait Carrier: Send + Sync + 'static {
    /// Takes the parcel of an order.
    fn ship(&self, order: &Order, key: &str) -> impl Future<Output = Result<Tracking, ShipError>> + Send;
}
