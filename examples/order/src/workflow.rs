//! What becomes of one order: the whole machine.

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;

use crate::services::{Bank, Carrier, Order, Receipt, Reservation, ReserveError, ShipError, Stock, Tracking};

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

    /// Takes the money and reserves the goods, looks for fraud, then ships.
    #[state]
    async fn fulfil(&self, cx: &Cx, s: Fulfilling) -> Result<Next<(Shipped, Unwind<Cancelled>)>> {
        self.collect(cx, &s.order, &s.payment).await?;
        self.reserve(cx, &s.order).await?;
        if self.score_fraud(cx, &s.order, &s.payment).await? > 0.9 {
            return Ok(unwind(Cancelled { reason: Reason::Fraud }));
        }
        let tracking = self.ship(cx, &s.order).await?;
        Ok(goto(Shipped { tracking }))
    }

    /// The goods could not be reserved: the money goes back.
    #[catch]
    fn not_reserved(&self, _: Fulfilling, error: ReserveError) -> Unwind<Cancelled> {
        Unwind(Cancelled { reason: Reason::NoStock(error) })
    }

    /// The carrier failed, and kept failing: the goods and the money go back.
    #[catch]
    fn not_shipped(&self, _: Fulfilling, error: ShipError) -> Unwind<Cancelled> {
        Unwind(Cancelled { reason: Reason::NoCarrier(error) })
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s", undo = refund)]
    async fn collect(&self, cx: &Cx, order: &Order, payment: &Payment) -> Result<Receipt> {
        Ok(self.bank.collect(order, payment, &cx.idempotency_key()).await?)
    }

    async fn refund(&self, cx: &Cx, receipt: Receipt) -> Result<()> {
        Ok(self.bank.refund(&receipt, &cx.idempotency_key()).await?)
    }

    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s", undo = release)]
    async fn reserve(&self, cx: &Cx, order: &Order) -> Result<Reservation, ReserveError> {
        self.stock.reserve(order, &cx.idempotency_key()).await
    }

    async fn release(&self, cx: &Cx, reservation: Reservation) -> Result<()> {
        Ok(self.stock.release(&reservation, &cx.idempotency_key()).await?)
    }

    /// It only asks, so there is nothing to undo.
    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s", allow(no_undo))]
    async fn score_fraud(&self, _: &Cx, order: &Order, payment: &Payment) -> Result<f64> {
        Ok(self.bank.score_fraud(order, payment).await?)
    }

    /// The last step: where the carrier has the parcel, the order is shipped.
    #[step(retry(max = 4, backoff = "100ms..1s"), timeout = "5s", allow(no_undo))]
    async fn ship(&self, cx: &Cx, order: &Order) -> Result<Tracking, ShipError> {
        self.carrier.ship(order, &cx.idempotency_key()).await
    }
}

#[cfg(test)]
mod tests;
