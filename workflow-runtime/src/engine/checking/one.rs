//! One execution and the code.

use std::collections::BTreeSet;

use super::undos::Older;
use super::{Misfit, Unknown};
use crate::engine::registry::{Machine, Registry};
use crate::kernel::{StatePlan, TimerRule};
use crate::machine::ResultReaders;
use crate::record::{
    Activity, CHILD_EVENT, EventRecord, JournalEntry, JournalResult, JsonError, UndoOutput, UndoRecord, UnwindInto,
};
use crate::store::Stored;

/// What is found of one execution.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) misfits: Vec<Misfit>,
    pub(super) unknown: Vec<Unknown>,
}

/// Tries an execution with the code of its workflow.
pub(super) struct Trial<'a> {
    pub(super) registry: &'a Registry,
    pub(super) machine: &'a dyn Machine,
    pub(super) results: &'a ResultReaders,
    pub(super) stored: &'a Stored,
    pub(super) older: &'a Older,
}

impl Trial<'_> {
    pub(super) fn run(&self) -> Found {
        let mut found = Found::default();
        self.check_relatives(&mut found);
        self.check_inbox(&mut found);
        self.check_undo(&mut found);
        let record = &self.stored.record;
        match self.machine.check_state(&record.state, &record.data) {
            None => found.misfits.push(Misfit::UnknownState),
            Some(read) => {
                found.misfits.extend(read.err().map(|error| Misfit::UnreadableState { error: text(&error) }));
                if let Some(state) = self.machine.plan().state(&record.state) {
                    self.check_activity(&record.activity, state, &mut found);
                    let aside = record.set_aside.as_ref();
                    aside.into_iter().for_each(|aside| self.check_activity(&aside.activity, state, &mut found));
                    self.check_timers(state, &mut found);
                    self.check_journal(state, &mut found);
                }
            }
        }
        found
    }

    fn check_activity(&self, activity: &Activity, state: &StatePlan, found: &mut Found) {
        match activity {
            Activity::Entry | Activity::Waiting if state.entry.is_none() && !state.has_edges() && !state.end => {
                found.misfits.push(Misfit::NoWayOut);
            }
            // Its entry handler is over, so an edge is all that ends it.
            Activity::Waiting if !state.has_edges() && !state.end => found.misfits.push(Misfit::NoWayOut),
            Activity::Entry | Activity::Waiting | Activity::Ended => {}
            Activity::Handler { handler, cause, payload } => {
                if state.handler(handler).is_none() {
                    found.misfits.push(Misfit::NoHandler { handler: handler.to_string() });
                }
                if let (crate::record::Cause::Event { event, .. }, Some(payload)) = (cause, payload)
                    && let Some(Err(error)) = self.machine.check_event(event, payload)
                {
                    found.misfits.push(Misfit::UnreadableEvent { event: event.to_string(), error: text(&error) });
                }
            }
            Activity::Unwinding { into, before, .. } => {
                if let UnwindInto::State { state, data } = into {
                    let error = match self.machine.check_state(state, data) {
                        Some(Ok(())) => return,
                        Some(Err(error)) => Some(text(&error)),
                        None => None,
                    };
                    found.misfits.push(Misfit::UnfitTarget { target: state.to_string(), error });
                }
                if let Some(before) = before {
                    self.check_activity(before, state, found);
                }
            }
        }
    }

    fn check_timers(&self, state: &StatePlan, found: &mut Found) {
        let record = &self.stored.record;
        let is_there = |handler: &str| state.after.iter().any(|after| after.handler.name == *handler);
        let is_set = |handler: &str| record.timers.iter().any(|timer| timer.handler == *handler);
        // That of a field may have no time.
        let timed = state.after.iter().filter(|after| after.rule != TimerRule::At);
        let new = timed.map(|after| &after.handler.name).filter(|handler| !is_set(handler)).map(ToString::to_string);
        let new: Vec<String> = new.collect();
        let gone = record.timers.iter().filter(|timer| !timer.fired && !is_there(&timer.handler));
        let gone = gone.map(|timer| Unknown::Timer { handler: timer.handler.to_string(), instead: new.clone() });
        let gone: Vec<Unknown> = gone.collect();
        // Whatever is under way, or has a time, is touched by itself.
        let is_at_rest = match record.activity {
            Activity::Waiting => true,
            Activity::Entry => state.entry.is_none(),
            _ => false,
        };
        let sleeps = is_at_rest && record.parked.is_none() && record.wake_at().is_none();
        if gone.is_empty() && sleeps {
            found.unknown.extend(new.into_iter().map(|handler| Unknown::NewTimer { handler }));
        }
        found.unknown.extend(gone);
    }

    fn check_journal(&self, state: &StatePlan, found: &mut Found) {
        let handlers: BTreeSet<&str> = self.stored.journal.iter().filter(is_result).map(handler_of).collect();
        for handler in handlers {
            // What is being undone has a journal of its own.
            if !handler.starts_with('~') && state.handler(handler).is_none() {
                found.misfits.push(Misfit::LostResults { handler: handler.to_owned() });
            }
        }
        for entry in self.stored.journal.iter().filter(is_result) {
            let step = entry.step();
            if handler_of(entry).starts_with('~') {
                continue;
            }
            let read = match &entry.result {
                JournalResult::Done(result) => self.results.read(step, result),
                _ => self.results.knows(step).then_some(Ok(())),
            };
            match read {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    found.misfits.push(Misfit::UnreadableResult { step: step.to_owned(), error: text(&error) });
                }
                None => found.unknown.push(Unknown::Step { step: step.to_owned() }),
            }
        }
    }

    fn check_undo(&self, found: &mut Found) {
        let record = &self.stored.record;
        let in_journal = self.stored.journal.iter().filter_map(|entry| {
            let call = entry.undo.as_ref()?;
            Some(UndoRecord {
                step: call.step.to_string(),
                key: entry.key.to_string(),
                visit: record.visit,
                edge_number: call.edge_number,
                order: call.order,
                older: 0,
                output: UndoOutput::Unknown { args: None, inside: Vec::new() },
            })
        });
        let older: &[UndoRecord] = match self.older {
            Older::Steps(steps) => steps,
            Older::Unknown => {
                if record.undo_count > self.stored.undo.len() as u64 {
                    found.unknown.push(Unknown::OlderUndos);
                }
                &[]
            }
            Older::Damaged(reason) => {
                let what = format!("what is to be undone: {reason}");
                found.misfits.push(Misfit::Damaged { what });
                &[]
            }
        };
        let stacked = self.stored.undo.iter().chain(&record.undo).chain(older).cloned();
        let mut steps = BTreeSet::new();
        for undo in stacked.chain(in_journal) {
            if steps.insert(undo.step.clone()) && !self.machine.has_undo(&undo) {
                found.misfits.push(Misfit::NoUndo { step: undo.step });
            }
        }
    }

    fn check_inbox(&self, found: &mut Found) {
        for EventRecord { event, .. } in &self.stored.inbox {
            if event.control().is_some() || event.name == CHILD_EVENT {
                continue;
            }
            let name = event.name.clone();
            match self.machine.check_event(&name, &event.payload) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    found.misfits.push(Misfit::UnreadableEvent { event: name, error: text(&error) });
                }
                None => found.misfits.push(Misfit::UnknownEvent { event: name }),
            }
        }
    }

    fn check_relatives(&self, found: &mut Found) {
        let record = &self.stored.record;
        let is_unknown = |workflow: &str| self.registry.get(workflow).is_none();
        let parent = record.parent.iter().filter(|parent| parent.reports || parent.reports_parking);
        let parents = parent.map(|parent| parent.workflow.clone()).filter(|workflow| is_unknown(workflow));
        found.misfits.extend(parents.map(|workflow| Misfit::UnknownParent { workflow }));
        let called = self.stored.journal.iter().filter_map(|entry| match &entry.result {
            JournalResult::Child { workflow, .. } => Some(workflow.clone()),
            _ => None,
        });
        let told = record.outgoing.iter().map(|outgoing| outgoing.workflow.clone());
        let children: BTreeSet<String> = called.chain(told).filter(|workflow| is_unknown(workflow)).collect();
        found.misfits.extend(children.into_iter().map(|workflow| Misfit::UnknownChild { workflow }));
    }
}

/// Whether it is what a step came to: what the runtime has recorded for itself took no attempt.
fn is_result(entry: &&JournalEntry) -> bool {
    match entry.result {
        JournalResult::Done(_) | JournalResult::Failed { .. } => entry.attempts > 0,
        JournalResult::Retrying { .. } | JournalResult::Started => true,
        _ => false,
    }
}

/// The handler that has made the call.
fn handler_of(entry: &JournalEntry) -> &str {
    entry.key.split(':').next().unwrap_or(&entry.key)
}

/// What is wrong with a text of JSON, without the place in it: that is another one in each execution.
fn text(error: &JsonError) -> String {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
