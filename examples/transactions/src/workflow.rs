//! What becomes of one transfer: the whole machine.

use workflow_runtime::prelude::*;

use crate::ledger::{Entry, Ledger, Refusal, Transfer};

/// It has come in, and nothing of it is believed.
#[state]
#[derive(Debug)]
pub struct Received {
    /// What is asked for.
    pub transfer: Transfer,
}

/// It may be booked.
#[state]
#[derive(Debug)]
pub struct Validated {
    /// What is asked for.
    pub transfer: Transfer,
}

/// It will not be booked, which someone has to know.
#[state]
#[derive(Debug)]
pub struct Rejected {
    /// What was asked for.
    pub transfer: Transfer,
    /// Why it will not be.
    pub reason: String,
}

/// The money has moved.
#[state(end)]
#[derive(Debug)]
pub struct Booked {
    /// Where that is written.
    pub entry: Entry,
}

/// The money has not moved, and someone knows why.
#[state(end)]
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub reason: String,
}

/// Books one transfer between two accounts.
#[derive(Debug)]
pub struct Booking {
    /// Where the accounts are.
    pub ledger: Ledger,
}

#[workflow(start = Received)]
impl Booking {
    /// Looks for anything that speaks against it.
    #[state]
    async fn validate(&self, cx: &Cx, s: Received) -> Result<Next<(Validated, Rejected)>> {
        let objections = self.objections(cx, &s.transfer).await?;
        if objections.is_empty() {
            return Ok(goto(Validated { transfer: s.transfer }));
        }
        let reasons: Vec<String> = objections.iter().map(Refusal::to_string).collect();
        Ok(goto(Rejected { transfer: s.transfer, reason: reasons.join("; ") }))
    }

    /// Moves the money, unless another transfer was faster and took it.
    #[state]
    async fn book(&self, cx: &Cx, s: Validated) -> Result<Next<(Booked, Rejected)>> {
        match self.write_entry(cx, &s.transfer).await? {
            Ok(entry) => Ok(goto(Booked { entry })),
            Err(refusal) => Ok(goto(Rejected { transfer: s.transfer, reason: refusal.to_string() })),
        }
    }

    /// Alerts those who are to know. If the alert does not get through, the transfer is parked, and not forgotten.
    #[state]
    async fn alert(&self, cx: &Cx, s: Rejected) -> Result<Failed> {
        self.raise_alert(cx, &s.transfer.id, &s.reason).await?;
        Ok(Failed { reason: s.reason })
    }

    #[step(retry(max = 5, backoff = "50ms..2s"), timeout = "10s")]
    async fn objections(&self, _: &Cx, transfer: &Transfer) -> Result<Vec<Refusal>> {
        self.ledger.objections(transfer).await
    }

    #[step(retry(max = 5, backoff = "50ms..2s"), timeout = "10s")]
    async fn write_entry(&self, cx: &Cx, transfer: &Transfer) -> Result<Result<Entry, Refusal>> {
        self.ledger.book(transfer, cx.idempotency_key()).await
    }

    #[step(retry(max = 10, backoff = "50ms..1m"), timeout = "10s")]
    async fn raise_alert(&self, cx: &Cx, transfer_id: &str, reason: &str) -> Result<()> {
        self.ledger.alert(transfer_id, reason, cx.idempotency_key()).await
    }
}

#[cfg(test)]
mod tests;
