//! A workflow with parameters of all kinds but lifetimes.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_runtime::prelude::*;
use workflow_tests::turns::{call, decide};

trait Bank {
    type Error: std::error::Error + Serialize + DeserializeOwned + Send + Sync + 'static;
    fn charge(&self, cents: u64) -> Result<u64, Self::Error>;
}

#[state]
struct Pending;

#[state]
struct Paid {
    cents: u64,
}

#[state(end)]
struct Done {
    cents: u64,
}

#[state(end)]
struct Failed;

struct Order<B, T: ?Sized, const CENTS: u64> {
    bank: B,
    _other: PhantomData<fn(&T)>,
}

#[workflow(start = Pending)]
impl<B, T: ?Sized, const CENTS: u64> Order<B, T, CENTS>
where
    B: Bank + Send + Sync + 'static,
    T: 'static,
    Self: Sized,
    for<'a> &'a B: Send,
{
    #[state]
    fn pending(&self, _: Pending) -> Paid {
        Paid { cents: CENTS }
    }

    #[state]
    async fn pay(&self, cx: &Cx, paid: Paid) -> Result<Done, B::Error> {
        let cents = self.charge(cx, &[paid.cents]).await?;
        Ok(Done { cents })
    }

    #[catch]
    fn failed(&self, _: Paid, _: B::Error) -> Failed {
        Failed
    }

    #[step]
    async fn charge<const N: usize>(&self, _: &Cx, cents: &[u64; N]) -> Result<u64, B::Error>
    where
        Self: Sized,
    {
        self.bank.charge(cents.iter().sum())
    }
}

struct Free;

impl Bank for Free {
    type Error = workflow_runtime::StepTimedOut;

    fn charge(&self, cents: u64) -> Result<u64, Self::Error> {
        Ok(cents)
    }
}

#[test]
fn it_runs() {
    let order: Arc<Order<Free, str, 7>> = Arc::new(Order { bank: Free, _other: PhantomData });
    assert_eq!(decide(&order, call("pending", "null", "pending", None)).1, r#"{"cents":7}"#);
    assert_eq!(decide(&order, call("paid", r#"{"cents":7}"#, "pay", None)).1, r#"{"cents":7}"#);
}
