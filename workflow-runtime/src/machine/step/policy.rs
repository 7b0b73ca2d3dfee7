//! What the `#[step(…)]` of a step says.

use std::time::Duration;

use crate::kernel::RetryPolicy;

/// How a step is run: what its `#[step(…)]` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepPolicy {
    /// The function's name.
    pub name: &'static str,
    /// When it is tried again; without, its first failure is final.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// Whether an interruption of the handler cuts a running attempt off instead of letting it finish.
    pub cancel: bool,
}

#[doc(hidden)]
impl StepPolicy {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, retry: None, timeout: None, cancel: false }
    }

    #[must_use]
    pub const fn retry(mut self, max: u32, base: Duration, cap: Duration) -> Self {
        self.retry = Some(RetryPolicy { max, base, cap });
        self
    }

    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    #[must_use]
    pub const fn cancel(mut self) -> Self {
        self.cancel = true;
        self
    }
}
