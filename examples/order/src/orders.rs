//! The file of orders.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use workflow_runtime::{Error, Result};

use crate::backoffice::Circumstances;
use crate::services::Order;
use crate::workflow::{FulfilmentOutcome, Payment, Reason};

/// An order, and what happens to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The order.
    pub order: Order,
    /// How it is paid, if it is.
    pub payment: Option<Payment>,
    /// How the services treat it.
    #[serde(default)]
    pub circumstances: Circumstances,
    /// What is to become of it.
    pub expect: Verdict,
}

/// What may become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was sent.
    Shipped,
    /// Nobody paid in time.
    Unpaid,
    /// The payment looked stolen.
    Fraud,
    /// The goods could not be reserved.
    NoStock,
    /// The carrier did not take the parcel.
    NoCarrier,
}

impl Verdict {
    /// What has become of an order.
    #[must_use]
    pub fn of(outcome: &FulfilmentOutcome) -> Self {
        match outcome {
            FulfilmentOutcome::Shipped(_) => Self::Shipped,
            FulfilmentOutcome::Cancelled(cancelled) => match cancelled.reason {
                Reason::Unpaid => Self::Unpaid,
                Reason::Fraud => Self::Fraud,
                Reason::NoStock(_) => Self::NoStock,
                Reason::NoCarrier(_) => Self::NoCarrier,
            },
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Shipped => "shipped",
            Self::Unpaid => "cancelled: unpaid",
            Self::Fraud => "cancelled: fraud",
            Self::NoStock => "cancelled: no stock",
            Self::NoCarrier => "cancelled: no carrier",
        })
    }
}

/// Reads the file of orders.
///
/// # Errors
/// If it is none.
pub fn read(path: &Path) -> Result<Vec<Listed>> {
    let failed = |error: Error| error.context(format!("cannot read the orders in {}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.into()))
}

/// How the services treat each of the orders.
#[must_use]
pub fn circumstances(orders: &[Listed]) -> HashMap<String, Circumstances> {
    orders.iter().map(|listed| (listed.order.id.clone(), listed.circumstances.clone())).collect()
}
