//! Steps: effects whose results are recorded.
//!
//! A [`StepCall`] takes its place in the journal when the step is called. Polled, it gives back what is recorded there, or
//! makes [attempts](attempt) as the [policy](policy) has it, until there is a result to record.

mod attempt;
mod call;
mod error;
mod policy;

pub use call::StepCall;
pub use error::{StepError, StepPanicked, StepTimedOut};
pub use policy::StepPolicy;
