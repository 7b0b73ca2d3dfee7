//! The rows of the table at the top of `execution.rs` that are about parents and children, and about later starts.

use super::super::tests::{at, error, event, goto, handler, json, plan, reload, result, start};
use super::*;
use crate::record::{Closed, ParentRecord, Status};

fn child(state: &str, reports_parking: bool) -> Kernel {
    let mut new = Kernel::start(state.to_owned(), json("{}"), &plan(), at(0));
    new.record.parent = Some(ParentRecord {
        workflow: "Parent".to_owned(),
        id: "p".to_owned(),
        child: "Child/c".to_owned(),
        visit: 3,
        edge: 1,
        call: "work:call:0".into(),
        reports: true,
        reports_parking,
    });
    Kernel::begun(new.record)
}

/// What the only thing that is outgoing reports.
fn reported(execution: &Kernel) -> ChildEnd {
    let [outgoing] = execution.outgoing() else { panic!("{:?}", execution.outgoing()) };
    assert_eq!((outgoing.workflow.as_str(), outgoing.id.as_str()), ("Parent", "p"));
    assert_eq!(outgoing.event.name, CHILD_EVENT);
    let report: ChildReport = outgoing.event.payload.decode().unwrap();
    assert_eq!((report.visit, report.edge, report.call.as_str()), (3, 1, "work:call:0"));
    report.end
}

#[test]
fn a_child_that_ends_tells_its_parent_before_it_is_over() {
    let mut execution = child("working", false);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution.handled(goto("done"), vec![], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Tell);
    let (mut execution, _) = reload(&mut execution, vec![]);
    assert_eq!(execution.record().status(), Status::Running, "it is due also after a crash");
    assert_eq!(execution.decide(&plan(), at(2)), Next::Tell);
    assert_eq!(reported(&execution), ChildEnd::Ended { state: "done".into(), data: json("{\"to\":1}"), version: 1 });
    execution.delivered();
    assert_eq!(execution.decide(&plan(), at(2)), Next::Ended);
    assert_eq!(execution.record().status(), Status::Ended);
}

#[test]
fn a_child_that_is_closed_tells_its_parent_why() {
    let mut execution = child("working", false);
    execution.close(Closed::Terminated { reason: "enough".into() }, at(1));
    assert_eq!(reported(&execution), ChildEnd::Terminated { reason: "enough".into() });
}

#[test]
fn a_parked_child_tells_its_parent_only_where_that_is_declared() {
    let mut silent = child("working", false);
    silent.park(error("no"), at(1));
    assert_eq!(silent.outgoing(), []);
    assert_eq!(silent.decide(&plan(), at(1)), Next::Parked);

    let mut execution = child("working", true);
    execution.park(error("no"), at(1));
    assert_eq!(reported(&execution), ChildEnd::Parked { error: error("no") });
    assert_eq!(execution.decide(&plan(), at(1)), Next::Tell);
    execution.delivered();
    assert_eq!(execution.decide(&plan(), at(1)), Next::Parked);
    let first = execution.record().clone();
    assert!(execution.retry(at(2)));
    execution.park(error("no"), at(3));
    assert_eq!(execution.outgoing().len(), 1, "each time is told of: {first:?}");
    let [outgoing] = execution.outgoing() else { panic!() };
    assert_eq!(outgoing.event.event_id, "Child/c:parked:3000");
}

#[test]
fn a_child_that_is_parked_as_it_is_looked_at_tells_its_parent_at_once() {
    let mut lost = child("no_state_any_more", true);
    assert_eq!(lost.decide(&plan(), at(1)), Next::Tell);
    assert!(matches!(reported(&lost), ChildEnd::Parked { .. }));
    lost.delivered();
    assert_eq!(lost.decide(&plan(), at(1)), Next::Parked);
}

fn called(key: &str, cancel_when_left: bool) -> JournalEntry {
    let child =
        JournalResult::Child { workflow: "Child".to_owned(), id: key.to_owned(), cancel_when_left, asked_in: None };
    result(key, 0, child)
}

fn report(key: &str, end: ChildEnd) -> JournalEntry {
    let report = ChildReport { visit: 1, edge: 0, call: key.into(), end };
    let payload = Json::encode(&report).unwrap();
    result(&report_key(key), 0, JournalResult::Received { seq: 9, event: CHILD_EVENT.into(), payload })
}

fn cancelled(execution: &Kernel) -> Vec<&str> {
    let outgoing = execution.outgoing().iter();
    let ids = outgoing.map(|outgoing| {
        assert_eq!(outgoing.event.name, "~cancel");
        outgoing.id.as_str()
    });
    ids.collect()
}

