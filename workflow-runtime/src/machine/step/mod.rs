//! Steps: effects whose results are recorded.
//!
//! A [`StepCall`] takes its place in the journal when the step is called. Polled, it gives back what is recorded there, or
//! makes [attempts](attempt) as the [policy](policy) has it, until there is a result to record.

mod ad_hoc;
mod admission;
mod attempt;
mod blocking;
mod call;
mod error;
mod heartbeat;
mod intercepted;
mod policy;
mod scope;

pub use ad_hoc::AdHocStep;
pub use blocking::{blocking, blocking_free};
pub use call::StepCall;
pub use error::{StepError, StepHeartbeatMissed, StepPanicked, StepTimedOut};
pub(super) use heartbeat::is_details;
#[cfg(feature = "proptest")]
pub(crate) use intercepted::NOT_ITS_ERROR;
pub use policy::StepPolicy;
pub(super) use scope::StepScope;
