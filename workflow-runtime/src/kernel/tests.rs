//! Every row of the table at the top of `execution.rs`: a record in, changes and a next thing to do out.

mod control;

use std::time::Duration;

use super::*;
use crate::base::Timestamp;
use crate::record::{
    Activity, Cause, ErrorKind, ErrorRecord, EventRecord, ExecutionRecord, HistoryKind, JournalEntry, JournalResult,
    Json, NewEvent, Status,
};

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

pub(super) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

pub(super) fn handler(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: false }
}

pub(super) fn pure(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: true }
}

/// waiting -paid-> working, waiting -(60 s) late-> ended; working has an entry handler, an event, a timer and a catch.
pub(super) fn plan() -> Plan {
    let mut plan = Plan::default();
    let on = |event: &str, handler: HandlerPlan| OnPlan { events: vec![event.to_owned()], handler };
    let after = |seconds, handler| AfterPlan { rule: TimerRule::After(Duration::from_secs(seconds)), handler };
    plan.add(
        "waiting",
        &["pending"],
        StatePlan {
            on: vec![on("payment", handler("paid")), on("note", pure("noted"))],
            after: vec![after(60, handler("late")), after(30, pure("reminded"))],
            ..StatePlan::default()
        },
    );
    plan.add(
        "working",
        &[],
        StatePlan {
            entry: Some(handler("work")),
            on: vec![on("cancel", handler("cancelled")), on("note", pure("noted_at_work"))],
            after: vec![after(100, handler("too_slow"))],
            catch: vec![handler("gave_up")],
            ..StatePlan::default()
        },
    );
    plan.add(
        "quick",
        &[],
        StatePlan { entry: Some(pure("pass")), on: vec![on("note", pure("n"))], ..StatePlan::default() },
    );
    plan.add("stuck", &[], StatePlan { entry: Some(handler("hang")), ..StatePlan::default() });
    plan.add("done", &[], StatePlan { end: true, ..StatePlan::default() });
    plan
}

pub(super) fn event(seq: u64, name: &str) -> EventRecord {
    let event = NewEvent { event_id: format!("id-{seq}"), name: name.into(), payload: json("1"), sent_at: at(0) };
    EventRecord { seq, event }
}

pub(super) fn start(state: &str) -> Kernel {
    let new = Kernel::start(state.to_owned(), json("{}"), &plan(), at(0));
    Kernel::begun(new.record)
}

pub(super) fn goto(state: &'static str) -> Decided {
    Decided::Goto { state, data: json("{\"to\":1}") }
}

pub(super) fn error(message: &str) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: Vec::new() }
}

pub(super) fn result(key: &str, attempts: u32, result: JournalResult) -> JournalEntry {
    JournalEntry::new(key, attempts, result)
}

/// Stores what has changed and reads it back, as a crash would.
pub(super) fn reload(execution: &mut Kernel, inbox: Vec<EventRecord>) -> (Kernel, Advance) {
    let journal = execution.journal().to_vec();
    let changes = execution.take_changes();
    let record = execution.record().clone();
    let text = serde_json::to_string(&record).unwrap();
    let record: ExecutionRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(&record, execution.record());
    (Kernel::new(record, journal, inbox, Vec::new()), *changes)
}

#[test]
fn a_start_in_a_waiting_state_sets_its_timers_and_waits_for_the_first() {
    let mut execution = start("waiting");
    assert_eq!(execution.record().status(), Status::Waiting);
    assert_eq!(execution.record().wake_at(), Some(at(30)));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: Some(at(30)) });
    assert!(execution.take_changes().is_empty(), "waiting writes nothing");
}

#[test]
fn a_start_with_an_entry_handler_runs_it_at_once() {
    let mut execution = start("working");
    assert_eq!(execution.record().status(), Status::Running);
    assert_eq!(execution.record().wake_at(), Some(at(0)));
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    assert!(execution.take_changes().is_empty(), "the start has said so already");
}

