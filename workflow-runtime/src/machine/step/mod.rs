//! Steps: effects whose results are recorded.
//!
//! A [`StepCall`] takes its place in the journal when the step is called. Polled, it gives back what is recorded there, or
//! makes [attempts](attempt) as the [policy](policy) has it, until there is a result to record.

mod admission;
mod attempt;
mod call;
mod error;
mod heartbeat;
mod policy;
mod scope;

pub use call::StepCall;
pub use error::{StepError, StepHeartbeatMissed, StepPanicked, StepTimedOut};
pub use policy::StepPolicy;
pub(super) use scope::StepScope;
