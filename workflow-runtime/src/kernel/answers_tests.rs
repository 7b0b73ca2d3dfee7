//! Answers to events, and events that nothing takes.

use crate::base::Timestamp;
use crate::kernel::{Decided, EventPolicy, HandlerPlan, Kernel, Next, OnPlan, Plan, StatePlan};
use crate::record::{
    Answer, ErrorKind, ErrorRecord, EventRecord, ExecutionRecord, HistoryKind, Json, NewEvent, ReplyRecord,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn handler(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: false }
}

/// open -asked-> done; it catches what fails. `urgent` is rejected and `hint` dropped where nothing takes them.
fn plan() -> Plan {
    let mut plan = Plan::default();
    let on = vec![OnPlan { events: vec!["ask".to_owned()], handler: handler("asked") }];
    plan.add("open", &[], StatePlan { on, catch: vec![handler("caught")], ..StatePlan::default() });
    plan.add("done", &[], StatePlan { end: true, ..StatePlan::default() });
    plan.set_policy("urgent", EventPolicy::Reject);
    plan.set_policy("hint", EventPolicy::Drop);
    plan
}

fn event(seq: u64, name: &str) -> EventRecord {
    let event = NewEvent { event_id: format!("id-{seq}"), name: name.into(), payload: json("1"), sent_at: at(0) };
    EventRecord { seq, event }
}

fn open(inbox: Vec<EventRecord>) -> Kernel {
    Kernel::new(Kernel::start("open".to_owned(), json("{}"), &plan(), at(0)).record, Vec::new(), inbox, Vec::new())
}

/// An execution whose edge for the first event is under way, also after a crash.
fn asked() -> Kernel {
    let mut execution = open(vec![event(1, "ask")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("asked")));
    let text = serde_json::to_string(execution.record()).unwrap();
    let record: ExecutionRecord = serde_json::from_str(&text).unwrap();
    Kernel::begun(record)
}

fn answers(execution: &mut Kernel) -> Vec<(String, Answer)> {
    let replies = execution.take_changes().replies.into_iter();
    replies.map(|ReplyRecord { event_id, answer }| (event_id, answer)).collect()
}

#[test]
fn an_answer_is_part_of_the_change_that_the_edge_makes() {
    let mut execution = asked();
    let then = Box::new(Decided::Goto { state: "done", data: json("{}") });
    execution.handled(Decided::Reply { reply: json("7"), then }, vec![], &plan(), at(2));
    let changes = execution.take_changes();
    assert_eq!(changes.replies, [ReplyRecord { event_id: "id-1".to_owned(), answer: Answer::Replied(json("7")) }]);
    assert_eq!(changes.record.unwrap().state, "done");
}

#[test]
fn a_refusal_leaves_all_as_it_was_and_is_noted() {
    let mut execution = asked();
    let before = execution.record().clone();
    execution.handled(Decided::Refuse { refusal: json("\"no\"") }, vec![], &plan(), at(2));
    let record = execution.record();
    assert_eq!((&record.state, &record.data, record.visit), (&before.state, &before.data, before.visit));
    let changes = execution.take_changes();
    assert!(matches!(changes.history[0].kind, HistoryKind::Refused { .. }));
    assert_eq!(changes.replies[0].answer, Answer::Refused(json("\"no\"")));
    assert_eq!(execution.decide(&plan(), at(3)), Next::Wait { until: None });
}

#[test]
fn who_asks_is_told_that_another_edge_caught_the_failure() {
    let error = ErrorRecord { kind: ErrorKind::Failed, message: "broken".to_owned(), sources: Vec::new() };
    let mut execution = asked();
    execution.failed(error.clone(), Some(("caught".into(), json("1"))), &plan(), at(2));
    assert_eq!(answers(&mut execution), [("id-1".to_owned(), Answer::Failed { error: error.clone() })]);
    let mut parked = asked();
    parked.failed(error, None, &plan(), at(2));
    assert_eq!(answers(&mut parked), [], "a retry may answer yet");
}

#[test]
fn an_event_that_nothing_takes_is_kept_rejected_or_dropped_as_its_type_says() {
    let mut execution = open(vec![event(1, "later"), event(2, "urgent"), event(3, "hint")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: None });
    let changes = execution.take_changes();
    assert_eq!(changes.consumed, [2, 3]);
    let noted = changes.history.iter().filter(|row| matches!(row.kind, HistoryKind::EventRefused { .. }));
    assert_eq!(noted.count(), 2);
    let state = || "open".to_owned();
    let answers: Vec<_> = changes.replies.into_iter().map(|reply| reply.answer).collect();
    assert_eq!(answers, [Answer::Rejected { state: state() }, Answer::Dropped { state: state() }]);
}

#[test]
fn an_event_that_an_entry_handler_may_receive_is_not_judged_before_the_handler_has_run() {
    let mut plan = plan();
    let on = vec![OnPlan { events: vec!["ask".to_owned()], handler: handler("asked") }];
    plan.add("open", &[], StatePlan { entry: Some(handler("listen")), on, ..StatePlan::default() });
    let record = Kernel::start("open".to_owned(), json("{}"), &plan, at(0)).record;
    let mut execution = Kernel::new(record, Vec::new(), vec![event(1, "urgent")], Vec::new());
    assert_eq!(execution.decide(&plan, at(1)), Next::Run(handler("listen")));
    assert_eq!(answers(&mut execution), []);
    execution.suspended(None, vec!["urgent".into()], &plan, at(1));
    // An edge interrupts it, and keeps the visit.
    execution.arrived(vec![event(2, "ask")]);
    assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("asked")));
    execution.arrived(vec![event(3, "urgent")]);
    execution.handled(Decided::Wait, vec![], &plan, at(2));
    assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("listen")));
    assert_eq!(answers(&mut execution), []);
    execution.suspended(Some(at(9)), Vec::new(), &plan, at(2));
    assert_eq!(execution.decide(&plan, at(3)), Next::Wait { until: Some(at(9)) });
    assert_eq!(answers(&mut execution).len(), 2, "now it waits for something else, and the first one is still there");
}

#[test]
fn what_waits_behind_an_edge_that_is_under_way_is_judged_by_the_state_that_it_leads_to() {
    let mut execution = open(vec![event(1, "ask"), event(2, "urgent")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("asked")));
    assert_eq!(answers(&mut execution), []);
}
