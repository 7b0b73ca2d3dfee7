//! Takes orders from payment to parcel, driven by events, over any number of crashes.
//!
//! [`workflow`] is what becomes of one order, and [`services`] what it needs from outside. [`client`] is the shop that places
//! orders and passes payments on. The rest makes a program of it: [`orders`] reads the file of orders, [`backoffice`] stands
//! for the world outside, and [`report`] compares in the end.

pub mod args;
pub mod backoffice;
pub mod client;
pub mod orders;
pub mod report;
pub mod run;
pub mod services;
pub mod workflow;
