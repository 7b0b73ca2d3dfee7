//! What becomes of one order: the whole machine.

use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::messages::{Card, Delivery, Return};
use crate::shop::{Order, Payment, Reservation, Shop, ShopError, Terms, Tracking};

/// The customer has ordered, and is to pay.
#[state]
pub struct PendingPayment {
    pub(crate) order: Order,
}

/// The customer has given a card, which is to be charged.
#[state]
pub struct PaymentReceived {
    pub(crate) order: Order,
    pub(crate) card: String,
}

/// The money is there, and the goods are to be sent.
#[state]
pub struct Processing {
    pub(crate) order: Order,
    pub(crate) payment: Payment,
}

/// The parcel is on its way. From here on nothing is undone: there is a way back of its own.
#[state(pivot)]
pub struct Shipped {
    pub(crate) payment: Payment,
    pub(crate) goods: Reservation,
    pub(crate) tracking: Tracking,
}

/// The customer has it, and may send it back for a while.
#[state]
pub struct Delivered {
    pub(crate) payment: Payment,
    pub(crate) goods: Reservation,
}

/// The goods are back, and so is the money.
#[state(end)]
pub struct Returned {
    pub(crate) reason: String,
}

/// The customer keeps it.
#[state(end)]
pub struct Kept;

/// Nothing was sent, and nobody has paid.
#[state(end)]
pub struct Cancelled {
    pub(crate) reason: String,
}

/// Fulfils one order, and takes it back.
pub struct Fulfilment {
    /// What it needs from outside.
    pub shop: Shop,
    /// How long customers have.
    pub terms: Terms,
}

#[workflow(start = PendingPayment)]
impl Fulfilment {
    #[on]
    fn paid(&self, s: PendingPayment, Card(card): Card) -> PaymentReceived {
        PaymentReceived { order: s.order, card }
    }

    #[after(Self::time_to_pay)]
    fn unpaid(&self, _: PendingPayment) -> Cancelled {
        Cancelled { reason: "nobody paid in time".into() }
    }

    fn time_to_pay(&self, _: &PendingPayment) -> Duration {
        self.terms.pay
    }

    #[state]
    async fn take_payment(&self, cx: &Cx, s: PaymentReceived) -> Result<Processing> {
        let payment = self.charge(cx, &s.order, &s.card).await?;
        Ok(Processing { order: s.order, payment })
    }

    #[catch]
    fn declined(&self, _: PaymentReceived, error: ShopError) -> Unwind<Cancelled> {
        Unwind(Cancelled { reason: error.to_string() })
    }

    #[state]
    async fn process(&self, cx: &Cx, s: Processing) -> Result<Shipped> {
        let goods = self.reserve(cx, &s.order).await?;
        let tracking = self.ship(cx, &s.order).await?;
        Ok(Shipped { payment: s.payment, goods, tracking })
    }

    /// Whatever was reserved is released, and then the money goes back.
    #[catch]
    fn not_shipped(&self, _: Processing, error: ShopError) -> Unwind<Cancelled> {
        Unwind(Cancelled { reason: error.to_string() })
    }

    #[on]
    fn delivered(&self, s: Shipped, _: Delivery) -> Delivered {
        Delivered { payment: s.payment, goods: s.goods }
    }

    #[after("30d")]
    async fn lost(&self, cx: &Cx, s: Shipped) -> Result<Returned> {
        self.refund(cx, &s.payment).await?;
        Ok(Returned { reason: format!("parcel {} was lost", s.tracking.0) })
    }

    #[on]
    async fn returned(&self, cx: &Cx, s: Delivered, Return(reason): Return) -> Result<Returned> {
        self.release(cx, &s.goods).await?;
        self.refund(cx, &s.payment).await?;
        Ok(Returned { reason })
    }

    #[after(Self::time_to_return)]
    fn kept(&self, _: Delivered) -> Kept {
        Kept
    }

    fn time_to_return(&self, _: &Delivered) -> Duration {
        self.terms.send_back
    }

    #[step(retry(max = 5, backoff = "50ms..2s", only(Outage)), undo = refund)]
    async fn charge(&self, cx: &Cx, order: &Order, card: &str) -> Result<Payment, ShopError> {
        self.shop.charge(order, card, cx.idempotency_key()).await
    }

    #[step(retry(max = 20, backoff = "50ms..1m"))]
    async fn refund(&self, cx: &Cx, payment: &Payment) -> Result<(), ShopError> {
        self.shop.refund(payment, cx.idempotency_key()).await
    }

    #[step(retry(max = 5, backoff = "50ms..2s", only(Outage)), undo = release)]
    async fn reserve(&self, cx: &Cx, order: &Order) -> Result<Reservation, ShopError> {
        self.shop.reserve(order, cx.idempotency_key()).await
    }

    #[step(retry(max = 20, backoff = "50ms..1m"))]
    async fn release(&self, cx: &Cx, goods: &Reservation) -> Result<(), ShopError> {
        self.shop.release(goods, cx.idempotency_key()).await
    }

    #[step(retry(max = 5, backoff = "50ms..2s", only(Outage)), allow(no_undo))]
    async fn ship(&self, cx: &Cx, order: &Order) -> Result<Tracking, ShopError> {
        self.shop.ship(order, cx.idempotency_key()).await
    }
}

#[cfg(test)]
mod tests;
