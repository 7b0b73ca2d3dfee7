//! The limits of steps, read and changed while the engine runs.

use super::{Engine, EngineError};
use crate::kernel::{AtOnce, BreakerPolicy, Rate, StepLimits};
use crate::machine::{LimitState, UnknownStep, Workflow};

/// One limit of a step, to be [set](Engine::set_limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// At most so many attempts at once, at least 1.
    AtOnce(u32),
    /// As many attempts at once as the service can do without getting slower, between these two.
    Adaptive {
        /// At least; from 1.
        min: u32,
        /// At most.
        max: u32,
    },
    /// Any number of attempts at once.
    Unlimited,
    /// At most so many attempts in a time.
    Rate(Rate),
    /// Any number of attempts in a time.
    NoRate,
    /// Attempts are held back when too many of them fail.
    Breaker(BreakerPolicy),
    /// Attempts are not held back when they fail.
    NoBreaker,
}

impl Limit {
    fn apply(self, limits: &mut StepLimits) {
        match self {
            Self::AtOnce(limit) => limits.limit = Some(AtOnce::Fixed(limit)),
            Self::Adaptive { min, max } => limits.limit = Some(AtOnce::Adaptive { min, max }),
            Self::Unlimited => limits.limit = None,
            Self::Rate(rate) => limits.rate = Some(rate),
            Self::NoRate => limits.rate = None,
            Self::Breaker(breaker) => limits.breaker = Some(breaker),
            Self::NoBreaker => limits.breaker = None,
        }
    }
}

impl Engine {
    /// What the limits of every step that has any come to at present: how many attempts are under way, how many calls
    /// wait, what its breaker does and since when.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitState> {
        self.core.services.limits.states(self.core.now())
    }

    /// The limits that a step of `W` has at present.
    ///
    /// # Errors
    /// [`EngineError::UnknownWorkflow`] or [`EngineError::UnknownStep`].
    pub fn limit<W: Workflow>(&self, step: &str) -> Result<StepLimits, EngineError> {
        self.core.machine(W::NAME)?;
        self.core.services.limits.get(W::NAME, step).map_err(|unknown| unknown_step::<W>(step, unknown))
    }

    /// Changes one limit of a step of `W`, for all executions, at once: attempts that are under way go on, and whoever waits
    /// is let through as the new limit allows. What comes back is all its limits. A restart brings back those that are
    /// declared.
    ///
    /// A step that is a function of its own is known by the workflow that calls it, from its first call.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::{BreakerPolicy, Engine, Limit, Rate};
    /// # #[state] struct Packed;
    /// # #[state(end)] struct Shipped;
    /// # struct Parcel;
    /// # #[workflow(start = Packed)]
    /// # impl Parcel {
    /// #     #[state]
    /// #     async fn packed(&self, cx: &Cx, _: Packed) -> Result<Shipped> { self.ship(cx).await?; Ok(Shipped) }
    /// #     #[step(retry(max = 3))]
    /// #     async fn ship(&self, _: &Cx) -> Result<()> { Ok(()) }
    /// # }
    /// # async fn example(engine: Engine) -> Result<()> {
    /// engine.set_limit::<Parcel>("ship", Limit::AtOnce(4))?;
    /// engine.set_limit::<Parcel>("ship", Limit::Rate(Rate::per_second(20)))?;
    /// engine.set_limit::<Parcel>("ship", Limit::Breaker(BreakerPolicy::new(5)))?;
    /// engine.set_limit::<Parcel>("ship", Limit::Unlimited)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::UnknownWorkflow`], [`EngineError::UnknownStep`] or [`EngineError::InvalidLimit`]; then nothing is
    /// changed.
    pub fn set_limit<W: Workflow>(&self, step: &str, limit: Limit) -> Result<StepLimits, EngineError> {
        self.core.machine(W::NAME)?;
        let changed = self.core.services.limits.change(W::NAME, step, |limits| limit.apply(limits), self.core.now());
        changed.map_err(|unknown| unknown_step::<W>(step, unknown))?.map_err(|reason| EngineError::InvalidLimit {
            workflow: W::NAME.to_owned(),
            step: step.to_owned(),
            reason,
        })
    }
}

fn unknown_step<W: Workflow>(step: &str, unknown: UnknownStep) -> EngineError {
    EngineError::UnknownStep { workflow: W::NAME.to_owned(), step: step.to_owned(), known: unknown.known }
}
