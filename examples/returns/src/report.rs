//! What became of the orders, and whether that is right.

use std::time::Duration;

use example_support::say;
use serde::Deserialize;
use workflow_runtime::{Engine, EngineError, Result};

use crate::messages::{Card, Delivery, Return};
use crate::shop::{Order, Shop, Terms};
use crate::workflow::{Fulfilment, FulfilmentOutcome, PendingPayment};

/// The file of orders.
#[derive(Debug, Deserialize)]
pub struct Orders {
    /// How long customers have to pay.
    pub pay_within_ms: u64,
    /// How long they have to send back what they have got.
    pub return_within_ms: u64,
    /// The orders.
    pub orders: Vec<Listed>,
}

/// An order, what its customer does, and what is to become of it.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// What the customer wants.
    #[serde(flatten)]
    pub order: Order,
    /// The card that it is paid with, if it is.
    pub card: Option<String>,
    /// Why the customer sends it back, if so.
    pub sends_back: Option<String>,
    /// What is to become of it: `kept`, `returned` or `cancelled`.
    pub expect: String,
}

impl Orders {
    /// How long customers have.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            pay: Duration::from_millis(self.pay_within_ms),
            send_back: Duration::from_millis(self.return_within_ms),
        }
    }
}

/// Has every order fulfilled, says what became of it, and whether that is right.
///
/// # Errors
/// If the engine stops, or something cannot be read.
pub async fn fulfil(engine: &Engine, shop: &Shop, orders: &Orders) -> Result<bool> {
    let starts = orders.orders.iter().map(|listed| {
        let start = PendingPayment { order: listed.order.clone() };
        (listed.order.id.clone(), start)
    });
    let new = engine.start_all::<Fulfilment, _>(starts).await?;
    say(format!("{} orders, {new} of them new", orders.orders.len()));
    for listed in &orders.orders {
        match tell(engine, listed).await {
            // Told again, it is over already.
            Err(EngineError::Ended { .. }) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut faults = 0;
    for Listed { order, card, expect, .. } in &orders.orders {
        let outcome = engine.execution::<Fulfilment>(&order.id)?.outcome().await?;
        let (verdict, reason) = match &outcome {
            FulfilmentOutcome::Kept(_) => ("kept", ""),
            FulfilmentOutcome::Returned(returned) => ("returned", returned.reason.as_str()),
            FulfilmentOutcome::Cancelled(cancelled) => ("cancelled", cancelled.reason.as_str()),
        };
        let done = shop.done(&order.id).await?;
        say(format!("{:<9}{verdict:<10}{:<44}{reason}", order.id, done.join(", ")));
        // While the program does not run, time goes on: then a payment may come too late.
        let late = card.is_some() && verdict == "cancelled" && done.is_empty();
        if (verdict != expect && !late) || !is_right(&outcome, &done) {
            say(format!("WRONG: {} was to be {expect}, with what belongs to it", order.id));
            faults += 1;
        }
    }
    if faults == 0 {
        say("checked: what was not kept was taken back, and everything happened once");
    }
    Ok(faults == 0)
}

/// Sends all that the customer and the carrier have to say. What comes early waits until its state has come.
async fn tell(engine: &Engine, listed: &Listed) -> Result<(), EngineError> {
    let order = engine.execution::<Fulfilment>(&listed.order.id)?;
    if let Some(card) = &listed.card {
        order.send_once("card", Card(card.clone())).await?;
        order.send_once("delivery", Delivery).await?;
    }
    if let Some(reason) = &listed.sends_back {
        order.send_once("return", Return(reason.clone())).await?;
    }
    Ok(())
}

/// Whether this is all that must have been done, in this order.
fn is_right(outcome: &FulfilmentOutcome, done: &[String]) -> bool {
    let done: Vec<&str> = done.iter().map(String::as_str).collect();
    match outcome {
        FulfilmentOutcome::Kept(_) => done == ["charge", "reserve", "ship"],
        FulfilmentOutcome::Returned(_) => done == ["charge", "reserve", "ship", "release", "refund"],
        FulfilmentOutcome::Cancelled(_) => {
            matches!(done.as_slice(), [] | ["charge", "refund"] | ["charge", "reserve", "release", "refund"])
        }
    }
}
