//! An execution with everything around it: a store, a worker that may be lost, a clock, and what was done.
//!
//! What has to hold after each commit:
//!
//! * no event is consumed that was not in the inbox, and what consumes it says what became of it;
//! * an event is in the inbox, or was consumed: none is lost;
//! * the visit goes up by one with each transition, and with nothing else but being parked after everything was undone;
//! * a timer fires in its visit alone, not early, and once;
//! * what is to be undone is what was done and not undone, the newest first;
//! * a handler that begins again, after a crash too, finds all that was acknowledged;
//! * an edge that was taken is gone on with;
//! * what is over changes nothing;
//! * an execution that rests has nothing to do, or is due.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::disk::{Disk, id_of};
use super::facts::Facts;
use super::plans::{End, Model};
use crate::base::{Name, Timestamp};
use crate::kernel::{Decided, HandlerPlan, Kernel, Next, Plan};
use crate::record::{
    Activity, ControlAction, ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json, MoveOrder, NewEvent, Reason,
    UndoableCall,
};

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// An event arrives.
    Send(&'static str),
    /// A person asks for something.
    Ask(ControlAction),
    /// Time passes, up to when something is due.
    Clock,
    /// The worker is lost, with all that it had not written.
    Crash,
    /// A worker takes it up.
    Begin,
    /// The worker looks what has come meanwhile.
    Look,
    /// A step with an `undo` says that it begins.
    StepBegins,
    /// It has ended.
    StepEnds,
    /// It has failed for good, without an effect.
    StepFails,
    /// A step is done.
    Step,
    /// A step has failed, and is tried again later.
    StepRetries,
    /// The handler takes the event that it waits for.
    Receive,
    /// The handler waits for an event.
    WaitForEvent,
    /// The handler ends; where something has come meanwhile, without having looked.
    End(End, bool),
    /// An undo is done.
    Undo,
    /// It fails.
    UndoFails,
}

#[derive(Clone)]
struct Worker {
    kernel: Kernel,
    handler: HandlerPlan,
    /// What has been done, also what is not written.
    facts: Facts,
}

#[derive(Clone)]
pub(super) struct World<'a> {
    model: &'a Model,
    disk: Disk,
    worker: Option<Worker>,
    facts: Facts,
    consumed: BTreeSet<u64>,
    now: Timestamp,
}

impl Act {
    pub(super) fn is_from_outside(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Ask(_))
    }
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn error(message: &str) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: Vec::new() }
}

