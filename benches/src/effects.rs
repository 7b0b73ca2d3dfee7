//! What steps have done, counted outside of the store: a file that outlives a process that is killed.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;
use std::{array, fs};

use crate::child::now;

/// The bytes of one effect: three numbers.
pub(crate) const SIZE: usize = 24;

/// Where effects are written to.
#[derive(Debug)]
pub(crate) struct Effects {
    file: File,
}

/// A step that was run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) execution: u64,
    pub(crate) step: u64,
    /// Since the Unix epoch.
    pub(crate) at: Duration,
}

impl Effects {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)? })
    }

    /// Notes that a step has done what it does. The system keeps it when the process is killed.
    pub(crate) fn note(&self, execution: u64, step: u64) -> io::Result<()> {
        let nanos = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
        let mut bytes = [0; SIZE];
        for (place, number) in bytes.chunks_exact_mut(8).zip([execution, step, nanos]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        // One write to a file that is appended to is whole.
        (&self.file).write_all(&bytes)
    }
}

/// How many effects there are.
pub(crate) fn count(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len() / SIZE as u64)
}

/// All of them, in order.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Effect>> {
    let bytes = fs::read(path)?;
    let effects = bytes.chunks_exact(SIZE).map(|effect| {
        let mut numbers = effect.chunks_exact(8).map(|number| {
            let number: [u8; 8] = array::from_fn(|place| number.get(place).copied().unwrap_or_default());
            u64::from_le_bytes(number)
        });
        let mut number = || numbers.next().unwrap_or_default();
        Effect { execution: number(), step: number(), at: Duration::from_nanos(number()) }
    });
    Ok(effects.collect())
}

/// What became of the steps of some executions, of which each has `steps`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Steps that were run at least once.
    pub(crate) done: u64,
    /// Steps that were run more than once.
    pub(crate) repeated: u64,
    /// Of these, how many cannot have been in flight when the process was killed, as a later one had been run by then; and
    /// those that were run a third time.
    pub(crate) repeated_without_need: u64,
}

impl Audit {
    /// Looks at `before` the process was killed, and `after`.
    pub(crate) fn new(before: &[Effect], after: &[Effect]) -> Self {
        let mut last = HashMap::new();
        let mut times = HashMap::new();
        for effect in before {
            let reached: &mut u64 = last.entry(effect.execution).or_default();
            *reached = (*reached).max(effect.step);
        }
        for effect in before.iter().chain(after) {
            *times.entry((effect.execution, effect.step)).or_insert(0) += 1;
        }
        let repeated: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        let without_need = |((execution, step), times): &&(&(u64, u64), &i32)| {
            **times > 2 || last.get(execution).is_none_or(|last| step < last)
        };
        Self {
            done: times.len() as u64,
            repeated: repeated.len() as u64,
            repeated_without_need: repeated.iter().filter(without_need).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Audit, Effect, Effects, count, read};

    fn effect(execution: u64, step: u64) -> Effect {
        Effect { execution, step, at: Duration::ZERO }
    }

    #[test]
    fn what_is_written_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("effects");
        for step in [1, 2] {
            Effects::open(&path).unwrap().note(7, step).unwrap();
        }
        assert_eq!(count(&path), 2);
        let effects = read(&path).unwrap();
        assert_eq!(effects.iter().map(|effect| (effect.execution, effect.step)).collect::<Vec<_>>(), [(7, 1), (7, 2)]);
        assert!(effects.iter().all(|effect| effect.at > Duration::ZERO));
    }

    #[test]
    fn only_the_last_step_before_the_end_may_be_repeated() {
        let before = [effect(1, 0), effect(1, 1), effect(2, 0)];
        let audit = Audit::new(&before, &[effect(1, 1), effect(2, 1)]);
        assert_eq!(audit, Audit { done: 4, repeated: 1, repeated_without_need: 0 });
        let audit = Audit::new(&before, &[effect(1, 0), effect(2, 0), effect(2, 0)]);
        assert_eq!(audit, Audit { done: 3, repeated: 2, repeated_without_need: 2 });
        let audit = Audit::new(&before, &[effect(3, 0), effect(3, 0)]);
        assert_eq!(audit, Audit { done: 4, repeated: 1, repeated_without_need: 1 });
    }
}
