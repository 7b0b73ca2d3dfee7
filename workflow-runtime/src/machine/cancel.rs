//! The built-in event: what a person says who cancels an execution.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::record::{ControlAction, Json, JsonError};

/// Somebody [cancels](crate::Execution::cancel) the execution. A state that is left in its own way then has an edge for it,
/// `#[on] fn name(&self, state: S, cancel: Cancel) -> Target`, as for any event; it is taken before any other, also
/// when the execution is parked, and also in the middle of another edge's handler.
///
/// Where a state has no such edge, what the execution did is undone, and it is closed as cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Event for Cancel {
    const NAME: &'static str = ControlAction::Cancel.event_name();
    const WAS: &'static [&'static str] = &[];
    const DOC: &'static str = "Somebody cancels the execution.";

    fn encode(&self) -> Result<Json, JsonError> {
        Json::encode(self)
    }

    fn decode(json: &Json) -> Result<Self, JsonError> {
        json.decode()
    }
}
