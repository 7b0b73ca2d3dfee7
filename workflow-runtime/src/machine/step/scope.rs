//! What a step's own context knows: which attempt of which call it is.

use super::heartbeat::Heartbeat;
use crate::base::Name;

/// One attempt of a call.
#[derive(Debug)]
pub(in crate::machine) struct StepScope {
    pub(in crate::machine) key: Name,
    pub(in crate::machine) attempt: u32,
    pub(super) heartbeat: Heartbeat,
}
