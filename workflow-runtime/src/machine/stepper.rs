//! One execution in memory, with no engine: to look at a machine at work, one rest at a time.

mod control;
mod travel;

pub use travel::Visit;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::travel::Snapshot;
use super::finish::Finishing;
use super::plan::plan;
use super::{
    Accepts, Asks, Flags, HandlerCall, Outcome as _, Progress, Sending, Services, State, Turn, TurnScope, Workflow,
    WorkflowState, read_state,
};
use crate::base::{Clock as _, Error, ExecutionId, ManualClock, Result, Timestamp};
use crate::kernel::{Acknowledged, Advance, Command, CommandAnswer, CommandCall, HandlerPlan, Kernel, Next, Plan};
use crate::record::{
    Answer, Closed, ErrorRecord, EventRecord, ExecutionKey, ExecutionRecord, HistoryRecord, Json, NewEvent,
    OutgoingRecord, Reason, ReplyRecord, UndoPlace, UndoRecord,
};

/// An execution that nobody runs but its owner: no engine, no store, no task. Time stands still unless it is
/// [moved](Self::advance).
///
/// It follows the same kernel as an engine, and every state goes through its persisted form, so what happens here happens
/// there. Steps run for real; their `timeout` does not fire, as no time passes while one runs.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::Stepper;
///
/// #[state]
/// pub struct Asked { question: String }
/// #[event]
/// pub struct Answer { text: String }
/// #[state(end)]
/// pub struct Answered { text: String }
/// #[state(end)]
/// pub struct Forgotten;
///
/// pub struct Conversation;
///
/// #[workflow(start = Asked)]
/// impl Conversation {
///     #[on]
///     fn answered(&self, _: Asked, answer: Answer) -> Answered { Answered { text: answer.text } }
///     #[after("7d")]
///     fn forgotten(&self, _: Asked) -> Forgotten { Forgotten }
/// }
///
/// # workflow_runtime::block_on(async {
/// let asked = Asked { question: "tea?".into() };
/// let mut conversation = Stepper::start(Conversation, asked)?;
/// conversation.advance(std::time::Duration::from_secs(3_600)).await?;
/// assert!(matches!(conversation.state()?, ConversationState::Asked(_)));
/// conversation.send(Answer { text: "yes".into() }).await?;
/// assert!(matches!(conversation.outcome()?, Some(ConversationOutcome::Answered(_))));
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
pub struct Stepper<W> {
    workflow: Arc<W>,
    plan: Plan,
    key: ExecutionKey,
    clock: ManualClock,
    services: Services,
    execution: Kernel,
    inbox: Vec<EventRecord>,
    undo: UndoRows,
    /// What has become of those, commit by commit; the commits say nothing else.
    undo_changes: Vec<Advance>,
    sent: u64,
    history: Vec<HistoryRecord>,
    /// The ids of the events with a key, and how many events there were with each.
    keys: BTreeMap<String, u64>,
    replies: Vec<ReplyRecord>,
    commands: Vec<Command>,
    /// How it was at the beginning of each visit.
    snapshots: Vec<Snapshot>,
}

type UndoRows = BTreeMap<UndoPlace, UndoRecord>;

/// Why a [`Stepper`] has come to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// It waits for an event, or for this time.
    Waiting {
        /// When it goes on by itself, if it does.
        until: Option<Timestamp>,
    },
    /// It failed, and nothing caught the error.
    Parked(ErrorRecord),
    /// It has come to an end state.
    Ended,
    /// It was cancelled before it came to one.
    Cancelled(Reason),
    /// It was terminated before it came to one.
    Terminated(Reason),
}

impl<W: Workflow> fmt::Debug for Stepper<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Stepper")
            .field("key", &self.key)
            .field("execution", &self.execution)
            .finish_non_exhaustive()
    }
}

impl<W: Workflow> Stepper<W> {
    /// An execution of `workflow` that is in `start`, and has not run anything yet.
    ///
    /// # Errors
    /// If the data of `start` cannot be saved.
    #[expect(clippy::needless_pass_by_value, reason = "as with `Engine::start`")]
    pub fn start(workflow: impl Into<Arc<W>>, start: W::Start) -> Result<Self> {
        Ok(Self::new(workflow.into(), W::Start::NAME, start.encode()?))
    }

    /// An execution of `workflow` that has just entered `state`, whichever it is.
    ///
    /// # Errors
    /// If the data of `state` cannot be saved.
    pub fn enter(workflow: impl Into<Arc<W>>, state: &W::State) -> Result<Self> {
        Ok(Self::new(workflow.into(), state.name(), state.encode()?))
    }

    /// An execution of an older version of the workflow, which waits in `state`: what is done with it first is its migration.
    /// For tests of that, with no engine and no store.
    ///
    /// # Errors
    /// If the data of `state` cannot be saved.
    pub fn of_version<S: State>(workflow: impl Into<Arc<W>>, version: u32, state: &S) -> Result<Self> {
        let record = ExecutionRecord { version, ..ExecutionRecord::new(S::NAME, state.encode()?, Timestamp::EPOCH) };
        Ok(Self::of_record(workflow, record))
    }

