//! What a handler has done to other executions: send them events, start them.

use std::fmt;
use std::future::{Future, pending};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::digest::Digest;
use super::turn_state::TurnState;
use super::{Accepts, Cx, Event, Failure, State as _, Workflow};
use crate::base::{Error, ExecutionId};
use crate::kernel::{Command, CommandRefused, StartCommand};
use crate::record::{ErrorRecord, ExecutionKey, JournalResult, Json, JsonError, NewEvent, ParentRecord};

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
    #[expect(clippy::needless_pass_by_value, reason = "as with `Execution::send`")]
    pub fn send<W, E>(
        &self,
        id: impl AsRef<str>,
        event: E,
    ) -> Pin<Box<dyn Future<Output = Result<(), CommandRefused>> + Send>>
    where
        W: Workflow + Accepts<E>,
        E: Event,
    {
        let turn = Arc::clone(self.turn());
        let (id, payload) = (ExecutionId::new(id.as_ref()), event.encode());
        let text = |payload: &Json| payload.text().to_owned();
        let digest = digest([W::NAME, &id_text(&id), E::NAME, &payload.as_ref().map(text).unwrap_or_default()]);
        let key = self.claim(&format!("send:{digest}"));
        let event_id = self.call_key(&key);
        Box::pin(async move {
            let id = id.map_err(|error| CommandRefused::InvalidId { message: error.to_string() })?;
            let Some(payload) = written(&turn, E::NAME, payload) else { return pending().await };
            let to = ExecutionKey { workflow: W::NAME.into(), id };
            let sent_at = turn.scope.services.clock.now();
            let event = NewEvent { event_id, name: E::NAME.to_owned(), payload, sent_at };
            let done = JournalResult::Done(Json::null());
            match carried_out(&turn, key, Command::Deliver { to, event }, done).await {
                JournalResult::Failed { error, value } => Err(refused(&turn, &error, value.as_ref()).await),
                _ => Ok(()),
            }
        })
    }

    /// Starts an execution of `C` in the same engine and goes on: nobody waits for its end. When this is ready, the start
    /// is on disk.
    ///
    /// The id is the caller's to choose, and is unique among all executions of `C`, as for [`Engine::start`]: derive it
    /// from the own one, `format!("{}-invoice", cx.id())`. Spawning an id again that this execution has spawned is
    /// no error, and changes nothing.
    ///
    /// # Errors
    /// [`CommandRefused`] says why it cannot be started: the engine does not know `C`, the id belongs to an execution that
    /// another one started, or the data is too large. That is recorded, so the handler may act on it.
    ///
    /// [`Engine::start`]: crate::Engine::start
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[state] pub struct Billing { cents: u64 }
    /// # #[state(end)] pub struct Billed;
    /// # pub struct Invoice;
    /// # #[workflow(start = Billing)]
    /// # impl Invoice { #[state] fn bill(&self, _: Billing) -> Billed { Billed } }
    /// # #[state] pub struct Shipping { cents: u64 }
    /// # #[state(end)] pub struct Shipped;
    /// # pub struct Order;
    /// #[workflow(start = Shipping)]
    /// impl Order {
    ///     #[state]
    ///     async fn ship(&self, cx: &Cx, order: Shipping) -> Result<Shipped> {
    ///         cx.spawn::<Invoice>(format!("{}-invoice", cx.id()), Billing { cents: order.cents }).await?;
    ///         Ok(Shipped)
    ///     }
    /// }
    /// ```
    pub fn spawn<C: Workflow>(&self, id: impl AsRef<str>, start: C::Start) -> ChildSpawn<C> {
        ChildSpawn { pending: Some(NewChild::new(self, "spawn", id.as_ref(), start)), running: None }
    }
}

/// A child that is to be started: see [`Cx::spawn`].
#[must_use = "nothing is started unless this is awaited"]
pub struct ChildSpawn<C: Workflow> {
    pending: Option<NewChild<C>>,
    running: Option<Running<ChildHandle<C>, CommandRefused>>,
}