#[test]
fn a_start_in_an_end_state_has_ended() {
    let mut execution = start("done");
    assert_eq!(execution.record().status(), Status::Ended);
    assert_eq!(execution.record().wake_at(), None);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Ended);
}

#[test]
fn an_event_takes_its_edge_and_the_edge_is_durable_with_its_payload() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "payment")]);
    assert_eq!(execution.decide(&plan(), at(5)), Next::Run(handler("paid")));
    let (mut execution, changes) = reload(&mut execution, vec![]);
    assert_eq!(changes.consumed, [1]);
    // After the crash, the same handler is to run, although the event is gone and the timer is due.
    assert_eq!(execution.decide(&plan(), at(500)), Next::Run(handler("paid")));
    assert!(
        matches!(&execution.record().activity, Activity::Handler { payload: Some(payload), .. } if payload.text() == "1")
    );
}

#[test]
fn a_due_event_goes_before_a_due_timer() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "payment")]);
    assert_eq!(execution.decide(&plan(), at(1_000)), Next::Run(handler("paid")));
}

#[test]
fn events_are_taken_in_order_and_those_that_no_edge_takes_stay() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "cancel"), event(2, "note"), event(3, "payment")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(pure("noted")));
    execution.handled(Decided::Wait, vec![], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("paid")));
    execution.handled(goto("working"), vec![], &plan(), at(1));
    // The one that was deferred is taken by the next state, before its entry handler has begun.
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("cancelled")));
    assert_eq!(execution.take_changes().consumed, [2, 3, 1]);
}

#[test]
fn a_deferred_event_is_marked_as_seen_and_wakes_nobody() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "cancel")]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: Some(at(30)) });
    assert_eq!(execution.take_changes().record.map(|record| record.inbox_seen), Some(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: Some(at(30)) });
    assert!(execution.take_changes().is_empty());
}

#[test]
fn a_consumed_event_counts_as_seen_in_every_later_state() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(7, "payment")]);
    execution.decide(&plan(), at(1));
    execution.handled(goto("waiting"), vec![], &plan(), at(1));
    assert_eq!(execution.record().inbox_seen, 7);
}

#[test]
fn an_event_that_was_deferred_counts_as_unseen_in_the_next_state() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "cancel"), event(2, "payment"), event(3, "cancel")]);
    execution.decide(&plan(), at(1));
    execution.handled(goto("waiting"), vec![], &plan(), at(1));
    // A driver that stops here has not looked at what is left: the store has to say that it is due.
    assert_eq!(execution.record().inbox_seen, 0);
    let inbox = vec![event(1, "cancel"), event(3, "cancel")];
    let (mut execution, _) = reload(&mut execution, inbox);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Wait { until: Some(at(31)) });
    assert_eq!(execution.record().inbox_seen, 3);
}

#[test]
fn timers_fire_in_the_order_of_their_times_and_once() {
    let mut execution = start("waiting");
    assert_eq!(execution.decide(&plan(), at(90)), Next::Run(pure("reminded")));
    execution.handled(Decided::Wait, vec![], &plan(), at(90));
    assert_eq!(execution.decide(&plan(), at(90)), Next::Run(handler("late")));
    assert!(matches!(execution.cause(), Cause::Timer { handler } if handler == "late"));
    execution.handled(Decided::Wait, vec![], &plan(), at(90));
    assert_eq!(execution.decide(&plan(), at(10_000)), Next::Wait { until: None });
}

#[test]
fn a_transition_is_one_change_and_a_new_visit() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution
        .recorded(vec![result("a", 2, JournalResult::Done(json("1"))), result("b", 1, JournalResult::Done(json("2")))]);
    execution.handled(goto("waiting"), vec!["old".into()], &plan(), at(9));
    assert_eq!(execution.decide(&plan(), at(9)), Next::Wait { until: Some(at(39)) });
    assert_eq!(execution.stored_visit(), 1, "the commit is fenced by the visit before it");
    let changes = execution.take_changes();
    assert_eq!(execution.stored_visit(), 2);
    assert!(changes.drop_journal);
    assert!(changes.journal.is_empty(), "results of a visit that is over need no row");
    assert_eq!(changes.record.map(|record| (record.visit, record.entered_at)), Some((2, at(9))));
    assert_eq!(
        changes.history.into_iter().map(|row| row.kind).collect::<Vec<_>>(),
        [HistoryKind::Transition {
            from: "working".into(),
            to: "waiting".into(),
            cause: Cause::Entry,
            duration_millis: 9_000,
            attempts: 3,
            error: None,
            unclaimed: vec!["old".into()],
        }]
    );
}

