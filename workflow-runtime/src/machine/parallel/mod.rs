//! Parallel work in a handler: branches that run at once, each with a place of its own in the journal.
//!
//! A [`ParallelCall`] takes its place when the function is called, as a step does, and gives each branch a context whose
//! calls are found by the branch's key. So branches may run in any order, on any thread, and after a crash each goes on
//! where it was. Branches of unlike kinds are the nodes of a [`Flow`], which is polled within the handler. Branches of one
//! kind, one for each item of a list, are kept on a [`board`]: no more than a limit at once, and where the driver has
//! threads, each as a [`task`] of its own. What the branches have to come to is the kernel's
//! [`Join`](crate::kernel::Join).

mod board;
mod branches;
mod call;
mod each;
mod error;
mod flow;
mod probes;
mod slots;
mod task;

pub use board::{Owned, Work};
pub use branches::Branches;
pub use call::{Judge, ParallelCall, ParallelPolicy};
pub use each::Gathered;
pub use error::{JoinMissed, ParallelTimedOut};
pub use flow::{Early, Flow, Flowed};
pub use probes::{
    BranchErrorProbe, BranchValueProbe, FailureProbe, NoBranchError, NoBranchValue, NoFailure, NoShare, ShareProbe,
};
pub use slots::{Lent, Moved};