type Running<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The name of a child that was started.
pub struct ChildHandle<C> {
    id: ExecutionId,
    workflow: PhantomData<fn() -> C>,
}

impl<C: Workflow> ChildHandle<C> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }
}

impl<C> AsRef<str> for ChildHandle<C> {
    fn as_ref(&self) -> &str {
        self.id.as_str()
    }
}

impl<C> Clone for ChildHandle<C> {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), workflow: PhantomData }
    }
}

impl<C: Workflow> fmt::Debug for ChildHandle<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ChildHandle({}/{})", C::NAME, self.id)
    }
}

impl<C: Workflow> fmt::Debug for ChildSpawn<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ChildSpawn({})", C::NAME)
    }
}

impl<C: Workflow> Future for ChildSpawn<C> {
    type Output = Result<ChildHandle<C>, CommandRefused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let spawn = &mut *self;
        if let Some(child) = spawn.pending.take() {
            spawn.running = Some(Box::pin(child.spawn()));
        }
        match &mut spawn.running {
            Some(running) => running.as_mut().poll(context),
            None => std::task::Poll::Pending,
        }
    }
}

/// A call that is to start a child: its place in the journal is taken.
struct NewChild<C: Workflow> {
    turn: Arc<TurnState>,
    key: String,
    id: Result<ExecutionId, CommandRefused>,
    data: Result<Json, JsonError>,
    workflow: PhantomData<fn() -> C>,
}

impl<C: Workflow> NewChild<C> {
    #[expect(clippy::needless_pass_by_value, reason = "as with `Engine::start`")]
    fn new(cx: &Cx, verb: &str, id: &str, start: C::Start) -> Self {
        let key = cx.claim(&format!("{verb}:{}:{}", C::NAME, digest([id])));
        let id = ExecutionId::new(id).map_err(|error| CommandRefused::InvalidId { message: error.to_string() });
        Self { turn: Arc::clone(cx.turn()), key, id, data: start.encode(), workflow: PhantomData }
    }

    async fn spawn(self) -> Result<ChildHandle<C>, CommandRefused> {
        let Self { turn, key, id, data, .. } = self;
        let id = id?;
        let Some(data) = written(&turn, C::Start::NAME, data) else { return pending().await };
        let scope = &turn.scope;
        let parent = ParentRecord {
            workflow: scope.key.workflow.to_string(),
            id: scope.key.id.to_string(),
            visit: scope.visit,
            edge: scope.edge_number,
            call: key.clone(),
            reports: false,
            reports_parking: false,
        };
        let execution = ExecutionKey { workflow: C::NAME.into(), id: id.clone() };
        let start = StartCommand { parent: Some(parent), ..StartCommand::new(execution, C::Start::NAME, data) };
        let done = JournalResult::Child { workflow: C::NAME.to_owned(), id: id.to_string(), cancel_when_left: false };
        match carried_out(&turn, key, Command::Start(Box::new(start)), done).await {
            JournalResult::Failed { error, value } => Err(refused(&turn, &error, value.as_ref()).await),
            _ => Ok(ChildHandle { id, workflow: PhantomData }),
        }
    }
}

/// What is recorded of a command: it is carried out unless that is known.
pub(super) async fn carried_out(
    turn: &Arc<TurnState>,
    key: String,
    command: Command,
    as_done: JournalResult,
) -> JournalResult {
    if let Some(entry) = turn.recorded(&key) {
        return entry.result;
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
fn written(turn: &TurnState, name: &str, data: Result<Json, JsonError>) -> Option<Json> {
    let fail = |error| {
        let error = Error::from(error).context(format!("the data of `{name}` cannot be saved"));
        turn.fail(Failure::unreadable(error));
    };
    data.map_err(fail).ok()
}

fn id_text(id: &Result<ExecutionId, crate::base::InvalidId>) -> String {
    id.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn digest<const N: usize>(texts: [&str; N]) -> String {
    let mut digest = Digest::new();
    texts.iter().for_each(|text| digest.text(text));
    format!("{:032x}", digest.finish())
}