#[test]
fn a_transition_to_the_same_state_is_a_new_visit_with_new_timers() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.handled(goto("working"), vec![], &plan(), at(50));
    assert_eq!(execution.record().visit, 2);
    assert_eq!(execution.record().next_timer(), Some(at(150)));
}

#[test]
fn stay_replaces_the_data_and_keeps_visit_timers_and_journal() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.recorded(vec![result("a", 1, JournalResult::Done(json("1")))]);
    execution.handled(Decided::Stay { data: json("5") }, vec![], &plan(), at(50));
    assert_eq!(execution.decide(&plan(), at(50)), Next::Wait { until: Some(at(100)) });
    let changes = execution.take_changes();
    assert!(!changes.drop_journal);
    assert_eq!(changes.journal.len(), 1);
    assert_eq!(changes.record.map(|record| (record.visit, record.data)), Some((1, json("5"))));
}

#[test]
fn an_interrupted_entry_handler_goes_on_if_the_edge_keeps_the_visit() {
    let mut execution = start("working");
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    assert!(!execution.is_interrupted(&plan(), at(1)));
    execution.arrived(vec![event(1, "note")]);
    assert!(execution.is_interrupted(&plan(), at(1)));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(pure("noted_at_work")));
    execution.handled(Decided::Wait, vec![], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("work")));
    // Once it has ended by itself, it does not run again.
    execution.handled(Decided::Wait, vec![], &plan(), at(2));
    execution.arrived(vec![event(2, "note")]);
    execution.decide(&plan(), at(3));
    execution.handled(Decided::Wait, vec![], &plan(), at(3));
    assert_eq!(execution.decide(&plan(), at(3)), Next::Wait { until: Some(at(100)) });
}

#[test]
fn an_edge_that_keeps_the_visit_leaves_no_journal_of_its_own() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.recorded(vec![result("work:a:0", 1, JournalResult::Done(json("1")))]);
    for (number, seq) in (0..).zip(1..3) {
        execution.arrived(vec![event(seq, "note")]);
        execution.decide(&plan(), at(1));
        assert_eq!(execution.record().edge_number(), number);
        execution.recorded(vec![result("noted_at_work:a:0", 1, JournalResult::Done(json("1")))]);
        let _ = execution.take_changes();
        execution.recorded(vec![result("noted_at_work:b:0", 1, JournalResult::Done(json("1")))]);
        execution.handled(Decided::Wait, vec![], &plan(), at(1));
        assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("work")));
        assert_eq!(execution.record().edge_number(), 0);
        let changes = execution.take_changes();
        assert!(changes.journal.is_empty());
        assert_eq!(changes.forget, ["noted_at_work:a:0", "noted_at_work:b:0"]);
        assert_eq!(execution.journal().len(), 1, "the entry handler goes on with what it has");
    }
}

#[test]
fn a_timer_interrupts_the_entry_handler() {
    let execution = start("working");
    assert!(!execution.is_interrupted(&plan(), at(99)));
    assert!(execution.is_interrupted(&plan(), at(100)));
}

#[test]
fn a_pure_entry_handler_runs_before_anything_interrupts_it() {
    let mut execution = start("quick");
    execution.arrived(vec![event(1, "note")]);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(pure("pass")));
}

#[test]
fn a_taken_edge_is_not_interrupted_by_another() {
    let mut execution = start("working");
    execution.arrived(vec![event(1, "cancel"), event(2, "note")]);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("cancelled")));
    assert!(!execution.is_interrupted(&plan(), at(1_000)));
    assert_eq!(execution.decide(&plan(), at(1_000)), Next::Run(handler("cancelled")));
}

