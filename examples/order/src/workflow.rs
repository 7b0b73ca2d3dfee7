//! What becomes of one order: the whole machine.

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;

use crate::services::{Bank, Carrier, Order, ReserveError, ShipError, Stock, Tracking};

/// The customer has ordered, and is to pay.
#[state]
#[derive(Debug)]
pub struct PendingPayment {
    /// The order.
    pub order: Order,
}

/// The order is paid, and is to be sent.
#[state]
#[derive(Debug)]
pub struct Fulfilling {
    /// The order.
    pub order: Order,
    /// How it was paid.
    pub payment: Payment,
}

/// The parcel is with the carrier.
#[state(end)]
#[derive(Debug)]
pub struct Shipped {
    /// Where it is.
    pub tracking: Tracking,
}

/// There will be no parcel.
#[state(end)]
#[derive(Debug)]
pub struct Cancelled {
    /// Why.
    pub reason: Reason,
}

/// The bank says that the customer has paid.
#[event]
#[derive(Debug, Clone)]
pub struct Payment {
    /// The bank's name for the payment.
    pub reference: String,
    /// The card that was used.
    pub card: String,
    /// How much was paid.
    pub cents: u64,
}

/// Why there is no parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody paid in time.
    Unpaid,
    /// The payment looks stolen.
    Fraud,
    /// The goods could not be reserved.
    NoStock(ReserveError),
    /// The carrier did not take the parcel.
    NoCarrier(ShipError),
}

/// Fulfils one order, from payment to parcel.
#[derive(Debug)]
pub struct Fulfilment<B, S, C> {
    /// Knows about payments.
    pub bank: B,
    /// Has the goods.
    pub stock: S,
    /// Takes parcels.
    pub carrier: C,
}

#[workflow(start = PendingPayment)]
impl<B: Bank, S: Stock, C: Carrier> Fulfilment<B, S, C> {
    /// The customer paid.
    #[on]
    fn paid(&self, s: PendingPayment, payment: Payment) -> Fulfilling {
        Fulfilling { order: s.order, payment }
    }

    /// Nobody paid in time.
    #[after("3s")]
    fn unpaid(&self, _: PendingPayment) -> Cancelled {
        Cancelled { reason: Reason::Unpaid }
    }

    /// Reserves the goods, looks for fraud, then ships.
    #[state]
    async fn fulfil(&self, cx: &Cx, s: Fulfilling) -> Result<Next<(Shipped, Cancelled)>> {
        self.reserve(cx, &s.order).await?;
        if self.score_fraud(cx, &s.order, &s.payment).await? > 0.9 {
            self.release(cx, &s.order).await?;
            self.refund(cx, &s.order, &s.payment).await?;
            return Ok(goto(Cancelled { reason: Reason::Fraud }));
        }
        let tracking = self.ship(cx, &s.order).await?;
        Ok(goto(Shipped { tracking }))
    }

    /// The goods could not be reserved: the money goes back.
    #[catch]
    async fn not_reserved(&self, cx: &Cx, s: Fulfilling, error: ReserveError) -> Result<Cancelled> {
        self.refund(cx, &s.order, &s.payment).await?;
        Ok(Cancelled { reason: Reason::NoStock(error) })
    }

    /// The carrier failed, and kept failing: the goods and the money go back.
    #[catch]
    async fn not_shipped(&self, cx: &Cx, s: Fulfilling, error: ShipError) -> Result<Cancelled> {
        self.release(cx, &s.order).await?;
        self.refund(cx, &s.order, &s.payment).await?;
        Ok(Cancelled { reason: Reason::NoCarrier(error) })
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s")]
    async fn reserve(&self, cx: &Cx, order: &Order) -> Result<(), ReserveError> {
        self.stock.reserve(order, &cx.idempotency_key()).await
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s")]
    async fn release(&self, cx: &Cx, order: &Order) -> Result<()> {
        Ok(self.stock.release(order, &cx.idempotency_key()).await?)
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s")]
    async fn score_fraud(&self, _: &Cx, order: &Order, payment: &Payment) -> Result<f64> {
        Ok(self.bank.score_fraud(order, payment).await?)
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s")]
    async fn refund(&self, cx: &Cx, order: &Order, payment: &Payment) -> Result<()> {
        Ok(self.bank.refund(order, payment, &cx.idempotency_key()).await?)
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s")]
    async fn ship(&self, cx: &Cx, order: &Order) -> Result<Tracking, ShipError> {
        self.carrier.ship(order, &cx.idempotency_key()).await
    }
}

#[cfg(test)]
mod tests;
