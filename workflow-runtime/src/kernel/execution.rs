//! The life of one execution.
//!
//! | doing | what happens | does next | written |
//! |---|---|---|---|
//! | any | something is outgoing | tell it, before anything else | what is outgoing cleared |
//! | – | start, at a later time | wait for it | record, history |
//! | – | start | entry, waiting or ended, as the start state has it | record, timers, history |
//! | entry (pure) | decide | run it, before anything else | with what follows |
//! | entry, waiting | an event is there that an edge takes | that edge's handler | event consumed, edge durable |
//! | entry, waiting | a timer is due, and no such event | that edge's handler | timer fired, edge durable |
//! | entry | neither | run it, or wait for its retry | – |
//! | waiting | neither | wait for an event or the next timer | inbox seen |
//! | a handler | goto | as a start, in the next visit | record, timers, history; journal dropped |
//! | entry | stay, wait | waiting | data |
//! | an edge's handler | reply | as it decides besides | the answer |
//! | an edge's handler | refuse | as for wait | the refusal, history |
//! | entry that is suspended, waiting | an event is there that no edge takes, nor the handler, and that is not kept | as with none | event consumed, answer, history |
//! | an edge's handler | stay, wait | the entry handler if it was interrupted, else waiting | data, history; the edge's part of the journal dropped |
//! | a handler | suspended until a time, or until events come | the same, then | results, the time, the events |
//! | a handler | suspended, for an event that an edge takes | parked | error, history |
//! | a handler | received an event that no edge takes | the same | result; event consumed |
//! | any | what is dropped from the journal has called children | the same | their cancelling outgoing |
//! | a child | ended, closed; parked, if that is declared | the same | report to the parent outgoing |
//! | any but parked | a child of an earlier visit reports | the same | event consumed, history |
//! | a handler but a catch | failed, and an edge catches it | the catch handler | edge durable |
//! | a handler | failed, and none does | parked | error, history |
//! | a handler | the same, of a workflow that unwinds then | unwinding, into being parked | as below |
//! | a handler | unwind | unwinding, into a state | results, undos on the stack, history; journal dropped |
//! | any but unwinding, ended | a request to unwind | unwinding, into a state or the end | the same |
//! | unwinding | something is left to undo | the newest undo, or the wait for its retry | – |
//! | unwinding | undone | unwinding | one undo off the stack, history; journal dropped |
//! | unwinding | an undo failed | parked, with the stack as it is | error, history |
//! | unwinding | nothing is left | as a start in the state, parked in a new visit, or ended | with the last undo |
//! | parked | retry | what it did when it failed | failures forgotten, timers moved, history |
//! | anything but ended | a control event is there, before all else | see `control.rs` | event consumed, history |
//! | parked, ended | decide | nothing | – |
//!
//! What is to be undone moves from the journal to a stack when the journal is dropped; entering a pivot or an end empties
//! it. See `unwind.rs`.

use super::journal::Journal;
use super::searching::{QUEUED, index};
use super::stack::UndoStack;
use super::timers::{fire_next, next_due_timer, set_timers};
use super::unknown::{unknown_handler, unknown_state};
use super::{Advance, Decided, HandlerPlan, Plan, StatePlan};
use crate::base::{Name, Timestamp};
use crate::record::{
    Activity, Cause, ErrorRecord, EventRecord, ExecutionRecord, HistoryKind, HistoryRecord, JournalEntry, Json,
    ParkedRecord, TimerKind, UndoRecord, UnwindInto,
};

/// An execution in memory: what is stored of it, and what has changed since.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// On the heap, as whoever drives it hands this around by value.
    pub(super) record: Box<ExecutionRecord>,
    pub(super) inbox: Vec<EventRecord>,
    /// The place of the last event that has arrived here.
    pub(super) last_event: u64,
    /// The last visit in which reports of children were looked at, and the place of the last event that was there then.
    pub(super) reports_looked_at: (u64, u64),
    pub(super) journal: Journal,
    pub(super) undo: UndoStack,
    /// On the heap, too.
    pub(super) changes: Box<Advance>,
    /// Counts the calls with an `undo`, in the order in which they are recorded.
    pub(super) next_order: u64,
    /// The present, as far as it was told.
    pub(super) now: Timestamp,
    /// The visit that the stored record is in.
    stored_visit: u64,
    /// The visit that it was in when it was read.
    pub(super) loaded_visit: u64,
    /// Whether the record differs from the stored one.
    pub(super) changed: bool,
    /// Whether rows of the history carry the data of states.
    pub(super) keeps_data: bool,
}

