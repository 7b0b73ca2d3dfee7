//! The workflows that are measured.

use workflow_runtime::prelude::*;

/// Where [`TenSteps`] begins.
#[state]
pub(crate) struct Adding {
    pub(crate) first: u64,
}

/// Where it ends.
#[state(end)]
pub(crate) struct Added {
    pub(crate) sum: u64,
}

/// Ten durable steps in sequence that cost nothing themselves.
pub(crate) struct TenSteps;

#[workflow(start = Adding, allow(small_machine, fragile_step))]
impl TenSteps {
    #[state]
    async fn adding(&self, cx: &Cx, state: Adding) -> Result<Added> {
        let mut sum = state.first;
        for number in 0..10 {
            sum = self.add(cx, sum, number).await?;
        }
        Ok(Added { sum })
    }

    #[step]
    async fn add(&self, _: &Cx, sum: u64, number: u64) -> Result<u64> {
        Ok(sum + number)
    }
}
