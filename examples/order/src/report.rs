//! What became of the orders, and whether that is right.

use workflow_runtime::store::HistoryRow;
use workflow_runtime::{EngineError, HistoryKind, Result};

use crate::backoffice::{Backoffice, Effects};
use crate::client::{Receipt, Shop};
use crate::orders::{Listed, Verdict};
use crate::workflow::FulfilmentOutcome;

/// What became of one order.
#[derive(Debug)]
pub struct Line {
    /// The line of the table.
    pub text: String,
    /// What must not be.
    pub faults: Vec<String>,
}

/// The heading of the table.
#[must_use]
pub fn heading() -> String {
    format!("{:<12}{:<24}{:<24}{:<12}calls of stock, bank, carrier", "order", "outcome", "expected", "parcel")
}

/// Waits for the end of an order, and compares what became of it with what was expected and with what the services
/// remember.
///
/// # Errors
/// If the engine stops, or something cannot be read.
pub async fn line(shop: &Shop, services: &Backoffice, listed: &Listed, receipt: Option<Receipt>) -> Result<Line> {
    let id = &listed.order.id;
    let order = shop.order(id)?;
    let outcome = match order.outcome().await {
        Ok(outcome) => outcome,
        Err(error @ EngineError::Parked { .. }) => {
            return Ok(Line { text: format!("{id:<12}parked"), faults: vec![error.to_string()] });
        }
        Err(error) => return Err(error.into()),
    };
    let late = is_late(listed, &outcome, receipt, &order.history(0, 100).await?);
    let expected = if late { Verdict::Unpaid } else { listed.expect };
    let effects = services.effects(id)?;
    let calls = ["stock", "bank", "carrier"].map(|service| services.calls(service, id));
    let [stock, bank, carrier] = calls;
    let text = format!(
        "{id:<12}{:<24}{:<24}{:<12}{} {} {}{}",
        Verdict::of(&outcome),
        listed.expect,
        parcel(&outcome),
        stock?,
        bank?,
        carrier?,
        if late { "  paid too late" } else { "" },
    );
    Ok(Line { text, faults: faults(id, expected, Verdict::of(&outcome), effects) })
}

/// Whether the payment came when the order had been given up: while the program does not run, time goes on.
fn is_late(listed: &Listed, outcome: &FulfilmentOutcome, receipt: Option<Receipt>, history: &[HistoryRow]) -> bool {
    let left = history.iter().any(|row| matches!(row.record.kind, HistoryKind::EventLeft { .. }));
    let refused = receipt == Some(Receipt::OrderEnded);
    listed.payment.is_some() && Verdict::of(outcome) == Verdict::Unpaid && (refused || left)
}

fn faults(id: &str, expected: Verdict, verdict: Verdict, effects: Effects) -> Vec<String> {
    let mut faults = Vec::new();
    if verdict != expected {
        faults.push(format!("{id} was to be `{expected}`, and is `{verdict}`"));
    }
    let right = right_effects(verdict);
    if effects != right {
        faults.push(format!("{id} is `{verdict}`, which takes {right:?}, and the services have seen {effects:?}"));
    }
    faults
}

/// What the services must have seen: everything once.
fn right_effects(verdict: Verdict) -> Effects {
    match verdict {
        Verdict::Shipped => Effects { collections: 1, reservations: 1, parcels: 1, ..Effects::default() },
        Verdict::Unpaid => Effects::default(),
        Verdict::Fraud | Verdict::NoCarrier => {
            Effects { collections: 1, reservations: 1, releases: 1, refunds: 1, parcels: 0 }
        }
        Verdict::NoStock => Effects { collections: 1, refunds: 1, ..Effects::default() },
    }
}

fn parcel(outcome: &FulfilmentOutcome) -> &str {
    match outcome {
        FulfilmentOutcome::Shipped(shipped) => &shipped.tracking.0,
        FulfilmentOutcome::Cancelled(_) => "–",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_parcel_is_a_fault() {
        let effects = Effects { parcels: 2, ..right_effects(Verdict::Shipped) };
        assert_eq!(faults("order-1", Verdict::Shipped, Verdict::Shipped, effects).len(), 1);
        assert!(faults("order-1", Verdict::Shipped, Verdict::Shipped, right_effects(Verdict::Shipped)).is_empty());
    }

    #[test]
    fn another_outcome_is_a_fault() {
        let effects = right_effects(Verdict::Unpaid);
        assert_eq!(
            faults("order-1", Verdict::Shipped, Verdict::Unpaid, effects),
            ["order-1 was to be `shipped`, and is `cancelled: unpaid`"]
        );
    }
}
