//! What a handler waits for that others bring: events in the inbox, and answers to its commands.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Failure;
use super::turn_state::{Inner, TurnState};
use crate::base::{Error, Name};
use crate::kernel::{Acknowledged, Command, CommandAnswer, CommandCall, CommandRefused, report_key};
use crate::record::{CHILD_EVENT, ChildReport, ErrorKind, ErrorRecord, EventRecord, JournalEntry, JournalResult, Json};

/// The part of a turn's state that is about events and commands.
#[derive(Default)]
pub(super) struct TurnInbox {
    /// The highest place in the inbox that the turn was told of.
    offered: u64,
    /// Events that nobody has received yet, by slot.
    events: HashMap<String, VecDeque<EventRecord>>,
    receivers: BTreeMap<u64, (Arc<[String]>, Option<Waker>)>,
    /// What the driver is to do.
    commands: Vec<CommandCall>,
    /// What is recorded when a command has been carried out, by the key of its call.
    outstanding: HashMap<Name, JournalResult>,
    /// Those who wait for the answer to a command, by its key.
    callers: HashMap<Name, Option<Waker>>,
}

/// The slot of what a child tells whose call has this key. That of any other event is its name.
pub(super) fn report_slot(call: &str) -> String {
    format!("{CHILD_EVENT}:{call}")
}

