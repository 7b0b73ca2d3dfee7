//! Signs of life of a running attempt.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::{Clock, Error, Result, Timestamp};
use crate::machine::Cx;
use crate::record::{JournalEntry, JournalResult, Json};

/// The signs of life of one attempt.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// How long details may wait to be saved.
    save_every: Duration,
    /// What an earlier attempt has left.
    previous: Option<Json>,
    // Held only to read or change plain data.
    beats: Mutex<Beats>,
}

#[derive(Debug)]
struct Beats {
    last: Timestamp,
    /// Details that are not recorded yet.
    unsaved: Option<Json>,
    saved_at: Option<Timestamp>,
    /// The attempt has ended: what comes from a thread that goes on counts for nothing.
    over: bool,
}

impl Heartbeat {
    /// Those of an attempt that begins now.
    pub(super) fn new(clock: &dyn Clock, every: Option<Duration>, previous: Option<Json>) -> Self {
        const SAVE_AT_LEAST: Duration = Duration::from_secs(60);
        let save_every = every.map_or(SAVE_AT_LEAST, |every| (every / 4).min(SAVE_AT_LEAST));
        // Where nobody looks for signs of life, there is no need to know the time.
        let last = every.map_or(Timestamp::EPOCH, |_| clock.now());
        let beats = Beats { last, unsaved: None, saved_at: None, over: false };
        Self { save_every, previous, beats: Mutex::new(beats) }
    }

    fn lock(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last sign of life.
    pub(super) fn last(&self) -> Timestamp {
        self.lock().last
    }

    pub(super) fn end(&self) {
        self.lock().over = true;
    }

    /// Details that were never recorded.
    pub(super) fn take_unsaved(&self) -> Option<Json> {
        self.lock().unsaved.take()
    }

    /// A sign of life. Hands back the details if it is time to record them.
    fn beat(&self, now: Timestamp, details: Option<Json>) -> Option<Json> {
        let mut beats = self.lock();
        if beats.over {
            return None;
        }
        beats.last = now;
        let details = details?;
        if beats.saved_at.is_none_or(|saved_at| now.since(saved_at) >= self.save_every) {
            beats.saved_at = Some(now);
            beats.unsaved = None;
            return Some(details);
        }
        beats.unsaved = Some(details);
        None
    }
}

impl Cx {
    /// Says, inside a step with a `heartbeat`, that it is still at work: an attempt that does not for that long is cut off
    /// with [`StepHeartbeatMissed`](crate::StepHeartbeatMissed), and tried again if the step is retried.
    ///
    /// It costs next to nothing, and may be called from any thread. Elsewhere it does nothing.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// #[step(retry(max = 3), heartbeat = "30s")]
    /// async fn copy(cx: &Cx, files: Vec<String>) -> Result<()> {
    ///     let done: usize = cx.last_heartbeat().unwrap_or(0);
    ///     for (index, file) in files.iter().enumerate().skip(done) {
    ///         // … copies `file` …
    /// #       let _ = file;
    ///         cx.heartbeat_with(&(index + 1))?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn heartbeat(&self) {
        if let Some(scope) = self.step_scope() {
            scope.heartbeat.beat(self.turn().scope.services.clock.now(), None);
        }
    }

    /// As [`heartbeat`](Self::heartbeat), with details of how far the step has come, for
    /// [`last_heartbeat`](Self::last_heartbeat) in the next attempt.
    ///
    /// They are saved the first time, then at most four times in the time that `heartbeat` gives (without one, once a
    /// minute), and when the attempt fails. So an attempt after a failure sees the last details, and one after a crash may
    /// see slightly older ones.
    ///
    /// # Errors
    /// If `details` cannot be written as JSON, or are larger than the payload limit.
    pub fn heartbeat_with<T: Serialize + ?Sized>(&self, details: &T) -> Result<()> {
        let Some(scope) = self.step_scope() else { return Ok(()) };
        let services = &self.turn().scope.services;
        let details = Json::encode(details)?;
        let (len, limit) = (details.text().len(), services.payload_limit);
        if len > limit {
            let text = format!("the details of a heartbeat are {len} bytes long, over the limit of {limit}");
            return Err(Error::msg(text));
        }
        if let Some(details) = scope.heartbeat.beat(services.clock.now(), Some(details)) {
            self.turn().record(details_entry(&scope.key, details));
        }
        Ok(())
    }

    /// Inside a step: the details that the last heartbeat of an earlier attempt had, if there was one and they are
    /// readable as `T`.
    #[must_use]
    pub fn last_heartbeat<T: DeserializeOwned>(&self) -> Option<T> {
        self.step_scope()?.heartbeat.previous.as_ref()?.decode().ok()
    }
}

/// Where the details of a step's heartbeat are in the journal: inside the step.
pub(super) fn details_key(step: &str) -> String {
    format!("{step}:heartbeat")
}

/// Whether such details are there.
pub(in crate::machine) fn is_details(key: &str) -> bool {
    key.ends_with(":heartbeat")
}

pub(super) fn details_entry(step: &str, details: Json) -> JournalEntry {
    JournalEntry::new(details_key(step), 0, JournalResult::Done(details))
}
