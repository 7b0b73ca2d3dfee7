//! Sending an event and waiting for the answer.

use super::watchers::Watch;
use super::{EngineError, Execution};
use crate::base::ExecutionId;
use crate::machine::{Asks, Sending, Workflow};
use crate::record::{Activity, Answer, Cause, ExecutionRecord};
use crate::store::{Committed, Stored};

/// Why [`Execution::ask`] has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError<E> {
    /// The edge that took the event refused it, and left the state as it was.
    #[error("the execution refuses the event")]
    Refused(E),
    /// Nothing answered.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl<W: Workflow> Execution<W> {
    /// Sends it an event, and waits for the answer of the edge that takes it.
    ///
    /// An answer is saved with what the edge did. The event stays in the inbox until an edge takes it, so it may take long;
    /// while the execution is parked, too. Whoever will not wait so long drops this future, which does not take the event
    /// back: see [`ask_once`](Self::ask_once) for how to ask again.
    ///
    /// # Errors
    /// [`AskError::Refused`] if the edge refuses it. As [`AskError::Engine`]: [`EngineError::Rejected`] if no edge takes an
    /// event with the policy `reject`; [`EngineError::Ended`] if the execution has ended, or ends before it took the event;
    /// [`EngineError::EdgeFailed`] if the edge failed and another one caught that; [`EngineError::Unanswered`] if the event
    /// was dropped; [`EngineError::OtherVersion`] if the execution is of a version that this build is too old for: the event
    /// is on disk, and waits for a build that has it; and those of [`send`](Self::send).
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn ask<E>(&self, event: E) -> Sending<'_, Result<W::Reply, AskError<W::Refusal>>>
    where
        W: Asks<E>,
    {
        let event_id = self.event_id(&event);
        self.ask_with(event_id, &event)
    }

    /// Sends it an event with the sender's name for this message, and waits for the answer. A second one of the same name is
    /// taken for a repetition: it does nothing, and gets the answer that the first one got, also after a restart.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); [`EngineError::InvalidId`] if the name cannot be one.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn ask_once<E>(
        &self,
        event_id: impl AsRef<str>,
        event: E,
    ) -> Sending<'_, Result<W::Reply, AskError<W::Refusal>>>
    where
        W: Asks<E>,
    {
        let event_id = ExecutionId::new(event_id).map(|event_id| event_id.as_str().to_owned());
        self.ask_with(event_id.map_err(EngineError::from), &event)
    }

    fn ask_with<E>(
        &self,
        event_id: Result<String, EngineError>,
        event: &E,
    ) -> Sending<'_, Result<W::Reply, AskError<W::Refusal>>>
    where
        W: Asks<E>,
    {
        let (name, id) = (W::event_name(), event_id.as_ref().map_or_else(|_| String::new(), Clone::clone));
        let delivered = self.deliver(event_id, event, |committed| committed == Committed::Applied);
        Sending::new(async move {
            // Before it is delivered, so that nothing is missed in between.
            let watch = self.core().watchers.watch(self.key());
            let is_new = delivered.await?;
            self.decoded_answer::<E>(name, &id, watch, is_new).await
        })
    }

    /// The answer to an event that was delivered after `watch` was made, and was new or not.
    pub(super) async fn decoded_answer<'a, E>(
        &'a self,
        name: &str,
        id: &str,
        watch: Watch<'a>,
        is_new: bool,
    ) -> Result<W::Reply, AskError<W::Refusal>>
    where
        W: Asks<E>,
    {
        let answer = self.answer(name, id, watch, is_new).await?;
        let key = || self.key().clone();
        match answer {
            Answer::Replied(reply) => {
                W::decode_reply(&reply).map_err(|error| EngineError::unreadable_answer(key(), name, error).into())
            }
            Answer::Refused(refusal) => Err(match W::decode_refusal(&refusal) {
                Ok(refusal) => AskError::Refused(refusal),
                Err(error) => EngineError::unreadable_answer(key(), name, error).into(),
            }),
            Answer::Rejected { state } => {
                Err(EngineError::Rejected { key: key(), event: name.to_owned(), state }.into())
            }
            Answer::Failed { error } => {
                Err(EngineError::EdgeFailed { key: key(), event: name.to_owned(), error }.into())
            }
            Answer::Dropped { .. } => Err(self.unanswered(name).into()),
        }
    }

    /// Waits for the answer. Whoever answers tells `watch`, also if it runs; if it does not run any more, `watch` is told too.
    async fn answer<'a>(
        &'a self,
        name: &str,
        event_id: &str,
        mut watch: Watch<'a>,
        mut is_new: bool,
    ) -> Result<Answer, EngineError> {
        let core = self.core();
        loop {
            let is_running = self.is_running(&watch);
            // What takes a new event has not answered it before it tells of that, so there is nothing to read yet.
            let has_answer = if is_running && is_new { None } else { self.known_answer(event_id).await? };
            if let Some(answer) = has_answer {
                return Ok(answer);
            }
            if !is_running {
                let Stored { record, inbox, .. } = self.load_stored().await?;
                let waits = inbox.iter().any(|event| event.event.event_id == event_id);
                if !waits && !is_taking(&record, event_id) {
                    // What is gone from the inbox has its answer by now, if it has one.
                    return match self.known_answer(event_id).await? {
                        Some(answer) => Ok(answer),
                        None if record.status().is_over() => Err(EngineError::Ended { key: self.key().clone() }),
                        None => Err(self.unanswered(name)),
                    };
                }
                if core.is_stopping() {
                    return Err(core.stopped());
                }
                self.check_not_newer(&record)?;
            }
            is_new = false;
            watch.told().await;
            // Before the next look, so that nothing is missed in between.
            watch = core.watchers.watch(self.key());
        }
    }

    async fn known_answer(&self, event_id: &str) -> Result<Option<Answer>, EngineError> {
        Ok(self.core().store().event(self.key(), event_id).await?.and_then(|event| event.answer))
    }

    fn unanswered(&self, event: &str) -> EngineError {
        EngineError::Unanswered { key: self.key().clone(), event: event.to_owned() }
    }
}

/// Whether the edge of this event is under way, set aside, or what is done again after a retry.
fn is_taking(record: &ExecutionRecord, event_id: &str) -> bool {
    let is_of = |activity: &Activity| {
        // While all is undone for its failure, it is what a retry does again.
        let activity = match activity {
            Activity::Unwinding { before: Some(before), .. } => before,
            activity => activity,
        };
        matches!(activity, Activity::Handler { cause: Cause::Event { event_id: of, .. }, .. } if of == event_id)
    };
    is_of(&record.activity) || record.set_aside.as_ref().is_some_and(|aside| is_of(&aside.activity))
}
