//! Who wants to know what the simulations of a thread take.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::asked::Asked;
use super::fact::Seen;
use super::observer::Observer;
use super::recording::Recording;
use crate::testing::sim::Kept;

thread_local! {
    /// A simulation is played on the thread of its test, and tests run side by side: so each sees its own.
    static WATCHING: RefCell<Vec<Weak<Mutex<Seen>>>> = const { RefCell::new(Vec::new()) };
}

/// Has what simulations of this thread take added here, until it is dropped.
pub(super) fn add(seen: &Arc<Mutex<Seen>>) {
    WATCHING.with_borrow_mut(|watching| {
        watching.retain(|seen| seen.strong_count() > 0);
        watching.push(Arc::downgrade(seen));
    });
}

/// Those who want to know what one simulation takes.
#[derive(Debug)]
pub(in crate::testing) struct Watched {
    watching: Vec<Arc<Mutex<Seen>>>,
    /// Where it is recorded for all tests, or why it cannot be.
    recording: Result<Option<Recording>, String>,
    observer: Option<Arc<Observer>>,
}

impl Watched {
    /// A simulation begins.
    pub(in crate::testing) fn begin() -> Self {
        let watching: Vec<_> = WATCHING.with_borrow(|watching| watching.iter().filter_map(Weak::upgrade).collect());
        let recording = Asked::from_env().map(|asked| match asked {
            Asked::Record(recording) => Some(recording),
            Asked::Nothing | Asked::Report(_) => None,
        });
        let is_watched = !watching.is_empty() || matches!(recording, Ok(Some(_)));
        Self { watching, recording, observer: is_watched.then(Arc::default) }
    }

    /// What is to see the simulation, if anybody wants to know.
    pub(in crate::testing) fn observer(&self) -> Option<Arc<Observer>> {
        self.observer.clone()
    }

    /// The simulation has ended and left this behind.
    ///
    /// # Errors
    /// If what it took cannot be recorded, though that was asked for.
    pub(in crate::testing) fn end(self, kept: &[Kept]) -> Result<(), String> {
        let recording = self.recording?;
        let Some(observer) = self.observer else { return Ok(()) };
        observer.left(kept);
        let seen = observer.take();
        for watching in self.watching {
            let mut all = watching.lock().unwrap_or_else(PoisonError::into_inner);
            for (code, facts) in &seen {
                all.entry(code.clone()).or_default().extend(facts.iter().cloned());
            }
        }
        recording.map_or(Ok(()), |recording| recording.add(&seen))
    }
}