/// An execution that is to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// Its first record.
    pub record: ExecutionRecord,
    /// The first row of its history.
    pub history: HistoryRecord,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Run the handler of the present activity.
    Run(HandlerPlan),
    /// Nothing, until an event arrives or this time comes.
    Wait {
        /// The time, if it waits for one.
        until: Option<Timestamp>,
    },
    /// Have it [read](Kernel::undo_read) what is to be undone next, once all changes are committed.
    ReadUndo,
    /// Deliver what is [outgoing](Kernel::outgoing), then say that it is [delivered](Kernel::delivered).
    Tell,
    /// Nothing, until a person says so.
    Parked,
    /// Nothing any more.
    Ended,
}

impl Kernel {
    /// The record of an execution that starts in `state` at `now`.
    #[must_use]
    pub fn start(state: impl Into<Name>, data: Json, plan: &Plan, now: Timestamp) -> NewExecution {
        let state = state.into();
        let history = HistoryRecord::new(now, 1, HistoryKind::Started { to: state.clone() });
        let mut record = ExecutionRecord { version: plan.version(), ..ExecutionRecord::new(state, data, now) };
        settle_in(&mut record, plan, now);
        NewExecution { record, history }
    }

    /// Goes on with what has just begun.
    #[must_use]
    pub fn begun(record: ExecutionRecord) -> Self {
        Self::new(record, Vec::new(), Vec::new(), Vec::new())
    }

    /// Goes on with what was stored. Of what is to be undone, `undo` has the newest, the newest last.
    #[must_use]
    pub fn new(
        mut record: ExecutionRecord,
        journal: Vec<JournalEntry>,
        inbox: Vec<EventRecord>,
        undo: Vec<UndoRecord>,
    ) -> Self {
        let (undo, changed) = UndoStack::of(&mut record, undo);
        let orders = journal.iter().filter_map(|entry| entry.undo.as_ref()).map(|call| call.order);
        let last_event = inbox.last().map_or(0, |event| event.seq);
        Self {
            next_order: orders.chain(undo.last().map(|undo| undo.order)).max().unwrap_or(0),
            now: record.entered_at,
            stored_visit: record.visit,
            loaded_visit: record.visit,
            record: Box::new(record),
            inbox,
            last_event,
            reports_looked_at: (0, 0),
            journal: Journal::new(journal),
            undo,
            changes: Box::default(),
            changed,
            keeps_data: false,
        }
    }

    /// The record, with all changes.
    #[must_use]
    pub fn record(&self) -> &ExecutionRecord {
        &self.record
    }

    /// The journal of the visit, with all changes.
    #[must_use]
    pub fn journal(&self) -> &[JournalEntry] {
        self.journal.entries()
    }

    /// The visit of the stored record: what a commit of the changes is fenced by.
    #[must_use]
    pub fn stored_visit(&self) -> u64 {
        self.stored_visit
    }

    /// How many rows of history wait to be written: a bound on how much a chain of pure handlers may pile up.
    #[must_use]
    pub fn unsaved_history(&self) -> usize {
        self.changes.history.len()
    }

