//! How a walk that breaks something reads.

use std::fmt;

use super::act::{Act, written};
use crate::testing::sim::{Played, folded, told_history};

/// The histories of more executions than these are not told.
const MOST: usize = 3;

/// What a walk came to that was not to be. Its `Display` has the walk and the history.
///
/// proptest takes it for a failure: in a test of [`proptest!`](proptest::proptest), `walk.play(&acts)?`.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkFailure {
    what: String,
    acts: Vec<Act>,
    /// How many acts were begun; one more at the end.
    after: usize,
    history: String,
}

impl WalkFailure {
    pub(super) fn new<T>(what: String, acts: &[Act], after: usize, played: &Played<T>) -> Self {
        let mut history = String::new();
        for kept in played.kept.iter().take(MOST) {
            history.push_str(&format!("\nhistory of {}:\n", kept.key));
            for line in folded(&told_history(&kept.history, played.from)) {
                history.push_str(&format!("  {line}\n"));
            }
        }
        if played.kept.len() > MOST {
            history.push_str(&format!("\nand those of {} more executions\n", played.kept.len() - MOST));
        }
        Self { what, acts: acts.to_vec(), after, history }
    }

    /// What is wrong: what an invariant said when it panicked, for one.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The walk.
    #[must_use]
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// The walk in text, as [`Walk::only`](super::Walk::only) reads it.
    #[must_use]
    pub fn walk(&self) -> String {
        written(&self.acts)
    }
}

impl fmt::Display for WalkFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "what:  {}", self.what.replace('\n', "\n       "))?;
        let place = match (self.after, self.acts.get(self.after.wrapping_sub(1))) {
            (0, _) => "at the start, before the first act".to_owned(),
            (after, Some(act)) => format!("after act {after}, `{act}`"),
            _ => "at the end, when nothing more was done".to_owned(),
        };
        writeln!(formatter, "where: {place}\n\nthe walk:")?;
        if self.acts.is_empty() {
            writeln!(formatter, "  (nothing is done)")?;
        }
        for (place, act) in self.acts.iter().enumerate() {
            writeln!(formatter, "  {}. {act}", place + 1)?;
        }
        formatter.write_str(&self.history)
    }
}

impl std::error::Error for WalkFailure {}
