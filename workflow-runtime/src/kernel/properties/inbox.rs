//! Events, in whatever order and pieces they come, with a worker that is lost now and then.

use proptest::prelude::*;

use super::config;
use crate::base::Timestamp;
use crate::kernel::{Decided, EventPolicy, HandlerPlan, Kernel, Next, OnPlan, Plan, StatePlan};
use crate::record::{EventRecord, ExecutionRecord, HistoryKind, HistoryRecord, Json, NewEvent};

/// An edge takes `a` and `b`; `c` is kept, `d` refused, `e` forgotten.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Debug, Clone)]
enum Act {
    /// An event of this name arrives.
    Arrives(usize),
    /// The worker looks, decides, and runs so many handlers.
    Works(usize),
    /// What it has done is written.
    Writes,
    /// It is lost.
    IsLost,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..NAMES.len()).prop_map(Act::Arrives),
        4 => (0..4_usize).prop_map(Act::Works),
        2 => Just(Act::Writes),
        1 => Just(Act::IsLost),
    ];
    prop::collection::vec(act, 0..60)
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    let on = |event: &str| OnPlan {
        events: vec![event.to_owned()],
        handler: HandlerPlan { name: format!("on_{event}").into(), pure: true },
    };
    plan.add("open", &[], StatePlan { on: vec![on("a"), on("b")], ..StatePlan::default() });
    plan.set_policy("d", EventPolicy::Reject);
    plan.set_policy("e", EventPolicy::Drop);
    plan
}

struct World {
    plan: Plan,
    now: Timestamp,
    record: ExecutionRecord,
    inbox: Vec<EventRecord>,
    history: Vec<HistoryRecord>,
    worker: Kernel,
}

impl World {
    fn works(&mut self, handlers: usize) {
        self.worker.arrived(self.inbox.clone());
        for _ in 0..handlers {
            let Next::Run(_) = self.worker.decide(&self.plan, self.now) else { return };
            self.worker.handled(Decided::Stay { data: Json::null() }, Vec::new(), &self.plan, self.now);
        }
    }

    fn writes(&mut self) {
        let changes = self.worker.take_changes();
        let before = self.inbox.len();
        self.inbox.retain(|event| !changes.consumed.contains(&event.seq));
        assert_eq!(before - self.inbox.len(), changes.consumed.len(), "what is consumed was there");
        self.history.extend(changes.history);
        self.record = changes.record.unwrap_or(self.record.clone());
    }

    fn ids(&self, of: impl Fn(&HistoryKind) -> Option<String>) -> Vec<String> {
        self.history.iter().filter_map(|row| of(&row.kind)).collect()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn each_event_is_taken_once_in_order_or_kept_or_refused(acts in acts()) {
        let plan = plan();
        let now = Timestamp::EPOCH;
        let new = Kernel::start("open", Json::null(), &plan, now);
        let worker = Kernel::begun(new.record.clone());
        let mut world = World { plan, now, record: new.record, inbox: Vec::new(), history: Vec::new(), worker };
        let mut sent: Vec<(String, &str)> = Vec::new();
        for act in acts {
            match act {
                Act::Arrives(name) => {
                    let (seq, name) = (sent.len() as u64 + 1, NAMES[name]);
                    let event_id = format!("id-{seq}");
                    sent.push((event_id.clone(), name));
                    let event = NewEvent { event_id, name: name.to_owned(), payload: Json::null(), sent_at: now };
                    world.inbox.push(EventRecord { seq, event });
                }
                Act::Works(handlers) => world.works(handlers),
                Act::Writes => world.writes(),
                Act::IsLost => {
                    world.worker = Kernel::new(world.record.clone(), Vec::new(), world.inbox.clone(), Vec::new());
                }
            }
        }
        world.works(usize::MAX);
        world.writes();
        let of = |names: &[&str]| -> Vec<String> {
            sent.iter().filter(|(_, name)| names.contains(name)).map(|(id, _)| id.clone()).collect()
        };
        let taken = world.ids(|kind| match kind {
            HistoryKind::Stayed { cause: crate::record::Cause::Event { event_id, .. }, .. } => Some(event_id.clone()),
            _ => None,
        });
        let refused = world.ids(|kind| match kind {
            HistoryKind::EventRefused { event_id, .. } => Some(event_id.clone()),
            _ => None,
        });
        let kept: Vec<String> = world.inbox.iter().map(|event| event.event.event_id.clone()).collect();
        prop_assert_eq!((taken, refused, kept), (of(&["a", "b"]), of(&["d", "e"]), of(&["c"])));
    }
}
