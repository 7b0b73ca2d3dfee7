//! The shop's side: what is sent to the fulfilments.

use workflow_runtime::{Engine, EngineError, Execution};

use crate::backoffice::Backoffice;
use crate::services::Order;
use crate::workflow::{Fulfilment, Payment, PendingPayment};

/// The workflow with the services that this shop has.
pub type ShopFulfilment = Fulfilment<Backoffice, Backoffice, Backoffice>;

/// Places orders and passes payments on.
#[derive(Debug)]
pub struct Shop {
    engine: Engine,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is on disk, and the order will see it, or has seen it.
    Accepted,
    /// The order had come to its end before.
    OrderEnded,
}

impl Shop {
    /// A shop whose orders are fulfilled by `engine`.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Places the orders, and says how many of them are new.
    ///
    /// # Errors
    /// That of the engine.
    pub async fn place(&self, orders: impl IntoIterator<Item = Order>) -> Result<usize, EngineError> {
        let starts = orders.into_iter().map(|order| (order.id.clone(), PendingPayment { order }));
        self.engine.start_all::<ShopFulfilment, _>(starts).await
    }

    /// Passes a payment on. The bank may tell of one payment several times: its reference makes it one.
    ///
    /// # Errors
    /// That of the engine.
    pub async fn pay(&self, order_id: &str, payment: Payment) -> Result<Receipt, EngineError> {
        let reference = payment.reference.clone();
        match self.order(order_id)?.send_once(reference, payment).await {
            Ok(()) => Ok(Receipt::Accepted),
            Err(EngineError::Ended { .. }) => Ok(Receipt::OrderEnded),
            Err(error) => Err(error),
        }
    }

    /// The fulfilment of an order.
    ///
    /// # Errors
    /// That of the engine.
    pub fn order(&self, order_id: &str) -> Result<Execution<ShopFulfilment>, EngineError> {
        self.engine.execution(order_id)
    }
}
