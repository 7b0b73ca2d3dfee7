//! Books transfers between accounts; what must not be booked fails with an alert.
//!
//! [`workflow`] is what becomes of one transfer, [`ledger`] where the accounts are, [`report`] what is compared in the end.

pub mod ledger;
pub mod report;
pub mod workflow;
