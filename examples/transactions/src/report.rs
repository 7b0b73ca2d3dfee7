//! What became of the transfers, and whether that is right.

use std::collections::BTreeMap;

use example_support::say;
use serde::Deserialize;
use workflow_runtime::{Engine, Result};

use crate::ledger::{Account, Ledger, Transfer};
use crate::workflow::{Booking, BookingOutcome, Received};

/// The file of accounts and transfers.
#[derive(Debug, Deserialize)]
pub struct Bank {
    /// The accounts as they are opened.
    pub accounts: Vec<Account>,
    /// What is to be booked between them.
    pub transfers: Vec<Listed>,
}

/// A transfer, and what is to become of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// What is asked for.
    #[serde(flatten)]
    pub transfer: Transfer,
    /// What is to become of it: `booked` or `failed`.
    pub expect: String,
}

/// Has every transfer booked or refused, says what became of it, and whether all is right: each has the outcome that the
/// list expects, an entry or an alert, one of one kind, and no money came or went.
///
/// # Errors
/// If the engine stops, or the ledger cannot be read.
pub async fn settle(engine: &Engine, ledger: &Ledger, bank: &Bank) -> Result<bool> {
    let starts = bank.transfers.iter().map(|Listed { transfer, .. }| {
        let received = Received { transfer: transfer.clone() };
        (transfer.id.clone(), received)
    });
    let new = engine.start_all::<Booking, _>(starts).await?;
    say(format!("{} transfers, {new} of them new", bank.transfers.len()));
    let mut faults = Vec::new();
    for Listed { transfer, expect } in &bank.transfers {
        let id = &transfer.id;
        let (outcome, reason, right) = match engine.execution::<Booking>(id)?.outcome().await? {
            BookingOutcome::Booked(booked) => ("booked", format!("entry {}", booked.entry.0), (1, 0)),
            BookingOutcome::Failed(failed) => ("failed", failed.reason, (0, 1)),
        };
        say(format!("{id:<12}{:>12.2} {}  {outcome}: {reason}", euros(transfer.cents), transfer.currency));
        let traces = ledger.traces(id).await?;
        if outcome != expect || traces != right {
            faults.push(format!("{id} was to be {expect}, is {outcome}, and has {traces:?} entries and alerts"));
        }
    }
    let now = ledger.accounts().await?;
    now.iter()
        .for_each(|account| say(format!("{:<12}{:>12.2} {}", account.name, euros(account.cents), account.currency)));
    if sums(&now) != sums(&bank.accounts) {
        faults.push(format!("there was {:?} in all, and there is {:?}", sums(&bank.accounts), sums(&now)));
    }
    faults.iter().for_each(|fault| say(format!("WRONG: {fault}")));
    if faults.is_empty() {
        say("checked: no cent came or went, and every failure has its alert");
    }
    Ok(faults.is_empty())
}

fn sums(accounts: &[Account]) -> BTreeMap<&str, i64> {
    let mut sums = BTreeMap::new();
    for account in accounts {
        *sums.entry(account.currency.as_str()).or_default() += account.cents;
    }
    sums
}

#[expect(clippy::cast_precision_loss, reason = "it is only shown")]
fn euros(cents: i64) -> f64 {
    cents as f64 / 100.0
}
