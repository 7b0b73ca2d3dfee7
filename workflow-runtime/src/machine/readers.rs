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
    /// The names that steps had before, and those that they have.
    renamed: BTreeMap<&'static str, &'static str>,
    /// The steps whose results are of a type that cannot be named.
    unread: &'static [StepInfo],
}

impl ResultReaders {
    /// Those of the steps that are methods of `W`, or of its parts.
    pub(crate) fn of<W: Workflow>() -> Self {
        let mut readers = Self { unread: W::GRAPH.steps, ..Self::default() };
        W::saved_types(&mut readers);
        readers
    }

    /// Reads the result of a step; `None` if there is no step of this name, as far as that is known.
    pub(crate) fn read(&self, step: &str, result: &Json) -> Option<Result<(), JsonError>> {
        let step = self.present_name(step);
        match self.readers.get(step) {
            Some(read) => Some(read(result)),
            None => self.knows(step).then_some(Ok(())),
        }
    }

    /// Whether there is a step of this name.
    pub(crate) fn knows(&self, step: &str) -> bool {
        let step = self.present_name(step);
        self.readers.contains_key(step) || self.unread.iter().any(|known| known.name == step)
    }

    fn present_name<'a>(&self, step: &'a str) -> &'a str {
        self.renamed.get(step).copied().unwrap_or(step)
    }
}

impl SavedTypes for ResultReaders {
    fn saved<T: DeserializeOwned>(&mut self, what: Saved, name: &'static str) {
        if what == Saved::Step {
            self.readers.insert(name, |json| json.decode::<T>().map(drop));
        }
    }

    fn renamed(&mut self, what: Saved, name: &'static str, was: &'static [&'static str]) {
        if what == Saved::Step {
            self.renamed.extend(was.iter().map(|was| (*was, name)));
        }
    }
}