#[test]
fn a_suspended_entry_handler_goes_on_at_its_time_and_can_be_interrupted_before() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.suspended(Some(at(40)), Vec::new(), &plan(), at(10));
    assert_eq!(execution.decide(&plan(), at(10)), Next::Wait { until: Some(at(40)) });
    let (mut execution, changes) = reload(&mut execution, vec![]);
    assert_eq!(changes.record.and_then(|record| record.wake_at()), Some(at(40)));
    assert_eq!(execution.record().status(), Status::Waiting);
    let mut interrupted = execution.clone();
    assert_eq!(execution.decide(&plan(), at(40)), Next::Run(handler("work")));
    interrupted.arrived(vec![event(1, "cancel")]);
    assert_eq!(interrupted.decide(&plan(), at(11)), Next::Run(handler("cancelled")));
    assert_eq!(interrupted.record().resume_at, None);
}

#[test]
fn a_suspended_edge_handler_waits_for_its_own_time_alone() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "payment")]);
    execution.decide(&plan(), at(0));
    execution.suspended(Some(at(500)), Vec::new(), &plan(), at(0));
    assert_eq!(execution.decide(&plan(), at(0)), Next::Wait { until: Some(at(500)) });
    assert_eq!(execution.record().wake_at(), Some(at(500)), "its timers, due at 30 and 60, do not wake it");
    assert_eq!(execution.decide(&plan(), at(100)), Next::Wait { until: Some(at(500)) });
}

#[test]
fn a_handler_that_waits_for_nothing_is_parked_unless_an_edge_can_end_it() {
    let mut with_edges = start("working");
    with_edges.decide(&plan(), at(0));
    with_edges.suspended(None, Vec::new(), &plan(), at(0));
    assert_eq!(with_edges.decide(&plan(), at(0)), Next::Wait { until: Some(at(100)) });

    let mut without = start("stuck");
    without.decide(&plan(), at(0));
    without.suspended(None, Vec::new(), &plan(), at(0));
    assert_eq!(without.decide(&plan(), at(0)), Next::Parked);
    assert!(without.record().parked.as_ref().unwrap().error.message.contains("`hang`"));
}

#[test]
fn a_caught_failure_runs_the_catch_handler_and_is_in_the_history() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.failed(error("no carrier"), Some(("gave_up".into(), json("{}"))), &plan(), at(3));
    assert_eq!(execution.decide(&plan(), at(3)), Next::Run(handler("gave_up")));
    let (mut execution, _) = reload(&mut execution, vec![]);
    assert_eq!(execution.decide(&plan(), at(4)), Next::Run(handler("gave_up")));
    execution.handled(goto("done"), vec![], &plan(), at(4));
    let history = execution.take_changes().history;
    assert!(matches!(&history[..], [row] if matches!(&row.kind,
        HistoryKind::Transition { error: Some(error), .. } if error.message == "no carrier")));
}

#[test]
fn a_failure_that_nothing_catches_parks_and_so_does_one_of_the_catch_itself() {
    let mut uncaught = start("working");
    uncaught.decide(&plan(), at(0));
    uncaught.failed(error("broken"), None, &plan(), at(3));
    assert_eq!(uncaught.decide(&plan(), at(3)), Next::Parked);
    assert_eq!(uncaught.record().wake_at(), None);

    let mut in_catch = start("working");
    in_catch.decide(&plan(), at(0));
    in_catch.failed(error("first"), Some(("gave_up".into(), json("{}"))), &plan(), at(3));
    in_catch.decide(&plan(), at(3));
    in_catch.failed(error("second"), Some(("gave_up".into(), json("{}"))), &plan(), at(4));
    assert_eq!(in_catch.decide(&plan(), at(4)), Next::Parked);
    assert_eq!(in_catch.record().parked.as_ref().unwrap().error, error("second"));
}

