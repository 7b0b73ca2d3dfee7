//! Takes readings of sensors through a pipeline under a burst of ten times the load, with bounded queues and no loss.
//!
//! [`workflow`] is what becomes of one reading. [`source`] sends them, [`intake`] has them started, [`plant`] knows the sensors
//! and keeps what is stored, and [`run`] is one run with its check.

pub mod intake;
pub mod plant;
pub mod run;
pub mod source;
pub mod workflow;
