//! What the `#[step(…)]` of a step says.

use std::ops::Deref;
use std::time::Duration;

use crate::kernel::{AtOnce, BreakerPolicy, Jitter, Rate, RetryPolicy, StepLimits};

/// How a step is run: what its `#[step(…)]` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepPolicy {
    /// The function's name.
    pub name: &'static str,
    /// Names that it had before, under which results may be recorded.
    pub was: &'static [&'static str],
    /// When it is tried again; without, its first failure is final.
    pub retry: Option<RetryPolicy>,
    /// The variants of its error after which it is tried again; empty for all.
    pub only: &'static [&'static str],
    /// The variants of its error that are final.
    pub never: &'static [&'static str],
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long one attempt may go without [a sign of life](crate::Cx::heartbeat).
    pub heartbeat: Option<Duration>,
    /// What all executions of an engine share.
    pub limits: StepLimits,
    /// Whether it blocks its thread, and so has one of its own.
    pub blocking: bool,
    /// Whether an interruption of the handler cuts a running attempt off instead of letting it finish.
    pub cancel: bool,
}

/// How a call is run: as its step is declared, or as the call itself says.
#[derive(Debug)]
pub(super) enum Policy {
    Declared(&'static StepPolicy),
    Own(Box<StepPolicy>),
}

impl Deref for Policy {
    type Target = StepPolicy;

    fn deref(&self) -> &StepPolicy {
        match self {
            Self::Declared(policy) => policy,
            Self::Own(policy) => policy,
        }
    }
}

impl Policy {
    /// Changes the call's own.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut StepPolicy)) {
        let mut policy = **self;
        change(&mut policy);
        *self = Self::Own(Box::new(policy));
    }
}

impl StepPolicy {
    /// Whether it says after which errors it is tried again.
    pub(super) const fn names_variants(&self) -> bool {
        !self.only.is_empty() || !self.never.is_empty()
    }
}

#[doc(hidden)]
impl StepPolicy {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            was: &[],
            retry: None,
            only: &[],
            never: &[],
            timeout: None,
            heartbeat: None,
            limits: StepLimits::none(),
            blocking: false,
            cancel: false,
        }
    }

    #[must_use]
    pub const fn was(mut self, names: &'static [&'static str]) -> Self {
        self.was = names;
        self
    }

    #[must_use]
    pub const fn retry(mut self, max: u32, base: Duration, cap: Duration) -> Self {
        self.retry = Some(RetryPolicy::new(max).backoff(base, cap));
        self
    }

    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        if let Some(retry) = self.retry {
            self.retry = Some(retry.jitter(jitter));
        }
        self
    }

    #[must_use]
    pub const fn only(mut self, variants: &'static [&'static str]) -> Self {
        self.only = variants;
        self
    }

    #[must_use]
    pub const fn never(mut self, variants: &'static [&'static str]) -> Self {
        self.never = variants;
        self
    }

    #[must_use]
    pub const fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limits.limit = Some(AtOnce::Fixed(limit));
        self
    }

    #[must_use]
    pub const fn adaptive(mut self, min: u32, max: u32) -> Self {
        self.limits.limit = Some(AtOnce::Adaptive { min, max });
        self
    }

    #[must_use]
    pub const fn rate(mut self, count: u32, per: Duration) -> Self {
        self.limits.rate = Some(Rate::new(count, per));
        self
    }

    #[must_use]
    pub const fn breaker(mut self, failures: u32, within: Duration, open: Duration, probes: u32) -> Self {
        self.limits.breaker = Some(BreakerPolicy::new(failures).within(within).open(open).probes(probes));
        self
    }

    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    #[must_use]
    pub const fn cancel(mut self) -> Self {
        self.cancel = true;
        self
    }
}
