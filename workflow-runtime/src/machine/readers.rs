//! Reads what is saved by name, to see whether the code still can.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::saved::{Saved, SavedTypes};
use super::{StepInfo, Workflow};
use crate::record::{Json, JsonError};

type Read = fn(&Json) -> Result<(), JsonError>;

/// What reads the results of steps.
#[derive(Debug, Default)]
pub(crate) struct ResultReaders {
    readers: BTreeMap<&'static str, Read>,
    /// The steps whose results are of a type that cannot be named.
    unread: &'static [StepInfo],
}

impl ResultReaders {
    /// Those of the steps that are methods of `W`, or of its parts.
    pub(crate) fn of<W: Workflow>() -> Self {
        let mut readers = Self { readers: BTreeMap::new(), unread: W::GRAPH.steps };
        W::saved_types(&mut readers);
        readers
    }

    /// Reads the result of a step; `None` if there is no step of this name, as far as that is known.
    pub(crate) fn read(&self, step: &str, result: &Json) -> Option<Result<(), JsonError>> {
        match self.readers.get(step) {
            Some(read) => Some(read(result)),
            None => self.knows(step).then_some(Ok(())),
        }
    }

    /// Whether there is a step of this name.
    pub(crate) fn knows(&self, step: &str) -> bool {
        self.readers.contains_key(step) || self.unread.iter().any(|known| known.name == step)
    }
}

impl SavedTypes for ResultReaders {
    fn saved<T: DeserializeOwned>(&mut self, what: Saved, name: &'static str) {
        if what == Saved::Step {
            self.readers.insert(name, |json| json.decode::<T>().map(drop));
        }
    }
}
