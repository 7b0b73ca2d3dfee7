//! What a handler has done to other executions: events for them.

use std::future::pending;
use std::sync::Arc;

use super::digest::Digest;
use super::turn_state::TurnState;
use super::{Accepts, Cx, Failure, Sending, Workflow};
use crate::base::{Error, ExecutionId, Name};
use crate::kernel::{Command, CommandRefused};
use crate::record::{ErrorRecord, ExecutionKey, JournalResult, Json, JsonError, NewEvent};

impl Cx {
    /// Sends an event to another execution of the same engine. When this is ready, the event is on disk.
    ///
    /// It is sent once, whatever happens: the event has an id that is the same when the handler is run again.
    ///
    /// # Errors
    /// [`CommandRefused`] says why it cannot be sent: there is no such execution, or it has ended, or the event is too
    /// large. That is recorded, so the handler may act on it.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[event] pub struct Arrived { parcel: String }
    /// # #[state] pub struct Open;
    /// # #[state(end)] pub struct Closed;
    /// # pub struct Order;
    /// # #[workflow(start = Open)]
    /// # impl Order {
    /// #     #[on(allow(endless_wait))] fn arrived(&self, _: Open, _: Arrived) -> Closed { Closed }
    /// # }
    /// # #[state] pub struct Underway { order: String }
    /// # #[state(end)] pub struct Delivered;
    /// # pub struct Parcel;
    /// #[workflow(start = Underway)]
    /// impl Parcel {
    ///     #[state]
    ///     async fn deliver(&self, cx: &Cx, parcel: Underway) -> Result<Delivered> {
    ///         cx.send::<Order, _>(&parcel.order, Arrived { parcel: cx.id().to_string() }).await?;
    ///         Ok(Delivered)
    ///     }
    /// }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send<W, E>(&self, id: impl AsRef<str>, event: E) -> Sending<'static, Result<(), CommandRefused>>
    where
        W: Workflow + Accepts<E>,
    {
        let (turn, name) = (Arc::clone(self.turn()), W::event_name());
        let (id, payload) = (ExecutionId::new(id.as_ref()), W::encode_event(&event));
        let text = |payload: &Json| payload.text().to_owned();
        let digest = digest([W::NAME, &id_text(&id), name, &payload.as_ref().map(text).unwrap_or_default()]);
        let key = self.claim(&format!("send:{digest}"));
        let event_id = self.call_key(&key);
        Sending::new(async move {
            let id = id.map_err(|error| CommandRefused::InvalidId { message: error.to_string() })?;
            let Some(payload) = written(&turn, name, payload) else { return pending().await };
            let to = ExecutionKey { workflow: W::NAME.into(), id };
            let sent_at = turn.scope.services.clock.now();
            let event = NewEvent { event_id, name: name.to_owned(), payload, sent_at };
            let done = JournalResult::Done(Json::null());
            match carried_out(&turn, key, Command::Deliver { to, event }, done).await {
                JournalResult::Failed { error, value } => Err(refused(&turn, &error, value.as_ref()).await),
                _ => Ok(()),
            }
        })
    }
}

/// What is recorded of a command: it is carried out unless that is known.
pub(super) async fn carried_out(
    turn: &Arc<TurnState>,
    key: Name,
    command: Command,
    as_done: JournalResult,
) -> JournalResult {
    match turn.recorded(&key).map(|entry| entry.result) {
        // Nobody knows whether it was carried out, and twice is once.
        None | Some(JournalResult::Child { asked_in: Some(_), .. }) => {}
        Some(result) => return result,
    }
    turn.gate().await;
    turn.execute(key, command, as_done).await
}

/// The refusal that was recorded.
pub(super) async fn refused(turn: &TurnState, error: &ErrorRecord, value: Option<&Json>) -> CommandRefused {
    match value.map(Json::decode) {
        Some(Ok(refused)) => refused,
        _ => {
            turn.fail(Failure::unreadable(error.to_error().context("a recorded refusal cannot be read")));
            pending().await
        }
    }
}

/// The data as it is persisted; `None` if it has no such form, which ends the turn.
pub(super) fn written(turn: &TurnState, name: &str, data: Result<Json, JsonError>) -> Option<Json> {
    let fail = |error| {
        let error = Error::from(error).context(format!("the data of `{name}` cannot be saved"));
        turn.fail(Failure::unreadable(error));
    };
    data.map_err(fail).ok()
}

fn id_text(id: &Result<ExecutionId, crate::base::InvalidId>) -> String {
    id.as_ref().map(ToString::to_string).unwrap_or_default()
}

pub(super) fn digest<const N: usize>(texts: [&str; N]) -> String {
    let mut digest = Digest::new();
    texts.iter().for_each(|text| digest.text(text));
    format!("{:032x}", digest.finish())
}