impl TurnState {
    /// Events that the handler may receive, in order of arrival; those that it was told of before do not count again.
    pub(super) fn arrived(&self, inbox: Vec<EventRecord>) {
        let wakers: Vec<_> = {
            let mut inner = self.lock();
            let offered = inner.inbox.offered;
            for event in inbox.into_iter().filter(|event| event.seq > offered) {
                inner.inbox.offered = inner.inbox.offered.max(event.seq);
                if let Some(slot) = self.slot(&event) {
                    inner.inbox.events.entry(slot).or_default().push_back(event);
                }
            }
            inner.inbox.receivers.values_mut().filter_map(|(_, waker)| waker.take()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// What an event is asked for by; `None` for what concerns a call of another run.
    fn slot(&self, event: &EventRecord) -> Option<String> {
        if event.event.name != CHILD_EVENT {
            return Some(event.event.name.to_string());
        }
        let report: ChildReport = event.event.payload.decode().ok()?;
        let is_ours = report.visit == self.scope.visit && report.edge == self.scope.edge_number;
        is_ours.then(|| report_slot(&report.call))
    }

    /// Names of the events that the handler waits for.
    pub(super) fn awaited(&self) -> Vec<Name> {
        let inner = self.lock();
        let mut names: Vec<_> = inner.inbox.receivers.values().flat_map(|(slots, _)| slots.iter()).collect();
        names.sort_unstable();
        names.dedup();
        let is_report = |slot: &str| slot.strip_prefix(CHILD_EVENT).is_some_and(|rest| rest.starts_with(':'));
        let has_reports = names.iter().any(|slot| is_report(slot));
        let events = names.into_iter().filter(|slot| !is_report(slot)).map(Name::from);
        // One name for all children: a list of ten thousand would be written with every record.
        events.chain(has_reports.then(|| Name::constant(CHILD_EVENT))).collect()
    }

    /// Ready with an event of one of these slots, which is recorded under `key`.
    pub(super) fn receive(self: &Arc<Self>, key: Name, slots: Vec<String>) -> Receive {
        Receive { state: Arc::clone(self), key, slots: slots.into(), has_end: false, waiter: None }
    }

    /// Ready with what is recorded under `key` when the driver has carried out `command`; `as_done` is recorded if it
    /// could.
    pub(super) fn execute(self: &Arc<Self>, key: Name, command: Command, as_done: JournalResult) -> Execute {
        Execute { state: Arc::clone(self), key, command: Some((command, as_done)) }
    }

    /// The commands that no driver has taken.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn commands(&self) -> Vec<Command> {
        self.lock().inbox.commands.iter().map(|call| call.command.clone()).collect()
    }

    pub(super) fn take_commands(&self) -> Vec<CommandCall> {
        std::mem::take(&mut self.lock().inbox.commands)
    }

    /// Records what became of commands, also of those that nobody waits for any more.
    pub(super) fn answered(&self, answers: Vec<CommandAnswer>) {
        for CommandAnswer { key, result } in answers {
            let as_done = self.lock().inbox.outstanding.remove(&key);
            let (Some(as_done), report) = (as_done, report_key(&key)) else { continue };
            let result = match result {
                Ok(Acknowledged::HadEnded(end)) => {
                    match Json::encode(&end) {
                        Ok(end) => self.note(report, JournalResult::Done(end)),
                        Err(error) => self.fail(Failure::unreadable(Error::from(error))),
                    }
                    as_done
                }
                Ok(Acknowledged::Applied | Acknowledged::Existed) => as_done,
                Err(refused) => refusal(&refused),
            };
            self.note(key.clone(), result);
            let caller = self.lock().inbox.callers.get_mut(&key).and_then(Option::take);
            caller.into_iter().for_each(Waker::wake);
        }
    }

    fn note(&self, key: Name, result: JournalResult) {
        self.record(JournalEntry::new(key, 0, result));
    }
}

fn refusal(refused: &CommandRefused) -> JournalResult {
    let error = ErrorRecord { kind: ErrorKind::Failed, message: refused.to_string(), sources: Vec::new() };
    JournalResult::Failed { error, value: Json::encode(refused).ok() }
}

impl TurnInbox {
    pub(super) fn has_commands(&self) -> bool {
        !self.commands.is_empty()
    }

    /// The earliest event of one of these slots.
    fn take(&mut self, slots: &[String]) -> Option<EventRecord> {
        let seq_of = |slot: &&String| self.events.get(*slot)?.front().map(|event| event.seq);
        let slot = slots.iter().filter(|slot| seq_of(slot).is_some()).min_by_key(seq_of)?;
        self.events.get_mut(slot)?.pop_front()
    }
}

/// See [`TurnState::receive`]. Dropped before it is ready, it has taken nothing.
pub(super) struct Receive {
    state: Arc<TurnState>,
    key: Name,
    slots: Arc<[String]>,
    /// Whether it is given up some time.
    has_end: bool,
    waiter: Option<u64>,
}

impl Receive {
    /// The same, where whoever waits does so until a time.
    pub(super) fn until_a_time(mut self) -> Self {
        self.has_end = true;
        self
    }

    /// What is missing where nobody drives the turn.
    fn nobody_brings(&self) -> Failure {
        let is_report = |slot: &String| slot.starts_with(CHILD_EVENT);
        let text = match self.slots.first().filter(|slot| !is_report(slot)) {
            Some(event) => format!(
                "the handler waits for the event `{event}`, and no engine brings it to this context: give it one before, with `testing::cx` and `.event(…)`, or play it in a `Stepper` or a `Sim`"
            ),
            None => "the handler waits for the end of a child, and this context has no engine that runs it: play it in a `Sim`".to_owned(),
        };
        Failure::failed(Error::msg(text))
    }
}

impl Future for Receive {
    type Output = Json;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Json> {
        let receive = &mut *self;
        let mut inner = receive.state.lock();
        if inner.interrupted {
            // What is received now would be consumed, and nobody would act on it.
            return Poll::Pending;
        }
        let Some(EventRecord { seq, event }) = inner.inbox.take(&receive.slots) else {
            if receive.state.is_detached() && !receive.has_end {
                drop(inner);
                receive.state.fail(receive.nobody_brings());
                return Poll::Pending;
            }
            let waiter = inner.waiter(&mut receive.waiter);
            let waker = inner.foreign_waker(context);
            inner.inbox.receivers.insert(waiter, (Arc::clone(&receive.slots), waker));
            let turn = inner.turn();
            drop(inner);
            turn.into_iter().for_each(Waker::wake);
            return Poll::Pending;
        };
        drop(inner);
        let payload = event.payload.clone();
        let result = JournalResult::Received { seq, event: event.name.into(), payload: event.payload };
        receive.state.note(receive.key.clone(), result);
        Poll::Ready(payload)
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.state.lock().inbox.receivers.remove(&waiter);
        }
    }
}

/// See [`TurnState::execute`].
pub(super) struct Execute {
    state: Arc<TurnState>,
    key: Name,
    command: Option<(Command, JournalResult)>,
}

impl Future for Execute {
    type Output = JournalResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<JournalResult> {
        let execute = &mut *self;
        let mut inner = execute.state.lock();
        if let Some((command, as_done)) = execute.command.take() {
            inner.inbox.commands.push(CommandCall { key: execute.key.clone(), command });
            if execute.state.is_detached() {
                // Nobody is there to carry it out, nor to refuse it.
                drop(inner);
                execute.state.note(execute.key.clone(), as_done.clone());
                return Poll::Ready(as_done);
            }
            inner.inbox.outstanding.insert(execute.key.clone(), as_done);
        } else if inner.interrupted {
            return Poll::Pending;
        } else if let Some(answer) = inner.answer(&execute.key) {
            return Poll::Ready(answer);
        }
        let waker = inner.foreign_waker(context);
        inner.inbox.callers.insert(execute.key.clone(), waker);
        let turn = inner.turn();
        drop(inner);
        turn.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Inner {
    fn answer(&self, key: &str) -> Option<JournalResult> {
        let is_open = self.inbox.outstanding.contains_key(key);
        self.journal.get(key).filter(|_| !is_open).map(|entry| entry.result.clone())
    }
}

impl Drop for Execute {
    fn drop(&mut self) {
        if self.state.is_detached() {
            return;
        }
        let mut inner = self.state.lock();
        inner.inbox.callers.remove(&self.key);
        // What the driver has not been handed is not done. That is rare, so the search does not matter.
        if let Some(index) = inner.inbox.commands.iter().position(|call| call.key == self.key) {
            inner.inbox.commands.remove(index);
            inner.inbox.outstanding.remove(&self.key);
        }
    }
}

#[cfg(test)]
#[path = "turn_inbox_tests.rs"]
mod tests;
