//! What an execution is to come to, by a model that knows nothing of the engine.

use serde_json::Value;

/// What is to be found of one execution when all is over.
#[derive(Debug, Clone)]
pub struct Expected {
    pub workflow: &'static str,
    pub id: String,
    pub end: End,
    /// What its steps are to have done. Where that hangs on the moment at which something came from outside, all that may be.
    pub ways: Vec<Vec<Phase>>,
    /// The states that it went through, where that is known.
    pub states: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// In this state, with this data.
    In(&'static str, Value),
    /// In this state, with this data, or cancelled before it came there.
    InOrCancelled(&'static str, Value),
    Cancelled,
    Terminated,
    /// It rests in this state, for years.
    Resting(&'static str),
}

/// Attempts of steps that are all made before one of the next phase is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// In any order.
    pub attempts: Vec<Attempt>,
    /// How many of them may be under way, or done and not on disk, at one moment: so many a kill may repeat.
    pub width: usize,
    /// How often one process may make each of them: twice where a step is begun anew to find out what it has done.
    pub rounds: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    pub name: String,
    pub number: u32,
}

impl Expected {
    pub fn new(workflow: &'static str, id: &str, state: &'static str, data: Value, phases: Vec<Phase>) -> Self {
        Self { workflow, id: id.to_owned(), end: End::In(state, data), ways: vec![phases], states: None }
    }

    pub fn through<S: Into<String>>(mut self, states: impl IntoIterator<Item = S>) -> Self {
        self.states = Some(states.into_iter().map(Into::into).collect());
        self
    }

    pub fn key(&self) -> String {
        format!("{}/{}", self.workflow, self.id)
    }
}

/// A step that fails so often and then succeeds, with nothing beside it.
pub fn step(name: impl Into<String>, failures: u32) -> Vec<Phase> {
    attempts(name, failures).into_iter().map(|attempt| Phase { attempts: vec![attempt], width: 1, rounds: 1 }).collect()
}

/// The attempts of such a step.
pub fn attempts(name: impl Into<String>, failures: u32) -> Vec<Attempt> {
    let name = name.into();
    (1..=failures + 1).map(|number| Attempt { name: name.clone(), number }).collect()
}

/// What the step of this name of an execution gives. The model and the steps share it, and it says nothing of the engine.
pub fn value(id: &str, name: &str) -> u64 {
    let bytes = id.bytes().chain([0]).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) % 1_000
}
