//! What a walk consists of, as people read and write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::HumanDuration;
use crate::engine::Interval;
use crate::record::Json;

/// One thing that a walk does. Its `Display` is the text that [`Walk::only`](super::Walk::only) reads: `send paid null`, `wait 3d`,
/// `crash`, `cancel`, `fail book_parcel`.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// Sends an event.
    Event {
        /// The event's persisted name.
        event: String,
        /// The event, as it is persisted.
        payload: Json,
    },
    /// Lets time pass.
    Wait(Duration),
    /// Has the next attempt of a step fail.
    Fail(String),
    /// Has the process die, and another one start.
    Crash,
    /// Cancels the execution.
    Cancel,
}

impl fmt::Display for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { event, payload } => write!(formatter, "send {event} {}", payload.text()),
            Self::Wait(duration) => write!(formatter, "wait {}", HumanDuration(*duration)),
            Self::Fail(step) => write!(formatter, "fail {step}"),
            Self::Crash => formatter.write_str("crash"),
            Self::Cancel => formatter.write_str("cancel"),
        }
    }
}

/// As it is displayed: proptest prints lists of acts by it.
impl fmt::Debug for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("crash", "") => Ok(Self::Crash),
            ("cancel", "") => Ok(Self::Cancel),
            ("wait", length) if !length.is_empty() => {
                let length = Interval::from(length).duration();
                length
                    .map(Self::Wait)
                    .map_err(|text| format!("{text:?} is no length of time: write `wait 3d` or `wait 1h 30m`"))
            }
            ("fail", step) if !step.is_empty() => Ok(Self::Fail(step.to_owned())),
            ("send", event) if !event.is_empty() => {
                let (event, payload) = event.split_once(' ').unwrap_or((event, "null"));
                let value: serde_json::Value = serde_json::from_str(payload)
                    .map_err(|error| format!("what `{event}` is sent with is no JSON: {error}: {payload}"))?;
                let payload = Json::encode(&value).map_err(|error| error.to_string())?;
                Ok(Self::Event { event: event.to_owned(), payload })
            }
            _ => Err(format!(
                "{text:?} is nothing that a walk does: write `send <event> <json>`, `wait 3d`, `fail <step>`, `crash` or `cancel`"
            )),
        }
    }
}

/// A walk in text: an act a line.
pub(super) fn read(text: &str) -> Result<Vec<Act>, String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(str::parse).collect()
}

/// A walk as it is written: an act a line.
pub(super) fn written(acts: &[Act]) -> String {
    acts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_is_read_as_it_is_written() {
        let text = "send paid {\"amount\":5}\nwait 3d\nwait 1h30m\nfail book_parcel\ncrash\ncancel\nsend look null";
        assert_eq!(written(&read(text).unwrap()), text);
        assert_eq!(read("\n  wait   3d \n\n  send look\n").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_act_is_refused_with_what_there_is() {
        for (text, expected) in [
            ("dance", "write `send <event> <json>`"),
            ("wait", "write `send <event> <json>`"),
            ("wait soon", "is no length of time"),
            ("send paid {", "is no JSON"),
            ("crash now", "write `send <event> <json>`"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
