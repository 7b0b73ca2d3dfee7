//! A workflow in the public interface of a library: what is generated passes the lints that libraries deny.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic
)]
#![allow(clippy::must_use_candidate, clippy::missing_errors_doc, reason = "of the user's own functions")]

/// The states.
pub mod states {
    use workflow_runtime::prelude::*;

    /// Waits.
    #[state]
    #[derive(Debug)]
    pub struct Pending {
        /// Which one.
        pub number: u32,
    }

    /// Ends.
    #[state(end)]
    #[derive(Debug)]
    pub enum Done {
        /// Well.
        Paid,
        /// Badly.
        Late {
            /// By how much.
            days: u32,
        },
    }

    /// Money came.
    #[event]
    #[derive(Debug)]
    pub struct Payment;
}

use states::{Done, Payment, Pending};
use workflow_runtime::prelude::*;

/// Copies a number.
#[workflow]
pub async fn copy_over(
    _: &Cx,
    /// What is added.
    #[dep]
    added: &u32,
    number: u32,
) -> Result<u32> {
    Ok(number + added)
}

/// An order.
#[derive(Debug)]
pub struct Order;

#[workflow(start = Pending)]
impl Order {
    /// The customer paid.
    #[on]
    pub fn paid(&self, _: Pending, _: Payment) -> Done {
        Done::Paid
    }

    /// Nobody paid.
    #[after("1d")]
    pub async fn late(&self, cx: &Cx, _: Pending) -> Result<Done> {
        let days = self.days(cx).await?;
        Ok(Done::Late { days })
    }

    /// Counts.
    ///
    /// # Errors
    /// Never.
    #[step(allow(fragile_step))]
    pub async fn days(&self, _: &Cx) -> Result<u32> {
        Ok(1)
    }
}

#[test]
fn data_may_be_an_enum() {
    let json = serde_json::to_string(&OrderOutcome::Done(Done::Late { days: 2 })).unwrap();
    assert_eq!(json, r#"{"done":{"Late":{"days":2}}}"#);
}
