//! The small machines that are walked, and what their handlers can do.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kernel::{AfterPlan, EventPolicy, HandlerPlan, OnFailure, OnPlan, Plan, StatePlan, TimerRule};
use crate::record::ControlAction;

/// A machine, and what comes to it from outside.
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) plan: Plan,
    pub(super) start: &'static str,
    pub(super) scripts: BTreeMap<&'static str, Script>,
    pub(super) events: &'static [&'static str],
    pub(super) requests: &'static [ControlAction],
}

/// What a handler can do.
#[derive(Default)]
pub(super) struct Script {
    /// The ways in which it can end. The first is the one that it takes when it is left to itself.
    pub(super) ends: Vec<End>,
    /// Whether it has steps without an `undo`, which may fail and be tried again.
    pub(super) steps: bool,
    /// Whether it has steps with an `undo`.
    pub(super) undoable: bool,
    /// The event that it may wait for.
    pub(super) receives: Option<&'static str>,
}

/// How a handler ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Goto(&'static str),
    Unwind(&'static str),
    Stay,
    Wait,
    Reply,
    Refuse,
    Fail,
    /// It fails, and this handler takes the error.
    FailInto(&'static str),
}

fn effect(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: false }
}

fn pure(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: true }
}

fn on(event: &str, handler: HandlerPlan) -> OnPlan {
    OnPlan { events: vec![event.to_owned()], handler }
}

fn after(seconds: u64, handler: HandlerPlan) -> AfterPlan {
    AfterPlan { rule: TimerRule::After(Duration::from_secs(seconds)), handler }
}

fn ends(ends: &[End]) -> Script {
    Script { ends: ends.to_vec(), ..Script::default() }
}

fn end() -> StatePlan {
    StatePlan { end: true, ..StatePlan::default() }
}

/// An order that waits to be paid, is worked on, and may come back.
pub(super) fn order() -> Model {
    let mut plan = Plan::default();
    let waiting = StatePlan {
        on: vec![on("pay", effect("paid")), on("note", pure("noted"))],
        after: vec![after(10, pure("reminded")), after(20, effect("late"))],
        ..StatePlan::default()
    };
    let working = StatePlan {
        entry: Some(effect("work")),
        on: vec![on("note", effect("noted_at_work"))],
        after: vec![after(15, effect("too_slow"))],
        catch: vec![effect("gave_up")],
        ..StatePlan::default()
    };
    plan.add("waiting", &[], waiting);
    plan.add("working", &[], working);
    plan.add("done", &[], end());
    let scripts = [
        ("paid", Script { steps: true, ..ends(&[End::Goto("working"), End::Stay]) }),
        ("noted", ends(&[End::Stay, End::Refuse])),
        ("reminded", ends(&[End::Wait])),
        ("late", ends(&[End::Goto("done"), End::Fail])),
        ("work", Script { steps: true, ..ends(&[End::Goto("done"), End::Goto("waiting"), End::FailInto("gave_up")]) }),
        ("noted_at_work", Script { steps: true, ..ends(&[End::Wait, End::Goto("waiting")]) }),
        ("too_slow", ends(&[End::Goto("waiting"), End::Wait])),
        ("gave_up", ends(&[End::Goto("waiting"), End::Fail])),
    ];
    Model {
        name: "order",
        plan,
        start: "waiting",
        scripts: scripts.into(),
        events: &["pay", "note"],
        requests: &[ControlAction::Retry],
    }
}

/// A trip that is booked and undone, with a point of no return.
pub(super) fn saga() -> Model {
    let mut plan = Plan::default();
    plan.set_on_failure(OnFailure::Unwind);
    let booking = StatePlan {
        entry: Some(effect("book")),
        on: vec![on("change", effect("changed")), on("stop", pure("stopped"))],
        ..StatePlan::default()
    };
    let paying = StatePlan { entry: Some(effect("pay")), ..StatePlan::default() };
    let sealed = StatePlan { pivot: true, entry: Some(effect("seal")), ..StatePlan::default() };
    plan.add("booking", &[], booking);
    plan.add("paying", &[], paying);
    plan.add("sealed", &[], sealed);
    plan.add("done", &[], end());
    plan.add("dropped", &[], end());
    let undoable = |of| Script { undoable: true, ..ends(of) };
    let scripts = [
        ("book", undoable(&[End::Goto("paying"), End::Fail])),
        ("changed", undoable(&[End::Stay])),
        ("stopped", ends(&[End::Unwind("dropped"), End::Wait])),
        ("pay", undoable(&[End::Goto("sealed"), End::Unwind("dropped"), End::Fail])),
        ("seal", undoable(&[End::Goto("done"), End::Unwind("dropped")])),
    ];
    Model {
        name: "saga",
        plan,
        start: "booking",
        scripts: scripts.into(),
        events: &["change", "stop"],
        requests: &[ControlAction::Cancel, ControlAction::Retry],
    }
}

/// A small saga of which a person asks everything that can be asked.
pub(super) fn by_hand() -> Model {
    let mut plan = Plan::default();
    let cancel = ControlAction::Cancel.event_name();
    let booking =
        StatePlan { entry: Some(effect("book")), after: vec![after(10, pure("late"))], ..StatePlan::default() };
    let resting = StatePlan {
        on: vec![on(cancel, effect("cancelled")), on("go", effect("gone"))],
        after: vec![after(10, pure("late"))],
        ..StatePlan::default()
    };
    plan.add("booking", &[], booking);
    plan.add("resting", &[], resting);
    plan.add("done", &[], end());
    let scripts = [
        ("book", Script { undoable: true, steps: true, ..ends(&[End::Goto("resting"), End::Fail]) }),
        ("cancelled", ends(&[End::Unwind("done"), End::Wait])),
        ("gone", Script { steps: true, ..ends(&[End::Stay, End::Fail]) }),
        ("late", ends(&[End::Wait])),
    ];
    Model {
        name: "by hand",
        plan,
        start: "booking",
        scripts: scripts.into(),
        events: &["go"],
        requests: &ControlAction::ALL,
    }
}

/// Handlers without effects, handlers that receive events, answers, and events that are not kept.
pub(super) fn mail() -> Model {
    let mut plan = Plan::default();
    plan.set_policy("junk", EventPolicy::Reject);
    plan.set_policy("ask", EventPolicy::Drop);
    let sorting = StatePlan {
        entry: Some(pure("sort")),
        on: vec![on("ask", pure("asked"))],
        after: vec![AfterPlan { rule: TimerRule::Every(Duration::from_secs(10)), handler: pure("again") }],
        ..StatePlan::default()
    };
    let reading = StatePlan {
        entry: Some(effect("read")),
        on: vec![on("ask", effect("asked_back"))],
        after: vec![after(30, pure("bored"))],
        ..StatePlan::default()
    };
    plan.add("sorting", &[], sorting);
    plan.add("reading", &[], reading);
    plan.add("done", &[], end());
    let scripts = [
        ("sort", ends(&[End::Goto("reading"), End::Wait])),
        ("asked", ends(&[End::Reply, End::Goto("reading")])),
        ("again", ends(&[End::Wait])),
        ("read", Script { receives: Some("letter"), ..ends(&[End::Goto("done"), End::Goto("sorting")]) }),
        ("asked_back", Script { steps: true, ..ends(&[End::Reply, End::Refuse, End::Fail]) }),
        ("bored", ends(&[End::Goto("sorting")])),
    ];
    Model {
        name: "mail",
        plan,
        start: "sorting",
        scripts: scripts.into(),
        events: &["letter", "junk", "ask"],
        requests: &[],
    }
}
