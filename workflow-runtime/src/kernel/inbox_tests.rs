//! The rows of the table at the top of `execution.rs` that are about events which handlers receive.

use super::super::tests::{at, event, goto, handler, json, plan, reload, result, start};
use super::super::{Kernel, Next};
use super::*;
use crate::record::{ChildEnd, Json, Status};

fn received(key: &str, seq: u64) -> JournalEntry {
    result(key, 0, JournalResult::Received { seq, event: "answer".into(), payload: json("1") })
}

fn waiting_for(events: &[&str]) -> Kernel {
    let mut execution = start("stuck");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("hang")));
    let events = events.iter().map(|event| (*event).into()).collect();
    execution.suspended(None, events, &plan(), at(0));
    execution
}

fn report(seq: u64, visit: u64) -> EventRecord {
    let end = ChildEnd::Cancelled { reason: "no need".into() };
    let report = ChildReport { visit, edge: 0, call: "work:call:0".into(), end };
    let mut event = event(seq, CHILD_EVENT);
    event.event.payload = Json::encode(&report).unwrap();
    event
}

#[test]
fn a_handler_that_waits_for_an_event_goes_on_when_it_has_come_and_not_for_another() {
    let mut execution = waiting_for(&["answer"]);
    let waits = Next::Wait { until: Some(Timestamp::MAX) };
    assert_eq!(execution.decide(&plan(), at(0)), waits);
    assert_eq!(execution.record().status(), Status::Waiting);
    let (mut execution, _) = reload(&mut execution, vec![event(1, "other")]);
    assert_eq!(execution.decide(&plan(), at(1)), waits);
    assert_eq!(execution.record().inbox_seen, 1);
    let (mut execution, _) = reload(&mut execution, vec![event(1, "other"), event(2, "answer")]);
    assert_eq!(execution.decide(&plan(), at(2)), Next::Run(handler("hang")));
    assert_eq!(execution.record().waits_for, [""; 0]);
}

#[test]
fn an_event_that_was_offered_and_not_taken_does_not_make_the_handler_run_again() {
    let mut execution = waiting_for(&["answer"]);
    execution.arrived(vec![event(1, "answer")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("hang")));
    execution.suspended(None, vec!["answer".into()], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: Some(Timestamp::MAX) });
}

#[test]
fn a_received_event_is_consumed_in_the_commit_that_records_it() {
    let mut execution = waiting_for(&["answer"]);
    let _ = execution.take_changes();
    execution.arrived(vec![event(1, "other"), event(2, "answer")]);
    execution.recorded(vec![received("hang:recv:answer:0", 2)]);
    let changes = execution.take_changes();
    assert_eq!((changes.consumed, changes.journal.len()), (vec![2], 1));
    assert_eq!(execution.receivable(&plan()), [event(1, "other")]);
    execution.arrived(vec![event(3, "answer"), event(4, "other")]);
    assert_eq!(execution.receivable_after(2, &plan()), [event(3, "answer"), event(4, "other")]);
    assert_eq!(execution.receivable_after(4, &plan()), []);
}

#[test]
fn what_an_edge_takes_is_not_offered_and_waiting_for_it_parks() {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution.arrived(vec![event(1, "cancel"), event(2, "answer")]);
    assert_eq!(execution.receivable(&plan()), [event(2, "answer")]);
    execution.suspended(None, vec!["cancel".into()], &plan(), at(0));
    let error = &execution.record().parked.as_ref().unwrap().error;
    assert!(error.message.contains("`cancel`, which the edge `cancelled`"), "{}", error.message);
}

#[test]
fn an_edge_goes_before_an_event_that_is_waited_for_and_the_handler_gets_that_afterwards() {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution.suspended(None, vec!["answer".into()], &plan(), at(0));
    execution.arrived(vec![event(1, "answer"), event(2, "note")]);
    let Next::Run(noted) = execution.decide(&plan(), at(1)) else { panic!("the edge is not taken") };
    assert_eq!(noted.name, "noted_at_work");
    execution.handled(super::super::Decided::Wait, vec![], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("work")));
    assert_eq!(execution.receivable(&plan()), [event(1, "answer")]);
}

#[test]
fn a_timer_fires_while_an_event_is_waited_for() {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution.suspended(None, vec!["answer".into()], &plan(), at(0));
    assert_eq!(execution.decide(&plan(), at(0)), Next::Wait { until: Some(at(100)) });
    assert_eq!(execution.decide(&plan(), at(100)), Next::Run(handler("too_slow")));
}

#[test]
fn a_report_for_an_earlier_visit_is_dropped_with_a_note() {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution.handled(goto("stuck"), vec![], &plan(), at(1));
    let (mut execution, _) = reload(&mut execution, vec![report(1, 1), report(2, 2)]);
    assert_eq!(execution.decide(&plan(), at(2)), Next::Run(handler("hang")));
    let changes = execution.take_changes();
    assert_eq!(changes.consumed, [1]);
    assert!(matches!(&changes.history[0].kind, HistoryKind::ReportDropped { child } if child == "id-1"));
    assert_eq!(execution.receivable(&plan()), [report(2, 2)]);
}

#[test]
fn a_report_that_was_looked_at_is_looked_at_again_in_the_next_visit() {
    let mut execution = start("working");
    execution.arrived(vec![report(1, 1)]);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    assert_eq!(execution.receivable(&plan()), [report(1, 1)]);
    execution.arrived(vec![report(2, 0), report(3, 1)]);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    assert_eq!(execution.take_changes().consumed, [2], "of those that have come since, too");
    execution.handled(goto("stuck"), vec![], &plan(), at(1));
    execution.arrived(vec![report(4, 2)]);
    assert_eq!(execution.decide(&plan(), at(2)), Next::Run(handler("hang")));
    assert_eq!(execution.take_changes().consumed, [1, 3]);
    assert_eq!(execution.receivable(&plan()), [report(4, 2)]);
}

#[test]
fn a_retry_forgets_failures_and_keeps_what_was_received_and_started() {
    let mut execution = start("stuck");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("hang")));
    let started = JournalResult::Child {
        workflow: "Child".to_owned(),
        id: "1".to_owned(),
        cancel_when_left: true,
        asked_in: None,
    };
    execution.recorded(vec![received("hang:recv:answer:0", 1), result("hang:call:0", 0, started)]);
    execution.suspended(None, vec![], &plan(), at(0));
    assert!(execution.retry(at(1)), "nothing could bring it on, so it was parked");
    assert_eq!(execution.take_changes().forget, [""; 0]);
}