    /// An execution with this record, of whichever version, such as one that was read from a store. Its journal and its inbox
    /// are empty, and the time is that at which it has entered its state.
    #[must_use]
    pub fn of_record(workflow: impl Into<Arc<W>>, record: ExecutionRecord) -> Self {
        Self::with(workflow.into(), record, Vec::new())
    }

    fn new(workflow: Arc<W>, state: &str, data: Json) -> Self {
        let plan = plan(&workflow);
        let start = Kernel::start(state, data, &plan, Timestamp::EPOCH);
        Self::with(workflow, start.record, vec![start.history])
    }

    fn with(workflow: Arc<W>, record: ExecutionRecord, history: Vec<HistoryRecord>) -> Self {
        let plan = plan(&workflow);
        let clock = ManualClock::new(record.entered_at);
        let execution = Kernel::begun(record);
        let key = ExecutionKey { workflow: W::NAME.into(), id: ExecutionId::stepper() };
        let mut stepper = Self {
            workflow,
            plan,
            key,
            services: Services::new(clock.clone()),
            clock,
            execution,
            inbox: Vec::new(),
            undo: BTreeMap::new(),
            undo_changes: Vec::new(),
            sent: 0,
            history,
            keys: BTreeMap::new(),
            replies: Vec::new(),
            commands: Vec::new(),
            snapshots: Vec::new(),
        };
        stepper.remember();
        stepper
    }

    /// The same, with these feature flags.
    #[must_use]
    pub fn flags(mut self, flags: impl Flags) -> Self {
        self.services = self.services.flags(flags);
        self
    }

    /// Goes on until it rests.
    ///
    /// # Errors
    /// None so far: a failure of the workflow is a [`Rest::Parked`].
    pub async fn run(&mut self) -> Result<Rest> {
        loop {
            self.execution.arrived(self.inbox.clone());
            let next = self.execution.decide(&self.plan, self.clock.now());
            self.commit();
            match next {
                Next::Run(handler) => {
                    self.turn(&handler).await;
                    // A visit that it has led to is remembered as it begins, before an edge is taken.
                    self.commit();
                }
                Next::Wait { until } => {
                    return Ok(Rest::Waiting { until: until.filter(|until| *until < Timestamp::MAX) });
                }
                Next::ReadUndo => {
                    let top = self.undo.values().cloned().collect();
                    self.execution.undo_read(top, self.clock.now());
                }
                Next::Tell => {
                    let deliver = |outgoing: &OutgoingRecord| {
                        Some(Command::Deliver { to: outgoing.receiver()?, event: outgoing.event.clone() })
                    };
                    self.commands.extend(self.execution.outgoing().iter().filter_map(deliver));
                    self.execution.delivered();
                }
                Next::Parked => {
                    let parked = self.execution.record().parked.clone();
                    return match parked {
                        Some(parked) => Ok(Rest::Parked(parked.error)),
                        None => Err(Error::msg("an execution is parked without a reason")),
                    };
                }
                Next::Ended => {
                    return Ok(match self.execution.record().closed.clone() {
                        None => Rest::Ended,
                        Some(Closed::Cancelled { reason }) => Rest::Cancelled(reason),
                        Some(Closed::Terminated { reason }) => Rest::Terminated(reason),
                    });
                }
            }
        }
    }

    /// Sends it an event, then [runs](Self::run) it.
    ///
    /// # Errors
    /// If the event cannot be saved, or the execution has ended.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send<E>(&mut self, event: E) -> Sending<'_, Result<Rest>>
    where
        W: Accepts<E>,
    {
        let (name, payload, key) = (W::event_name(), W::encode_event(&event), W::event_key(&event));
        Sending::new(async move {
            self.receive(name, payload?, key.as_deref())?;
            self.run().await
        })
    }

    /// Sends it an event, [runs](Self::run) it, and gives the answer of the edge that took it, or its refusal.
    ///
    /// # Errors
    /// As [`send`](Self::send); if no edge has taken the event so far, or it was not answered.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn ask<E>(&mut self, event: E) -> Sending<'_, Result<std::result::Result<W::Reply, W::Refusal>>>
    where
        W: Asks<E>,
    {
        let (name, payload, key) = (W::event_name(), W::encode_event(&event), W::event_key(&event));
        Sending::new(async move {
            let event_id = self.receive(name, payload?, key.as_deref())?;
            self.run().await?;
            match self.replies.iter().find(|reply| reply.event_id == event_id).map(|reply| &reply.answer) {
                Some(Answer::Replied(reply)) => Ok(Ok(W::decode_reply(reply)?)),
                Some(Answer::Refused(refusal)) => Ok(Err(W::decode_refusal(refusal)?)),
                Some(Answer::Rejected { state } | Answer::Dropped { state }) => {
                    Err(Error::msg(format!("the state `{state}` takes no event `{name}`")))
                }
                Some(Answer::Failed { error }) => Err(error.to_error()),
                None => Err(Error::msg(format!("nothing has answered the event `{name}` so far"))),
            }
        })
    }

