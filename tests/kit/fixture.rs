//! A shop whose orders have a bit of everything: steps, retries, undos, branches, timers, events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;

/// The outside world: what was done to it, by idempotency key.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    done: Arc<Mutex<BTreeMap<String, String>>>,
    failures: Arc<Mutex<u32>>,
}

impl Outside {
    /// One who fails this often before anything works.
    pub fn failing(times: u32) -> Self {
        Self { failures: Arc::new(Mutex::new(times)), ..Self::default() }
    }

    /// Does something once for each key.
    pub async fn act(&self, key: String, what: &str) -> Result<String> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        {
            let mut failures = self.failures.lock().unwrap();
            if let Some(left) = failures.checked_sub(1) {
                *failures = left;
                return Err(Error::msg("nobody answers"));
            }
        }
        self.done.lock().unwrap().insert(key, what.to_owned());
        Ok(what.to_owned())
    }

    /// What was done, in the order of the alphabet.
    pub fn done(&self) -> Vec<String> {
        let mut done: Vec<_> = self.done.lock().unwrap().values().cloned().collect();
        done.sort();
        done
    }
}

#[state]
#[derive(Debug)]
pub struct Unpaid {
    pub order: u32,
}
#[state]
#[derive(Debug)]
pub struct Packing {
    pub order: u32,
}
#[state]
#[derive(Debug)]
pub struct Sending {
    pub order: u32,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Delivered {
    pub parcel: String,
    pub reminders: u32,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct GivenUp {
    pub why: String,
}
#[event]
pub struct Paid;

pub struct Shop {
    pub outside: Outside,
}

#[workflow(start = Unpaid, allow(fragile_step, no_undo))]
impl Shop {
    #[on]
    fn paid(&self, unpaid: Unpaid, _: Paid) -> Packing {
        Packing { order: unpaid.order }
    }

    #[after("3d")]
    async fn remind(&self, cx: &Cx, unpaid: Unpaid) -> Result<Stay<Unpaid>> {
        self.mail(cx, "reminder").await?;
        Ok(Stay(unpaid))
    }

    #[after("14d")]
    fn never_paid(&self, _: Unpaid) -> GivenUp {
        GivenUp { why: "not paid".into() }
    }

    #[state]
    async fn pack(&self, cx: &Cx, packing: Packing) -> Result<Next<(Sending, Unwind<GivenUp>)>> {
        self.reserve(cx, packing.order).await?;
        self.charge(cx, packing.order).await?;
        if packing.order == 13 {
            return Ok(unwind(GivenUp { why: "unlucky".into() }));
        }
        Ok(goto(Sending { order: packing.order }))
    }

    #[state]
    async fn send(&self, cx: &Cx, sending: Sending) -> Result<Delivered> {
        let parts = self.parts(cx, sending.order).await?;
        let parcel = self.parcel(cx, &parts).await?;
        self.mail(cx, "sent").await?;
        Ok(Delivered { parcel, reminders: 0 })
    }

    #[parallel]
    pub async fn parts(&self, cx: &Cx, order: u32) -> Result<String> {
        let box_ = self.fetch(cx, "box", order).await?;
        let label = self.fetch(cx, "label", order).await?;
        Ok(format!("{box_}+{label}"))
    }

    #[step(retry(max = 20, backoff = "1s..1h"), undo = release)]
    pub async fn reserve(&self, cx: &Cx, order: u32) -> Result<u32> {
        self.outside.act(cx.idempotency_key(), &format!("reserved {order}")).await?;
        Ok(order)
    }
    pub async fn release(&self, cx: &Cx, order: u32) -> Result<()> {
        self.outside.act(cx.idempotency_key(), &format!("released {order}")).await.map(|_| ())
    }

    #[step(retry(max = 20, backoff = "1s..1h"), undo = refund)]
    pub async fn charge(&self, cx: &Cx, order: u32) -> Result<u32> {
        self.outside.act(cx.idempotency_key(), &format!("charged {order}")).await?;
        Ok(order)
    }
    pub async fn refund(&self, cx: &Cx, order: u32) -> Result<()> {
        self.outside.act(cx.idempotency_key(), &format!("refunded {order}")).await.map(|_| ())
    }

    #[step(retry(max = 20, backoff = "1s..1h"))]
    async fn fetch(&self, cx: &Cx, what: &str, order: u32) -> Result<String> {
        self.outside.act(cx.idempotency_key(), &format!("{what} of {order}")).await
    }

    #[step(retry(max = 20, backoff = "1s..1h"))]
    async fn parcel(&self, cx: &Cx, parts: &str) -> Result<String> {
        self.outside.act(cx.idempotency_key(), &format!("parcel of {parts}")).await
    }

    #[step(retry(max = 20, backoff = "1s..1h"))]
    async fn mail(&self, cx: &Cx, what: &str) -> Result<()> {
        self.outside.act(cx.idempotency_key(), &format!("mail: {what}")).await.map(|_| ())
    }
}
