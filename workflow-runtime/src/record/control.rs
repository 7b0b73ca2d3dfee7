//! Control: what a person has done to a running execution, by an event with a name that no event of a workflow can have.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Json, NewEvent};

/// What is done to an execution from outside of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ControlAction {
    /// End it: by its edge for that, or by undoing what it has done.
    Cancel,
    /// Stop it for a person.
    Park,
    /// Have it try again what it was parked for.
    Retry,
    /// Give a failed step its result, and go on.
    Skip,
    /// Take it to another state.
    Move,
    /// End it where it is, and undo nothing.
    Terminate,
}

impl ControlAction {
    /// Every action.
    pub const ALL: [Self; 6] = [Self::Cancel, Self::Park, Self::Retry, Self::Skip, Self::Move, Self::Terminate];

    /// The persisted name of the event that asks for it. It is no identifier, so no event of a workflow is called that.
    #[must_use]
    pub const fn event_name(self) -> &'static str {
        match self {
            Self::Cancel => "~cancel",
            Self::Park => "~park",
            Self::Retry => "~retry",
            Self::Skip => "~skip",
            Self::Move => "~move",
            Self::Terminate => "~terminate",
        }
    }

    /// What an event of this persisted name asks for; `None` if it is an event of a workflow.
    #[must_use]
    pub fn of_event(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.event_name() == name)
    }
}

impl fmt::Display for ControlAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.event_name().trim_start_matches('~'))
    }
}

impl NewEvent {
    /// What it asks for, if it is a control event and not one of a workflow.
    #[must_use]
    pub fn control(&self) -> Option<ControlAction> {
        ControlAction::of_event(&self.name)
    }
}

/// Why something was done by hand, and who did it: what the history keeps of it.
///
/// A text is one, where nobody is to be named: `job.cancel("the customer asked").await?`.
///
/// ```
/// use workflow_runtime::record::Reason;
///
/// let reason = Reason::new("the carrier lost the parcel").by("alice");
/// assert_eq!(reason.to_string(), "the carrier lost the parcel (alice)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// Why.
    #[serde(rename = "reason", default)]
    pub text: String,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The asker's name for this request, by which a repetition is recognised.
    #[serde(skip)]
    pub once: Option<String>,
}

impl Reason {
    /// A reason with nobody's name to it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Says who asks for it.
    #[must_use]
    pub fn by(mut self, who: impl Into<String>) -> Self {
        self.by = Some(who.into());
        self
    }

    /// Gives the request a name, such as that of an incident: an execution that was asked for the same by the same name
    /// before takes it for a repetition, and nothing changes. So a request to many can be made again after a crash.
    #[must_use]
    pub fn once(mut self, name: impl Into<String>) -> Self {
        self.once = Some(name.into());
        self
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.text.is_empty() { "no reason given" } else { &self.text };
        match &self.by {
            Some(by) => write!(formatter, "{text} ({by})"),
            None => formatter.write_str(text),
        }
    }
}

/// The payload of the event that skips a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkipOrder {
    /// Why.
    pub reason: Reason,
    /// The key of the step's call in the journal.
    pub key: String,
    /// What the call is to return.
    pub result: Json,
}

/// The payload of the event that moves an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveOrder {
    /// Why.
    pub reason: Reason,
    /// The persisted name of the state to enter.
    pub state: String,
    /// The data to enter it with.
    pub data: Json,
}