#[test]
fn while_parked_events_queue_and_timers_pause() {
    let mut execution = start("working");
    execution.decide(&plan(), at(0));
    execution.failed(error("broken"), None, &plan(), at(10));
    execution.arrived(vec![event(1, "cancel")]);
    assert_eq!(execution.decide(&plan(), at(1_000)), Next::Parked);
    assert!(execution.retry(at(1_010)));
    assert_eq!(execution.record().next_timer(), Some(at(1_100)), "90 s were left");
    assert_eq!(execution.decide(&plan(), at(1_010)), Next::Run(handler("cancelled")));
}

#[test]
fn retry_keeps_successes_forgets_failures_and_is_the_same_visit() {
    let mut execution = start("stuck");
    execution.decide(&plan(), at(0));
    execution.recorded(vec![
        result("done", 1, JournalResult::Done(json("1"))),
        result("failed", 3, JournalResult::Failed { error: error("no"), value: None }),
        result("again", 2, JournalResult::Retrying { error: error("no"), due: at(9) }),
        result("asleep", 0, JournalResult::Sleeping { due: at(9) }),
    ]);
    execution.failed(error("no"), None, &plan(), at(1));
    execution.decide(&plan(), at(1));
    let _ = execution.take_changes();
    assert!(execution.retry(at(2)));
    assert_eq!(execution.decide(&plan(), at(2)), Next::Run(handler("hang")));
    let changes = execution.take_changes();
    assert_eq!(changes.forget, ["failed", "again"]);
    assert_eq!(changes.record.map(|record| record.visit), Some(1));
    assert!(!execution.retry(at(3)), "it is not parked any more");
}

#[test]
fn what_is_left_in_the_inbox_at_the_end_is_noted() {
    let mut execution = start("working");
    execution.arrived(vec![event(4, "payment")]);
    execution.decide(&plan(), at(0));
    execution.handled(goto("done"), vec![], &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Ended);
    let changes = execution.take_changes();
    assert_eq!(changes.consumed, [4]);
    assert!(matches!(&changes.history[1].kind, HistoryKind::EventLeft { event, .. } if event == "payment"));
}

#[test]
fn a_state_that_the_code_has_lost_parks_and_an_old_name_does_not() {
    let mut lost = start("waiting");
    assert_eq!(lost.decide(&Plan::default(), at(0)), Next::Parked);
    let mut renamed = start("pending");
    assert_eq!(renamed.decide(&plan(), at(0)), Next::Wait { until: Some(at(30)) });
}

#[test]
fn a_handler_that_the_code_has_lost_parks() {
    let mut execution = start("waiting");
    execution.arrived(vec![event(1, "payment")]);
    execution.decide(&plan(), at(0));
    let mut changed = Plan::default();
    changed.add("waiting", &[], StatePlan::default());
    assert_eq!(execution.decide(&changed, at(0)), Next::Parked);
    assert!(execution.record().parked.as_ref().unwrap().error.message.contains("`paid`"));
}

#[test]
fn timers_follow_the_code_and_count_from_the_entry() {
    let mut execution = start("waiting");
    let mut changed = Plan::default();
    let after = AfterPlan { rule: TimerRule::After(Duration::from_secs(45)), handler: handler("new") };
    changed.add("waiting", &[], StatePlan { after: vec![after], ..StatePlan::default() });
    assert_eq!(execution.decide(&changed, at(40)), Next::Wait { until: Some(at(45)) });
    assert_eq!(execution.record().timers.len(), 1);
    assert!(execution.take_changes().record.is_some());
}

#[test]
fn a_later_result_of_a_call_replaces_the_earlier_one() {
    let mut execution = start("stuck");
    execution.decide(&plan(), at(0));
    execution.recorded(vec![result("a", 1, JournalResult::Retrying { error: error("no"), due: at(1) })]);
    execution.recorded(vec![result("a", 2, JournalResult::Done(json("1")))]);
    assert_eq!(execution.take_changes().journal, [result("a", 2, JournalResult::Done(json("1")))]);
    assert_eq!(execution.journal().len(), 1);
}