fn with_children() -> Kernel {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    let ended = ChildEnd::Ended { state: "done".into(), data: Json::null(), version: 1 };
    let parked = ChildEnd::Parked { error: error("no") };
    execution.recorded(vec![
        called("work:a:0", true),
        called("work:b:0", false),
        called("work:c:0", true),
        report("work:c:0", ended.clone()),
        called("work:d:0", true),
        report("work:d:0", parked),
        called("work:e:0", true),
        result("work:e:0:report", 0, JournalResult::Done(Json::encode(&ended).unwrap())),
    ]);
    execution
}

#[test]
fn a_transition_cancels_the_children_that_nobody_waits_for_any_more() {
    let mut execution = with_children();
    execution.handled(goto("stuck"), vec![], &plan(), at(1));
    assert_eq!(cancelled(&execution), ["work:a:0", "work:d:0"]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Tell);
    execution.delivered();
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("hang")));
}

#[test]
fn what_was_asked_for_and_not_answered_is_cancelled_if_that_call_has_started_it() {
    let mut execution = with_children();
    let asked = |id: &str, asked_in| {
        let (workflow, id) = ("Child".to_owned(), id.to_owned());
        JournalResult::Child { workflow, id, cancel_when_left: true, asked_in }
    };
    let of_call = |execution: &Kernel, id: &str| {
        let of_id = execution.outgoing().iter().find(|outgoing| outgoing.id == id);
        of_id.map(|outgoing| outgoing.only_of.clone())
    };
    execution.recorded(vec![result("work:x:0", 0, asked("x", Some(1))), result("work:y:0", 0, asked("y", Some(1)))]);
    execution.recorded(vec![result("work:y:0", 0, asked("y", None))]);
    execution.handled(goto("stuck"), vec![], &plan(), at(1));
    let call = ChildCallRecord { visit: 1, call: "work:x:0".into() };
    assert_eq!(of_call(&execution, "x"), Some(Some(call)));
    assert_eq!(of_call(&execution, "y"), Some(None), "the answer was recorded");
}

#[test]
fn an_end_of_any_kind_cancels_them_too() {
    let mut ended = with_children();
    ended.handled(goto("done"), vec![], &plan(), at(1));
    assert_eq!(cancelled(&ended), ["work:a:0", "work:d:0"]);
    let mut closed = with_children();
    closed.close(Closed::Terminated { reason: "enough".into() }, at(1));
    assert_eq!(cancelled(&closed), ["work:a:0", "work:d:0"]);
    assert_eq!(closed.decide(&plan(), at(1)), Next::Tell);
}

#[test]
fn an_edge_that_keeps_the_visit_cancels_its_own_children_alone() {
    let mut execution = with_children();
    execution.arrived(vec![event(1, "cancel")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("cancelled")));
    execution.recorded(vec![called("cancelled:f:0", true)]);
    execution.handled(super::super::Decided::Wait, vec![], &plan(), at(1));
    assert_eq!(cancelled(&execution), ["cancelled:f:0"]);
}

#[test]
fn a_later_start_waits_for_its_time_and_counts_from_then() {
    let new = Kernel::start_at("waiting".to_owned(), json("{}"), &plan(), at(100), at(0));
    assert!(matches!(new.history.kind, HistoryKind::Planned { .. }));
    let mut execution = Kernel::begun(new.record);
    assert_eq!((execution.record().status(), execution.record().wake_at()), (Status::Waiting, Some(at(100))));
    execution.arrived(vec![event(1, "other")]);
    assert_eq!(execution.decide(&plan(), at(50)), Next::Wait { until: Some(at(100)) });
    let (mut execution, _) = reload(&mut execution, vec![event(1, "other"), event(2, "note")]);
    assert_eq!(execution.decide(&plan(), at(60)), Next::Wait { until: Some(at(100)) }, "no edge is taken before");
    let Next::Run(noted) = execution.decide(&plan(), at(101)) else { panic!("the event is not taken") };
    assert_eq!(noted.name, "noted");
    let record = execution.record();
    assert_eq!((record.started_at, record.entered_at, record.starts_at), (at(101), at(101), None));
    assert_eq!(record.next_timer(), Some(at(131)));
    assert!(matches!(&execution.take_changes().history[0].kind, HistoryKind::Started { to } if to == "waiting"));
}

#[test]
fn a_start_whose_time_is_over_is_one_at_once() {
    let new = Kernel::start_at("waiting".to_owned(), json("{}"), &plan(), at(0), at(5));
    assert_eq!(new, Kernel::start("waiting".to_owned(), json("{}"), &plan(), at(5)));
}

#[test]
fn one_that_has_not_begun_can_be_ended() {
    let new = Kernel::start_at("stuck".to_owned(), json("{}"), &plan(), at(100), at(0));
    let mut execution = Kernel::begun(new.record);
    let mut cancel = event(1, "~cancel");
    cancel.event.payload = Json::encode(&Reason::new("not needed")).unwrap();
    execution.arrived(vec![cancel]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Ended);
    assert_eq!(execution.record().status(), Status::Cancelled);
}
