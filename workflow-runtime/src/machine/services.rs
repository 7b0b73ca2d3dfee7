//! What the turns of one driver share.

use std::sync::Arc;

use super::{Flags, Interceptor, Limits, Spawner};
use crate::base::Clock;
use crate::record::Json;

/// What a driver lends to every turn that it runs. Cloning is cheap, and a clone lends the same things.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Services {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The most bytes that a step's result may have.
    pub payload_limit: usize,
    /// The threads that it lends; without, handlers do everything on the one that polls them.
    pub spawner: Option<Arc<dyn Spawner>>,
    /// The limits of steps.
    pub limits: Limits,
    /// What says which feature flags are on; without, all are off.
    pub flags: Option<Arc<dyn Flags>>,
    /// What sees and replaces what is done, in tests.
    pub interceptor: Option<Arc<dyn Interceptor>>,
}

impl Services {
    /// The time of `clock`, and for the rest what is the default of an engine.
    #[must_use]
    pub fn new(clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            payload_limit: Json::DEFAULT_LIMIT,
            spawner: None,
            limits: Limits::default(),
            flags: None,
            interceptor: None,
        }
    }

    /// The same, with at most `bytes` for a step's result.
    #[must_use]
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.payload_limit = bytes;
        self
    }

    /// The same, seen by `interceptor`.
    #[must_use]
    pub fn interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.interceptor = Some(interceptor);
        self
    }

    /// What an interceptor says of chance in the call with this digest.
    pub(super) fn chance(&self, call: impl FnOnce() -> u128) -> Option<u64> {
        self.interceptor.as_ref().and_then(|interceptor| interceptor.chance(call()))
    }
}
