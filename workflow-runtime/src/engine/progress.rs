//! How far the parallel work of an execution is.

use super::{EngineError, Execution};
use crate::kernel::{ParallelProgress, progress};
use crate::machine::Workflow;

impl<W: Workflow> Execution<W> {
    /// How far the parallel calls of the present visit are, as of the last commit: how many branches are done, have failed
    /// or are retrying, of how many, and which. No code of the workflow is run for it. A call inside of another comes after
    /// it; those of a state that was left are over, and no longer told of.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], or that of the store.
    pub async fn progress(&self) -> Result<Vec<ParallelProgress>, EngineError> {
        Ok(progress(&self.load().await?.journal))
    }
}
