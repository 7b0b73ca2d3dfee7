//! What an order needs from outside: a bank, a stock, a carrier, and what they have done.
//!
//! An order says what trouble they have with it.

use std::path::Path;
use std::time::Duration;

use example_support::Effects;
use serde::{Deserialize, Serialize};
use workflow_runtime::Result;

/// What a customer wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's number for it.
    pub id: String,
    /// What is ordered.
    pub item: String,
    /// What it costs.
    pub cents: u32,
    /// Which trouble there is with it.
    #[serde(default)]
    pub trouble: Trouble,
}

/// What goes wrong with an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// The bank declines the card.
    Declined,
    /// There is none of it left.
    SoldOut,
    /// The carrier takes no such parcel.
    NoCarrier,
    /// Each service fails at first.
    Outages,
}

/// How long customers have.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// To pay.
    pub pay: Duration,
    /// To send it back.
    pub send_back: Duration,
}

/// What was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    order_id: String,
    cents: u32,
}

/// Goods that are kept for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    order_id: String,
    item: String,
}

/// The carrier's number of a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tracking(pub String);

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ShopError {
    /// It will not be done.
    #[error("{0}")]
    Refused(String),
    /// It may be done another time.
    #[error("{0} does not answer")]
    Outage(String),
}

/// The bank, the stock and the carrier.
#[derive(Debug, Clone)]
pub struct Shop {
    effects: Effects,
}

impl Shop {
    /// The services with what they remember in the file `path`.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { effects: Effects::open(path)? })
    }

    /// What was done for an order, in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn done(&self, order_id: &str) -> Result<Vec<String>> {
        Ok(self.effects.of(order_id).await?.into_iter().map(|(kind, _)| kind).filter(|kind| kind != "outage").collect())
    }

    /// Charges a card.
    ///
    /// # Errors
    /// If the bank declines or does not answer.
    pub async fn charge(&self, order: &Order, card: &str, key: String) -> Result<Payment, ShopError> {
        self.answer(order, "the bank", &key).await?;
        if order.trouble == Trouble::Declined {
            return Err(ShopError::Refused(format!("the bank declines {card}")));
        }
        self.effect(key, &order.id, "charge", &order.cents.to_string()).await?;
        Ok(Payment { order_id: order.id.clone(), cents: order.cents })
    }

    /// Gives the money back.
    ///
    /// # Errors
    /// If the bank does not answer.
    pub async fn refund(&self, payment: &Payment, key: String) -> Result<(), ShopError> {
        self.effect(key, &payment.order_id, "refund", &payment.cents.to_string()).await
    }

    /// Keeps goods for an order.
    ///
    /// # Errors
    /// If there are none, or the stock does not answer.
    pub async fn reserve(&self, order: &Order, key: String) -> Result<Reservation, ShopError> {
        self.answer(order, "the stock", &key).await?;
        if order.trouble == Trouble::SoldOut {
            return Err(ShopError::Refused(format!("{} is sold out", order.item)));
        }
        self.effect(key, &order.id, "reserve", &order.item).await?;
        Ok(Reservation { order_id: order.id.clone(), item: order.item.clone() })
    }

    /// Puts goods back.
    ///
    /// # Errors
    /// If the stock does not answer.
    pub async fn release(&self, goods: &Reservation, key: String) -> Result<(), ShopError> {
        self.effect(key, &goods.order_id, "release", &goods.item).await
    }

    /// Has a parcel taken.
    ///
    /// # Errors
    /// If the carrier does not take it, or does not answer.
    pub async fn ship(&self, order: &Order, key: String) -> Result<Tracking, ShopError> {
        self.answer(order, "the carrier", &key).await?;
        if order.trouble == Trouble::NoCarrier {
            return Err(ShopError::Refused(format!("no carrier takes {}", order.item)));
        }
        let tracking = Tracking(key.chars().take(10).collect());
        self.effect(key, &order.id, "ship", &tracking.0).await?;
        Ok(tracking)
    }

    /// Whether a service answers: one that has outages, from the second call on.
    async fn answer(&self, order: &Order, service: &str, key: &str) -> Result<(), ShopError> {
        let key = format!("{key} answers");
        if order.trouble == Trouble::Outages && self.record(key, &order.id, "outage", service).await? {
            return Err(ShopError::Outage(service.to_owned()));
        }
        Ok(())
    }

    async fn effect(&self, key: String, order_id: &str, kind: &'static str, detail: &str) -> Result<(), ShopError> {
        self.record(key, order_id, kind, detail).await.map(|_| ())
    }

    async fn record(&self, key: String, order_id: &str, kind: &'static str, detail: &str) -> Result<bool, ShopError> {
        let recorded = self.effects.once(key, order_id, kind, detail).await;
        // As a caller sees it, a service that cannot remember is one that does not answer.
        recorded.map_err(|_| ShopError::Outage("the shop".to_owned()))
    }
}
