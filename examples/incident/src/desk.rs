//! What people do: a line a command, on the command line or in a file.

use std::time::Duration;

use example_support::say;
use tokio::time::sleep;
use workflow_runtime::{Accepts, Clock as _, Engine, EngineError, Error, Result, SystemClock};

use crate::messages::{Acknowledge, Decide, Dismiss, Propose};
use crate::waiting::waiting;
use crate::workflow::{Paging, Response};

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `report ID TEXT…`
    Report(String, String),
    /// `acknowledge ID PERSON`
    Acknowledge(String, String),
    /// `propose ID PERSON FIX…`
    Propose(String, String, String),
    /// `approve ID PERSON`, `reject ID PERSON`
    Decide(String, String, bool),
    /// `dismiss ID PERSON`
    Dismiss(String, String),
    /// `waiting`
    Waiting,
    /// `wait 300ms`
    Wait(Duration),
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    /// If it is no command.
    pub fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let text = |words: &[&str]| words.join(" ");
        match words.as_slice() {
            ["report", id, what @ ..] if !what.is_empty() => Ok(Self::Report(text(&[id]), text(what))),
            ["acknowledge", id, person] => Ok(Self::Acknowledge(text(&[id]), text(&[person]))),
            ["propose", id, person, fix @ ..] if !fix.is_empty() => {
                Ok(Self::Propose(text(&[id]), text(&[person]), text(fix)))
            }
            ["approve", id, person] => Ok(Self::Decide(text(&[id]), text(&[person]), true)),
            ["reject", id, person] => Ok(Self::Decide(text(&[id]), text(&[person]), false)),
            ["dismiss", id, person] => Ok(Self::Dismiss(text(&[id]), text(&[person]))),
            ["waiting"] => Ok(Self::Waiting),
            ["wait", time] if let Some(millis) = time.strip_suffix("ms") => {
                Ok(Self::Wait(Duration::from_millis(millis.parse()?)))
            }
            _ => Err(Error::msg(format!("`{line}` is nothing that can be done"))),
        }
    }

    /// Does it. `name` is the sender's name for the message, if it may be sent again.
    ///
    /// # Errors
    /// If the engine stops, or there is no such incident.
    pub async fn carry_out(self, engine: &Engine, name: Option<&str>) -> Result<()> {
        let done = match self {
            Self::Report(id, text) => engine.start::<Response>(id, Paging { text, level: 0 }).await.map(|_| ()),
            Self::Acknowledge(id, person) => send(engine, id, name, Acknowledge { person }).await,
            Self::Propose(id, person, fix) => send(engine, id, name, Propose { person, fix }).await,
            Self::Decide(id, person, approved) => send(engine, id, name, Decide { person, approved }).await,
            Self::Dismiss(id, person) => send(engine, id, name, Dismiss { person }).await,
            Self::Waiting => {
                let now = SystemClock.now();
                waiting(engine).await?.iter().for_each(|waiting| say(waiting.line(now)));
                Ok(())
            }
            Self::Wait(duration) => {
                sleep(duration).await;
                Ok(())
            }
        };
        match done {
            Err(EngineError::Ended { key }) => say(format!("  {} is over already", key.id)),
            done => done?,
        }
        Ok(())
    }
}

async fn send<E>(engine: &Engine, id: String, name: Option<&str>, event: E) -> Result<(), EngineError>
where
    Response: Accepts<E>,
{
    let incident = engine.execution::<Response>(id)?;
    match name {
        Some(name) => incident.send_once(name, event).await,
        None => incident.send(event).await,
    }
}

/// Waits until nothing goes on that does not wait for somebody.
pub async fn settle(engine: &Engine) {
    let mut quiet = 0;
    while quiet < 5 {
        sleep(Duration::from_millis(20)).await;
        quiet = if engine.active() == 0 { quiet + 1 } else { 0 };
    }
}

/// Carries out the lines of a file, each once, however often it is called: those of an incident that has gone on change
/// nothing.
///
/// # Errors
/// If a line is no command, or as [`carry_out`](Command::carry_out).
pub async fn play(engine: &Engine, script: &str) -> Result<()> {
    for (number, line) in (1..).zip(script.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let command = Command::parse(line).map_err(|error| error.context(format!("line {number}")))?;
        say(format!("> {line}"));
        command.carry_out(engine, Some(&format!("line-{number}"))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command() {
        let parsed = Command::parse("propose  db-1 ada  Restart it now").unwrap();
        assert_eq!(parsed, Command::Propose("db-1".into(), "ada".into(), "Restart it now".into()));
        assert_eq!(Command::parse("wait 20ms").unwrap(), Command::Wait(Duration::from_millis(20)));
        for wrong in ["", "report db-1", "approve db-1", "wait long", "reprot db-1 x"] {
            assert!(Command::parse(wrong).is_err(), "{wrong}");
        }
    }
}
