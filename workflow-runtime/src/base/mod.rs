//! Layer 0: what everything else is made of — ids, errors, time. Nothing here knows what a workflow is.

mod clock;
mod context;
mod duration;
mod error;
mod hash;
mod id;
mod name;
mod spelling;
pub(crate) mod sync;
mod timestamp;

pub use clock::{Clock, ManualClock, Sleep};
pub use context::Context;
pub(crate) use duration::HumanDuration;
pub use error::{Error, Result};
pub(crate) use hash::Quick;
pub use id::{ExecutionId, InvalidId};
pub use name::Name;
pub(crate) use spelling::distance;
pub use timestamp::Timestamp;