    /// The changes since the last call, to be committed as one.
    #[must_use]
    pub fn take_changes(&mut self) -> Box<Advance> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.journal = self.journal.take_unsaved();
        self.undo.take_changes(&mut changes);
        if std::mem::take(&mut self.changed) {
            changes.record = Some(ExecutionRecord::clone(&self.record));
        }
        self.stored_visit = self.record.visit;
        changes
    }

    /// Takes what a person has asked for and what edges are to be taken, and says what is to be done then.
    pub fn decide(&mut self, plan: &Plan, now: Timestamp) -> Next {
        self.at(now);
        self.migrate(plan, now);
        self.take_control(plan, now);
        // Somebody may have had it tried again.
        self.migrate(plan, now);
        let next = self.look(plan, now);
        // What it is parked for as it is looked at is to be told, too.
        if self.record.outgoing.is_empty() { next } else { Next::Tell }
    }

    fn look(&mut self, plan: &Plan, now: Timestamp) -> Next {
        if !self.record.outgoing.is_empty() {
            return Next::Tell;
        }
        if self.record.activity == Activity::Ended {
            return Next::Ended;
        }
        self.recognise(plan, now);
        if self.record.parked.is_some() {
            return Next::Parked;
        }
        if let Activity::Unwinding { .. } = self.record.activity {
            return self.undo_next(plan, now);
        }
        if let Some(wait) = self.begin(plan, now) {
            return wait;
        }
        let Some(state) = plan.state(&self.record.state).cloned() else {
            self.park(unknown_state(&self.record.state, self.record.version), now);
            return Next::Parked;
        };
        if let Err(error) = self.add_new_timers(&state, plan) {
            self.park(error, now);
            return Next::Parked;
        }
        self.drop_stale_reports(now);
        if let (Activity::Entry, Some(entry)) = (&self.record.activity, &state.entry)
            && entry.pure
        {
            return Next::Run(entry.clone());
        }
        if matches!(self.record.activity, Activity::Entry | Activity::Waiting) {
            self.take_edge(&state, now);
        }
        if self.is_at_rest(&state) {
            self.refuse_untaken(&state, plan, now);
        }
        self.do_next(&state, plan, now)
    }

    /// Whether an edge is to be taken although the entry handler runs, or a person has asked for something, whatever runs.
    #[must_use]
    pub fn is_interrupted(&self, plan: &Plan, now: Timestamp) -> bool {
        if self.is_interrupted_by_hand() {
            return true;
        }
        let Some(state) = plan.state(&self.record.state) else { return false };
        self.record.activity == Activity::Entry
            && (self.next_event(state).is_some() || next_due_timer(&self.record, now).is_some())
    }

    /// Results of steps of the running handler.
    pub fn recorded(&mut self, mut results: Vec<JournalEntry>) {
        self.consume_received(&results);
        for result in &mut results {
            if let Some(call) = &mut result.undo {
                self.next_order += 1;
                call.order = self.next_order;
            }
            self.see_failing(result);
            self.note_flag(result);
            self.journal.put(result.clone());
        }
        self.journal.save(results);
    }

    /// The running handler ended.
    pub fn handled(&mut self, decided: Decided, unclaimed: Vec<Name>, plan: &Plan, now: Timestamp) {
        match decided {
            Decided::Goto { state, data } => self.enter(Name::constant(state), data, unclaimed, plan, now),
            Decided::Unwind { state, data } => {
                let cause = self.cause();
                let error = cause.caught().cloned();
                let into = UnwindInto::State { state: Name::constant(state), data };
                self.begin_unwinding(into, cause, error, unclaimed, now);
            }
            Decided::Undone { effect } => self.undone(effect, now),
            Decided::Reply { reply, then } => {
                self.reply(reply);
                self.handled(*then, unclaimed, plan, now);
            }
            Decided::Refuse { refusal } => self.refuse(refusal, plan, now),
            Decided::Stay { data } => {
                let kind = HistoryKind::Stayed { state: self.record.state.clone(), cause: self.cause() };
                self.note(kind, now);
                self.record.data = data;
                self.keep_data();
                self.follow_data(plan, now);
                index(&mut self.record, plan);
                self.keep_visit(plan, now);
            }
            Decided::Wait => {
                if matches!(self.record.activity, Activity::Handler { .. }) {
                    self.note(HistoryKind::Stayed { state: self.record.state.clone(), cause: self.cause() }, now);
                }
                self.keep_visit(plan, now);
            }
        }
    }

    /// The running handler failed for good. `caught` is the `#[catch]` handler that takes the error, and the error as that
    /// handler is given it.
    pub fn failed(&mut self, error: ErrorRecord, caught: Option<(Name, Json)>, plan: &Plan, now: Timestamp) {
        if let Activity::Unwinding { .. } = self.record.activity {
            return self.undo_failed(error, now);
        }
        let in_catch = matches!(&self.record.activity, Activity::Handler { cause: Cause::Caught { .. }, .. });
        match caught {
            Some((handler, payload)) if !in_catch => {
                let before = self.cause();
                self.answer_failure(&before, error.clone());
                let cause = Cause::Caught { handler: handler.clone(), error };
                self.run_handler(handler, cause, Some(payload));
            }
            // It is parked, at once or when what it has done is undone, and a retry may answer yet.
            _ => self.fail(error, plan, now),
        }
    }

    /// Has a parked execution do again what it failed at: successes of its steps are kept, failures forgotten. Says
    /// whether it was parked.
    pub fn retry(&mut self, now: Timestamp) -> bool {
        if !self.unpark(now) {
            return false;
        }
        self.go_on();
        self.forget_failures();
        self.note(HistoryKind::Retried { state: self.record.state.clone() }, now);
        true
    }

    /// Lets it go on where it was parked: its timers had stood still. Says whether it was parked.
    pub(super) fn unpark(&mut self, now: Timestamp) -> bool {
        let Some(parked) = self.record.parked.take() else { return false };
        let pause = now.since(parked.at);
        for timer in self.record.timers.iter_mut().filter(|timer| timer.kind != TimerKind::At) {
            timer.due = timer.due + pause;
        }
        // While it was parked, nobody looked at what is to be taken.
        self.look_again_at_inbox();
        self.changed = true;
        true
    }

    /// Stops for a person.
    pub fn park(&mut self, error: ErrorRecord, now: Timestamp) {
        let kind = HistoryKind::Parked { state: self.record.state.clone(), cause: self.cause(), error: error.clone() };
        self.note(kind, now);
        self.record.parked = Some(ParkedRecord { at: now, error });
        self.report_parking(now);
    }

    /// What makes the present handler run.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match &self.record.activity {
            Activity::Handler { cause, .. } | Activity::Unwinding { cause, .. } => cause.clone(),
            Activity::Entry | Activity::Waiting | Activity::Ended => Cause::Entry,
        }
    }

    pub(super) fn handler_name(&self, plan: &Plan) -> Name {
        match &self.record.activity {
            Activity::Handler { handler, .. } => handler.clone(),
            Activity::Unwinding { .. } => self.undo.last().map(|undo| undo.handler().into()).unwrap_or_default(),
            _ => self.entry_name(plan),
        }
    }

    fn take_edge(&mut self, state: &StatePlan, now: Timestamp) {
        if let Some((index, handler)) = self.next_event(state) {
            let EventRecord { seq, event } = self.inbox.remove(index);
            self.changes.consumed.push(seq);
            self.record.inbox_seen = self.record.inbox_seen.max(seq);
            let cause = Cause::Event { handler: handler.clone(), event: event.name.into(), event_id: event.event_id };
            self.interrupt_entry();
            self.run_handler(handler, cause, Some(event.payload));
        } else if let Some(handler) = fire_next(&mut self.record, state, now) {
            self.interrupt_entry();
            self.run_handler(handler.clone(), Cause::Timer { handler }, None);
        }
    }

    fn do_next(&mut self, state: &StatePlan, plan: &Plan, now: Timestamp) -> Next {
        if let Some(due) = self.record.resume_at {
            if due > now && !self.has_awaited(state) {
                self.see_inbox();
                let timer = self.record.next_timer().filter(|_| self.record.activity == Activity::Entry);
                return Next::Wait { until: Some(timer.map_or(due, |timer| timer.min(due))) };
            }
            self.go_on();
            self.changed = true;
        }
        match &self.record.activity {
            Activity::Entry => match &state.entry {
                Some(entry) => Next::Run(entry.clone()),
                // The entry handler was taken out of the code while the execution was on its way into it.
                None => {
                    self.record.activity = Activity::Waiting;
                    self.changed = true;
                    self.do_next(state, plan, now)
                }
            },
            Activity::Handler { handler, .. } => match state.handler(handler) {
                Some(handler) => Next::Run(handler.clone()),
                None => {
                    self.park(unknown_handler(handler, &self.record.state), now);
                    Next::Parked
                }
            },
            Activity::Waiting => {
                self.see_inbox();
                Next::Wait { until: self.record.next_timer() }
            }
            Activity::Unwinding { .. } => self.undo_next(plan, now),
            Activity::Ended => Next::Ended,
        }
    }

    /// Whether what it waits for is known: of an entry handler that is about to run, it is not.
    fn is_at_rest(&self, state: &StatePlan) -> bool {
        match self.record.activity {
            Activity::Waiting => true,
            Activity::Entry => self.record.resume_at.is_some() || state.entry.is_none(),
            Activity::Handler { .. } | Activity::Unwinding { .. } | Activity::Ended => false,
        }
    }

    fn next_event(&self, state: &StatePlan) -> Option<(usize, Name)> {
        let mut taken = self.inbox.iter().enumerate().map(|(index, event)| (index, state.on(&event.event.name)));
        taken.find_map(|(index, edge)| Some((index, edge?.handler.name.clone())))
    }

    pub(super) fn see_inbox(&mut self) {
        let last = self.inbox.last().map_or(0, |event| event.seq);
        if last > self.record.inbox_seen {
            self.record.inbox_seen = last;
            self.changed = true;
        }
    }

    /// Has what is left in the inbox make the execution due, until somebody has looked at it.
    pub(super) fn look_again_at_inbox(&mut self) {
        if let Some(first) = self.inbox.first() {
            self.record.inbox_seen = self.record.inbox_seen.min(first.seq.saturating_sub(1));
        }
    }

    /// The handler is not suspended any more.
    pub(super) fn go_on(&mut self) {
        self.record.resume_at = None;
        self.record.waits_for.clear();
        self.record.attributes.remove(QUEUED);
    }

    pub(super) fn interrupt_entry(&mut self) {
        if self.record.activity == Activity::Entry {
            self.record.entry_interrupted = true;
        }
    }

    pub(super) fn run_handler(&mut self, handler: Name, cause: Cause, payload: Option<Json>) {
        self.record.activity = Activity::Handler { handler, cause, payload };
        self.record.starts_at = None;
        self.go_on();
        self.changed = true;
    }

    pub(super) fn keep_visit(&mut self, plan: &Plan, now: Timestamp) {
        if let Some(aside) = self.record.set_aside.take() {
            let over = self.handler_name(plan);
            let entry = self.entry_name(plan);
            self.record.activity = *aside.activity;
            let aside = self.handler_name(plan);
            // Also what a handler has recorded whose failure was caught: when it is run again, its steps are to run again.
            let goes_on = |journal: &JournalEntry| journal.is_of(&aside) || journal.is_of(&entry);
            self.forget_where(|journal| journal.is_of(&over) || !goes_on(journal), now);
            // What it waited for, it looks for anew.
            self.go_on();
            self.changed = true;
            return;
        }
        if matches!(self.record.activity, Activity::Handler { .. }) {
            self.forget_edges(plan, now);
            self.record.edges_kept += 1;
        }
        let goes_on = std::mem::take(&mut self.record.entry_interrupted);
        self.record.activity = if goes_on { Activity::Entry } else { Activity::Waiting };
        self.go_on();
        self.changed = true;
    }

    /// The name of the state's entry handler, empty if it has none.
    pub(super) fn entry_name(&self, plan: &Plan) -> Name {
        let entry = plan.state(&self.record.state).and_then(|state| state.entry.as_ref());
        entry.map(|entry| entry.name.clone()).unwrap_or_default()
    }

    pub(super) fn enter(&mut self, state: Name, data: Json, unclaimed: Vec<Name>, plan: &Plan, now: Timestamp) {
        self.enter_for(self.cause(), state, data, unclaimed, plan, now);
    }

    /// Enters a state because of `cause`.
    pub(super) fn enter_for(
        &mut self,
        cause: Cause,
        state: Name,
        data: Json,
        unclaimed: Vec<Name>,
        plan: &Plan,
        now: Timestamp,
    ) {
        let error = cause.caught().cloned();
        if !matches!(self.record.activity, Activity::Unwinding { .. }) {
            self.keep_undo(|_| true, now);
        }
        let kind = HistoryKind::Transition {
            from: std::mem::replace(&mut self.record.state, state.clone()),
            to: state,
            cause,
            duration_millis: u64::try_from(now.since(self.record.entered_at).as_millis()).unwrap_or(u64::MAX),
            attempts: self.attempts(),
            error,
            unclaimed,
        };
        self.note(kind, now);
        self.record.data = data;
        self.record.version = plan.version();
        self.record.visit += 1;
        self.keep_data();
        self.drop_journal(now);
        self.settle_in(plan, now);
        if plan.state(&self.record.state).is_some_and(|state| state.pivot || state.end) {
            self.clear_undo();
        }
        if self.record.activity == Activity::Ended {
            self.leave_events(now);
            self.report_end(now);
        }
    }

    /// Sets up the record for the state that it is in now.
    pub(super) fn settle_in(&mut self, plan: &Plan, now: Timestamp) {
        settle_in(&mut self.record, plan, now);
        // Nobody has looked at what is left of it in this state.
        self.look_again_at_inbox();
    }

    /// Notes the events that nothing takes any more.
    pub(super) fn leave_events(&mut self, now: Timestamp) {
        for EventRecord { seq, event } in std::mem::take(&mut self.inbox) {
            self.changes.consumed.push(seq);
            self.note(HistoryKind::EventLeft { event: event.name.into(), event_id: event.event_id }, now);
        }
    }

    pub(super) fn note(&mut self, kind: HistoryKind, now: Timestamp) {
        self.changes.history.push(HistoryRecord::new(now, self.record.visit, kind));
        self.changed = true;
    }
}

/// Sets up the record for a state that it has just entered.
fn settle_in(record: &mut ExecutionRecord, plan: &Plan, now: Timestamp) {
    let state = plan.state(&record.state).cloned().unwrap_or_default();
    index(record, plan);
    record.entered_at = now;
    record.resume_at = None;
    record.waits_for.clear();
    record.parked = None;
    record.set_aside = None;
    record.starts_at = None;
    record.entry_interrupted = false;
    record.edges_kept = 0;
    let timed = set_timers(record, &state, plan);
    record.activity = match (state.end, &state.entry) {
        (true, _) => Activity::Ended,
        // What is wrong with a timer shows when it is set again, so the state is looked at in any case.
        (false, None) if timed => Activity::Waiting,
        (false, _) => Activity::Entry,
    };
}