    /// Lets `duration` pass, and runs whatever becomes due, each at its time.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn advance(&mut self, duration: Duration) -> Result<Rest> {
        let end = self.clock.now() + duration;
        loop {
            let rest = self.run().await?;
            match rest {
                Rest::Waiting { until: Some(until) } if until <= end => self.clock.advance_to(until),
                rest => {
                    self.clock.advance_to(end);
                    return Ok(rest);
                }
            }
        }
    }

    /// Runs it, moving the time to whatever it waits for, until it ends, is parked, or waits for an event alone.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_to_end(&mut self) -> Result<Rest> {
        loop {
            match self.run().await? {
                Rest::Waiting { until: Some(until) } => self.clock.advance_to(until),
                rest => return Ok(rest),
            }
        }
    }

    /// The state that it is in.
    ///
    /// # Errors
    /// If its data cannot be read back, which a type whose `Serialize` and `Deserialize` fit never comes to.
    pub fn state(&self) -> Result<W::State> {
        let record = self.execution.record();
        read_state::<W>(record.version, &record.state, &record.data)
    }

    /// The end state, if it has come to one.
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub fn outcome(&self) -> Result<Option<W::Outcome>> {
        Ok(W::Outcome::from_state(self.state()?).ok())
    }

    /// The time as the execution sees it: it starts at [`Timestamp::EPOCH`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What has happened so far.
    #[must_use]
    pub fn history(&self) -> &[HistoryRecord] {
        &self.history
    }

    /// What it has had done to other executions: children that it started, events that it sent. Here, nothing but this
    /// list comes of it.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    async fn turn(&mut self, handler: &HandlerPlan) {
        let scope = TurnScope::of(&self.execution, &handler.name, self.key.clone(), self.services.clone());
        let call = HandlerCall::of(&self.execution, &handler.name);
        let journal = self.execution.journal().to_vec();
        let mut turn = Turn::new(Arc::clone(&self.workflow), call, scope, journal);
        turn.arrived(self.execution.receivable(&self.plan));
        loop {
            let progress = turn.next().await;
            self.execution.at(self.clock.now());
            match progress {
                Progress::Save(results) => {
                    self.execution.recorded(results);
                    self.commit();
                    turn.saved();
                }
                Progress::Execute(commands) => {
                    let answers = commands.into_iter().map(|call| self.acknowledge(call));
                    turn.answered(answers.collect());
                }
                Progress::Wait { due, results, events } => {
                    self.execution.recorded(results);
                    return self.execution.suspended(due, events, &self.plan, self.clock.now());
                }
                Progress::Interrupted { results } => return self.execution.recorded(results),
                Progress::Finished(finished) => {
                    let workflow = Arc::clone(&self.workflow);
                    let finishing = Finishing {
                        plan: &self.plan,
                        catch: &move |state, error| workflow.catch(state, error),
                        payload_limit: Json::DEFAULT_LIMIT,
                        now: self.clock.now(),
                    };
                    return finishing.finish(&mut self.execution, finished);
                }
            }
        }
    }

    /// Nobody else is here: what it has done to others is only remembered.
    fn acknowledge(&mut self, CommandCall { key, command }: CommandCall) -> CommandAnswer {
        self.commands.push(command);
        CommandAnswer { key, result: Ok(Acknowledged::Applied) }
    }

    fn receive(&mut self, name: &str, payload: Json, key: Option<&str>) -> Result<String> {
        if self.execution.record().status().is_over() {
            return Err(Error::msg(format!("the execution has ended, and takes no event `{name}`")));
        }
        self.sent += 1;
        let event_id = key.map_or_else(|| self.sent.to_string(), |key| format!("{name}:{key}"));
        if key.is_some() {
            match self.keys.entry(event_id.clone()) {
                Entry::Occupied(_) => return Ok(event_id),
                Entry::Vacant(new) => new.insert(self.sent),
            };
        }
        let event = NewEvent { event_id: event_id.clone(), name: name.into(), payload, sent_at: self.clock.now() };
        self.inbox.push(EventRecord { seq: self.sent, event });
        Ok(event_id)
    }

    /// There is no store: what would be written is only remembered.
    fn commit(&mut self) {
        let mut changes = self.execution.take_changes();
        self.inbox.retain(|event| !changes.consumed.contains(&event.seq));
        if changes.drop_undo || !changes.forget_undo.is_empty() || !changes.undo.is_empty() {
            let undo = Advance {
                drop_undo: changes.drop_undo,
                forget_undo: std::mem::take(&mut changes.forget_undo),
                undo: std::mem::take(&mut changes.undo),
                ..Advance::default()
            };
            undo.clone().apply_undo(&mut self.undo);
            self.undo_changes.push(undo);
        }
        self.history.extend(changes.history);
        self.replies.extend(changes.replies);
        self.remember();
    }
}
