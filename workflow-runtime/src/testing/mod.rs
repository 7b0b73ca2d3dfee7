//! Layer 6: testing — simulated worlds in which workflows are run and crashed, mocks of steps, random walks, what those who write a store hold it to,
//! and the lock of what executions are saved as.

// A property that does not hold, or a store that fails, ends a test by a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this code runs in tests alone"
)]
#![allow(clippy::missing_panics_doc, reason = "every property panics if it does not hold")]

mod again;
mod at_once;
pub mod conformance;
pub mod coverage;
mod crash;
mod fail;
mod faulty;
#[doc(hidden)]
pub mod fuzz;
pub mod lock;
mod mock;
mod names;
mod reads;
mod sim;
mod unit;
#[cfg(feature = "proptest")]
pub mod walk;

pub use at_once::AtOnce;
pub use coverage::Coverage;
pub use crash::{CrashReport, CrashTest, crash_everywhere, repeat_everywhere};
pub use fail::{FailEnd, FailReport, FailTest, fail_everywhere};
pub use faulty::{Fault, FaultyStore};
pub use mock::{AnyMock, FailsWith, Mock, MockCall, StepItem, when};
pub use sim::{Injection, Sim, SimCall, SimEvent, SimExecution};
pub use unit::{UnitCx, cx};