impl<'a> World<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let now = Timestamp::from_millis(0);
        let new = Kernel::start(model.start, json("{}"), &model.plan, now);
        let facts = Facts::new(&new.record);
        Self { model, disk: Disk::new(new.record), worker: None, facts, consumed: BTreeSet::new(), now }
    }

    fn plan(&self) -> &'a Plan {
        &self.model.plan
    }

    /// All that may happen now.
    pub(super) fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        match &self.worker {
            None if self.disk.is_due(self.now) => acts.push(Act::Begin),
            None => {}
            Some(worker) => self.acts_of(worker, &mut acts),
        }
        if self.disk.is_over() {
            return acts;
        }
        acts.extend(self.model.events.iter().map(|event| Act::Send(event)));
        acts.extend(self.model.requests.iter().map(|action| Act::Ask(*action)));
        if self.next_time().is_some() {
            acts.push(Act::Clock);
        }
        acts
    }

    fn acts_of(&self, worker: &Worker, acts: &mut Vec<Act>) {
        let Worker { kernel, handler, facts } = worker;
        acts.push(Act::Crash);
        if !handler.pure && self.would_interrupt(kernel) {
            acts.push(Act::Look);
        }
        if kernel.next_undo().is_some() {
            acts.extend([Act::Undo, Act::UndoFails]);
            return;
        }
        let script = &self.model.scripts[handler.name.as_str()];
        let has_begun = facts.begun_by(&handler.name).is_some();
        if has_begun {
            acts.extend([Act::StepEnds, Act::StepFails]);
        } else if script.undoable {
            acts.push(Act::StepBegins);
        }
        if script.steps {
            acts.extend([Act::Step, Act::StepRetries]);
        }
        if let Some(event) = script.receives {
            let is_there = kernel.receivable(self.plan()).iter().any(|there| there.event.name == event);
            acts.push(if is_there { Act::Receive } else { Act::WaitForEvent });
        }
        for end in &script.ends {
            acts.push(Act::End(*end, false));
            if self.has_news(kernel) {
                acts.push(Act::End(*end, true));
            }
        }
    }

    fn has_news(&self, kernel: &Kernel) -> bool {
        let mut looked = kernel.clone();
        looked.arrived(self.disk.events());
        looked.inbox.len() != kernel.inbox.len()
    }

    fn would_interrupt(&self, kernel: &Kernel) -> bool {
        let mut looked = kernel.clone();
        looked.arrived(self.disk.events());
        looked.is_interrupted(self.plan(), self.now)
    }

    /// When the next thing is due that is not due yet.
    fn next_time(&self) -> Option<Timestamp> {
        let timers = self.disk.record.timers.iter().filter(|timer| !timer.fired).map(|timer| timer.due);
        let times = timers.chain(self.disk.wake_at()).filter(|due| *due > self.now && *due < Timestamp::MAX);
        times.min()
    }

    pub(super) fn take(&mut self, act: Act, path: &[Act]) {
        let taken = catch_unwind(AssertUnwindSafe(|| self.take_it(act)));
        if let Err(panic) = taken {
            eprintln!("{}: {path:?}\nstored: {:#?}", self.model.name, self.disk.record);
            resume_unwind(panic);
        }
    }

    fn take_it(&mut self, act: Act) {
        match act {
            Act::Send(event) => self.disk.deliver(event, json("1"), self.now),
            Act::Ask(action) => {
                let order =
                    MoveOrder { reason: Reason::new("why"), state: self.model.start.to_owned(), data: json("{}") };
                let payload = match action {
                    ControlAction::Move => Json::encode(&order).unwrap(),
                    _ => Json::encode(&Reason::new("why")).unwrap(),
                };
                self.disk.deliver(action.event_name(), payload, self.now);
            }
            Act::Clock => self.now = self.next_time().unwrap(),
            Act::Crash => self.worker = None,
            Act::Begin => {
                let kernel = self.disk.load();
                self.go_on(kernel, self.facts.clone());
            }
            act => {
                let Worker { kernel, handler, facts } = self.worker.take().unwrap();
                self.work(act, kernel, handler, facts);
            }
        }
    }

    fn work(&mut self, act: Act, mut kernel: Kernel, handler: HandlerPlan, mut facts: Facts) {
        let plan = self.plan();
        kernel.at(self.now);
        let name = handler.name.clone();
        match act {
            Act::Look => {
                kernel.arrived(self.disk.events());
                return self.go_on(kernel, facts);
            }
            Act::StepBegins => {
                let key = facts.key(&name, "book");
                facts.begins(&key);
                kernel.recorded(vec![undoable(key, JournalResult::Started, &kernel)]);
            }
            Act::StepEnds => {
                let key = facts.begun_by(&name).unwrap().clone();
                facts.has_effect(&key);
                facts.acknowledged(&kernel, &name, &key);
                kernel.recorded(vec![undoable(key, JournalResult::Done(json("1")), &kernel)]);
            }
            Act::StepFails => {
                let key = facts.begun_by(&name).unwrap().clone();
                facts.has_no_effect(&key);
                let failed = JournalResult::Failed { error: error("no"), value: None };
                kernel.recorded(vec![undoable(key, failed, &kernel)]);
            }
            Act::Step => {
                let key = facts.key(&name, "call");
                facts.acknowledged(&kernel, &name, &key);
                kernel.recorded(vec![JournalEntry::new(key, 1, JournalResult::Done(json("1")))]);
            }
            Act::StepRetries => {
                let key = facts.key(&name, "call");
                let due = self.now + std::time::Duration::from_secs(3);
                let retrying = JournalResult::Retrying { error: error("busy"), due };
                kernel.recorded(vec![JournalEntry::new(key, 1, retrying)]);
                kernel.suspended(Some(due), Vec::new(), plan, self.now);
                return self.go_on(kernel, facts);
            }
            Act::Receive => {
                let event = kernel
                    .receivable(plan)
                    .into_iter()
                    .find(|event| Some(event.event.name.as_str()) == self.model.scripts[name.as_str()].receives)
                    .unwrap();
                let key = facts.key(&name, "recv");
                facts.acknowledged(&kernel, &name, &key);
                let NewEvent { name, payload, .. } = event.event;
                let received = JournalResult::Received { seq: event.seq, event: name.into(), payload };
                kernel.recorded(vec![JournalEntry::new(key, 1, received)]);
            }
            Act::WaitForEvent => {
                let event = self.model.scripts[name.as_str()].receives.unwrap();
                kernel.suspended(None, vec![event.into()], plan, self.now);
                return self.go_on(kernel, facts);
            }
            Act::End(end, is_blind) => {
                if !is_blind {
                    kernel.arrived(self.disk.events());
                }
                self.end(end, &mut kernel);
                return self.go_on(kernel, facts);
            }
            Act::Undo => {
                kernel.handled(Decided::Undone { effect: true }, Vec::new(), plan, self.now);
                return self.go_on(kernel, facts);
            }
            Act::UndoFails => {
                kernel.failed(error("no"), None, plan, self.now);
                return self.go_on(kernel, facts);
            }
            Act::Send(_) | Act::Ask(_) | Act::Clock | Act::Crash | Act::Begin => unreachable!(),
        }
        // A result is acknowledged when it is on disk, and the handler goes on.
        self.commit(&mut kernel, &mut facts);
        self.worker = Some(Worker { kernel, handler, facts });
    }

    fn end(&self, end: End, kernel: &mut Kernel) {
        let (plan, now) = (self.plan(), self.now);
        let decided = match end {
            End::Goto(state) => Decided::Goto { state, data: json("{}") },
            End::Unwind(state) => Decided::Unwind { state, data: json("{}") },
            End::Stay => Decided::Stay { data: json("{}") },
            End::Wait => Decided::Wait,
            End::Reply => Decided::Reply { reply: json("1"), then: Box::new(Decided::Wait) },
            End::Refuse => Decided::Refuse { refusal: json("0") },
            End::Fail => return kernel.failed(error("no"), None, plan, now),
            End::FailInto(catch) => return kernel.failed(error("no"), Some((catch.into(), json("0"))), plan, now),
        };
        kernel.handled(decided, Vec::new(), plan, now);
    }

    /// What a driver does until a handler runs, or nothing is to be done.
    fn go_on(&mut self, mut kernel: Kernel, mut facts: Facts) {
        for _ in 0..100 {
            let is_loaded = kernel.changes.is_empty() && !kernel.changed;
            let taken = match &kernel.record().activity {
                Activity::Handler { handler, .. } if is_loaded && self.has_to_go_on(&kernel) => Some(handler.clone()),
                _ => None,
            };
            let next = kernel.decide(self.plan(), self.now);
            if let Some(taken) = taken {
                let is_same = matches!(&next, Next::Run(handler) if handler.name == taken);
                assert!(is_same, "the edge of `{taken}` was taken, and then {next:?}");
            }
            match next {
                Next::Run(handler) => {
                    if !handler.pure {
                        self.commit(&mut kernel, &mut facts);
                    }
                    facts.check_journal(&kernel, &handler.name);
                    self.worker = Some(Worker { kernel, handler, facts });
                    return;
                }
                Next::ReadUndo => {
                    self.commit(&mut kernel, &mut facts);
                    kernel.undo_read(self.disk.top(kernel.record().undo_wanted()), self.now);
                }
                Next::Tell => {
                    self.commit(&mut kernel, &mut facts);
                    kernel.delivered();
                    self.commit(&mut kernel, &mut facts);
                }
                Next::Wait { .. } | Next::Parked | Next::Ended => {
                    self.commit(&mut kernel, &mut facts);
                    self.check_rest();
                    return;
                }
            }
        }
        panic!("it goes on for ever");
    }

    /// Whether nothing stands between a taken edge and its handler.
    fn has_to_go_on(&self, kernel: &Kernel) -> bool {
        let record = kernel.record();
        let is_asked = kernel.inbox.iter().any(|event| event.event.control().is_some());
        let is_waiting = record.resume_at.is_some_and(|due| due > self.now);
        !is_asked && !is_waiting && record.parked.is_none() && record.outgoing.is_empty()
    }

    fn commit(&mut self, kernel: &mut Kernel, facts: &mut Facts) {
        assert_eq!(kernel.stored_visit(), self.disk.record.visit, "a write is fenced by the visit that is stored");
        let changes = kernel.take_changes();
        if changes.is_empty() {
            return;
        }
        let before = self.disk.record.clone();
        for seq in &changes.consumed {
            assert!(self.consumed.insert(*seq), "event {seq} is consumed twice");
            let told =
                format!("{:?} {:?} {:?} {:?}", changes.record, changes.history, changes.journal, changes.replies);
            let is_received = told.contains(&format!("Received {{ seq: {seq},"));
            assert!(is_received || told.contains(&id_of(*seq)), "nothing is told of event {seq}: {told}");
        }
        let history = changes.history.clone();
        self.disk.apply(*changes);
        facts.follow(&history, &before, &self.disk.record, self.model);
        facts.check_undo(&self.disk);
        let all: BTreeSet<u64> = (1..=self.disk.sent).collect();
        if !self.disk.is_over() {
            let there: BTreeSet<u64> = self.disk.inbox.keys().chain(&self.consumed).copied().collect();
            assert_eq!(there, all, "no event is lost");
        }
        assert_eq!(self.disk.record, *kernel.record(), "what is stored is what the worker has");
        self.facts = facts.clone();
    }

    /// What rests and is not due has nothing that it could do.
    fn check_rest(&self) {
        if self.disk.is_due(self.now) || self.disk.is_over() {
            return;
        }
        let record = &self.disk.record;
        assert!(self.disk.inbox.values().all(|event| event.control().is_none()), "a request is left lying");
        assert!(record.outgoing.is_empty(), "something is left to tell");
        if record.parked.is_some() {
            return;
        }
        assert!(!matches!(record.activity, Activity::Unwinding { .. }), "undoing does not wait");
        let state = self.plan().state(&record.state).unwrap();
        if matches!(record.activity, Activity::Entry | Activity::Waiting) {
            let taken = self.disk.inbox.values().find(|event| state.on(&event.name).is_some());
            assert_eq!(taken, None, "an event is left lying that an edge takes");
            let due = record.timers.iter().find(|timer| !timer.fired && timer.due <= self.now);
            assert_eq!(due, None, "a timer is due, and nobody looks");
        }
        let awaited = self.disk.inbox.values().find(|event| record.waits_for.iter().any(|name| **name == *event.name));
        assert_eq!(awaited, None, "an event is left lying that the handler waits for");
    }

    /// Is left to itself, with no worker, until nothing happens any more.
    pub(super) fn come_to_rest(mut self, path: &[Act]) {
        self.worker = None;
        let mut path = path.to_vec();
        for _ in 0..200 {
            let act = match &self.worker {
                Some(worker) => self.by_itself(worker),
                None if self.disk.is_due(self.now) => Act::Begin,
                None if self.next_time().is_some() && self.now < Timestamp::from_millis(200_000) => Act::Clock,
                None => break,
            };
            path.push(act);
            self.take(act, &path);
        }
        assert!(self.worker.is_none() && !self.disk.is_due(self.now), "it does not come to rest: {path:?}");
        self.check_rest();
        if self.disk.is_over() {
            self.check_over(&path);
        }
    }

    fn by_itself(&self, worker: &Worker) -> Act {
        let handler: &Name = &worker.handler.name;
        if worker.kernel.next_undo().is_some() {
            return Act::Undo;
        }
        let script = &self.model.scripts[handler.as_str()];
        match script.ends.first() {
            _ if self.would_interrupt(&worker.kernel) && !worker.handler.pure => Act::Look,
            Some(end) => Act::End(*end, false),
            None => unreachable!(),
        }
    }

    fn check_over(&self, path: &[Act]) {
        let mut kernel = self.disk.load();
        kernel.arrived(vec![crate::record::EventRecord {
            seq: 99,
            event: NewEvent {
                event_id: "late".to_owned(),
                name: "~retry".into(),
                payload: json("{}"),
                sent_at: self.now,
            },
        }]);
        let later = self.now + std::time::Duration::from_secs(1_000);
        assert_eq!(kernel.decide(self.plan(), later), Next::Ended, "{path:?}");
        assert!(kernel.take_changes().is_empty(), "what is over changes nothing: {path:?}");
    }
}

fn undoable(key: Name, result: JournalResult, kernel: &Kernel) -> JournalEntry {
    let args = matches!(result, JournalResult::Started).then(|| json("[]"));
    let undo = UndoableCall { step: "book".into(), edge_number: kernel.record().edge_number(), args, order: 0 };
    JournalEntry { undo: Some(undo), ..JournalEntry::new(key, 1, result) }
}
