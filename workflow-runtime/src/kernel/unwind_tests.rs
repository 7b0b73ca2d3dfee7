//! The rows about unwinding of the table at the top of `execution.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::base::Timestamp;
use crate::record::{
    Activity, Cause, Closed, ErrorKind, ErrorRecord, EventRecord, ExecutionRecord, HistoryKind, JournalEntry,
    JournalResult, Json, NewEvent, OutgoingRecord, Status, UndoOutput, UndoPlace, UndoRecord, UndoableCall, UnwindInto,
    check_undo,
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

/// working (entry, an event that keeps it, a timer), resting (entry), settled (a pivot), cancelled (the end)
fn plan() -> Plan {
    let mut plan = Plan::default();
    let entry = |name: &str| StatePlan { entry: Some(handler(name)), ..StatePlan::default() };
    let on = OnPlan { events: vec!["note".to_owned()], handler: handler("noted") };
    let after = AfterPlan { rule: TimerRule::After(std::time::Duration::from_secs(100)), handler: handler("too_slow") };
    plan.add("working", &[], StatePlan { on: vec![on], after: vec![after], ..entry("work") });
    plan.add("resting", &[], entry("rest"));
    plan.add("settled", &[], StatePlan { pivot: true, ..entry("settle") });
    plan.add("cancelled", &[], StatePlan { end: true, ..StatePlan::default() });
    plan
}

fn start() -> Kernel {
    let new = Kernel::start("working".to_owned(), json("{}"), &plan(), at(0));
    let mut execution = Kernel::begun(new.record);
    assert_eq!(execution.decide(&plan(), at(0)), Next::Run(handler("work")));
    execution
}

/// A recorded call of a step that has an undo.
fn call(key: &str, result: JournalResult) -> JournalEntry {
    let step = key.split(':').nth(1).unwrap_or_default().to_owned();
    let undo = UndoableCall { step: step.into(), edge_number: 0, args: Some(json("[7]")), order: 0 };
    JournalEntry { undo: Some(undo), ..JournalEntry::new(key, 1, result) }
}

fn done(key: &str) -> JournalEntry {
    call(key, JournalResult::Done(json("\"output\"")))
}

fn goto(state: &'static str) -> Decided {
    Decided::Goto { state, data: json("{\"to\":1}") }
}

fn unwind(state: &'static str) -> Decided {
    Decided::Unwind { state, data: json("{\"to\":1}") }
}

fn error(message: &str) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: Vec::new() }
}

fn failed(kind: ErrorKind) -> JournalResult {
    JournalResult::Failed { error: ErrorRecord { kind, ..error("no") }, value: None }
}

fn retrying(kind: ErrorKind, due: i64) -> JournalResult {
    JournalResult::Retrying { error: ErrorRecord { kind, ..error("no") }, due: at(due) }
}

/// Stores what has changed and reads it back, as a crash would.
fn reload(execution: &mut Kernel) -> (Kernel, Advance) {
    let (journal, undo) = (execution.journal().to_vec(), execution.undo.top().to_vec());
    let changes = execution.take_changes();
    let text = serde_json::to_string(execution.record()).unwrap();
    let record: ExecutionRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(&record, execution.record());
    (Kernel::new(record, journal, Vec::new(), undo), *changes)
}

fn stack(execution: &Kernel) -> Vec<&str> {
    execution.undo.top().iter().map(|undo| undo.key.as_str()).collect()
}

/// Undoes all there is, with a crash before each, and gives the keys in their order.
fn undo_all(mut execution: Kernel) -> (Kernel, Vec<String>) {
    let mut undone = Vec::new();
    loop {
        let key = execution.undo.last().map(|undo| undo.key.clone());
        match execution.decide(&plan(), at(50)) {
            Next::Run(handler) if handler.name.starts_with("~undo:") => {
                let key = key.unwrap();
                assert_eq!(handler.name, format!("~undo:{key}"));
                assert_eq!(execution.record().status(), Status::Unwinding);
                (execution, _) = reload(&mut execution);
                execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(50));
                undone.push(key.to_string());
            }
            _ => return (execution, undone),
        }
    }
}

#[test]
fn unwinding_begins_in_one_commit_with_the_last_results_and_the_state_is_entered_with_the_last_undo() {
    let mut execution = start();
    execution.recorded(vec![done("work:a:0"), done("work:b:0")]);
    execution.handled(unwind("cancelled"), vec!["work:gone:0".into()], &plan(), at(9));
    let (mut execution, changes) = reload(&mut execution);
    assert!(changes.drop_journal && changes.journal.is_empty());
    assert_eq!(stack(&execution), ["work:a:0", "work:b:0"]);
    let HistoryKind::UnwindBegan { from, into, cause, error, unclaimed } = &changes.history[0].kind else {
        panic!("{:?}", changes.history)
    };
    assert_eq!((from.as_str(), into.as_deref(), cause), ("working", Some("cancelled"), &Cause::Entry));
    assert_eq!((error, unclaimed.len()), (&None, 1));

    assert_eq!(execution.decide(&plan(), at(9)), Next::Run(handler("~undo:work:b:0")));
    execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(10));
    assert_eq!(execution.decide(&plan(), at(10)), Next::Run(handler("~undo:work:a:0")));
    let (mut execution, changes) = reload(&mut execution);
    assert!(matches!(&changes.history[0].kind, HistoryKind::Undone { step, effect: true, .. } if step == "b"));

    execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(11));
    assert_eq!(execution.decide(&plan(), at(11)), Next::Ended);
    let changes = execution.take_changes();
    assert!(matches!(&changes.history[0].kind, HistoryKind::Undone { step, .. } if step == "a"));
    let HistoryKind::Transition { from, to, attempts, .. } = &changes.history[1].kind else { panic!("no transition") };
    assert_eq!((from.as_str(), to.as_str(), *attempts), ("working", "cancelled", 2));
    assert_eq!((execution.record().status(), execution.record().visit), (Status::Ended, 2));
    assert_eq!(execution.record().data, json("{\"to\":1}"));
}

#[test]
fn with_nothing_to_undo_the_state_is_entered_at_once() {
    let mut execution = start();
    execution.handled(unwind("resting"), Vec::new(), &plan(), at(1));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("rest")));
    let kinds: Vec<_> = execution.take_changes().history.into_iter().map(|row| row.kind).collect();
    assert!(matches!(&kinds[..], [HistoryKind::UnwindBegan { .. }, HistoryKind::Transition { .. }]), "{kinds:?}");
}

#[test]
fn undos_of_earlier_visits_follow_those_of_the_last_and_order_is_that_of_completion() {
    let mut execution = start();
    execution.recorded(vec![call("work:slow:0", JournalResult::Started), call("work:fast:0", JournalResult::Started)]);
    execution.recorded(vec![done("work:fast:0")]);
    let (mut execution, _) = reload(&mut execution);
    execution.recorded(vec![done("work:slow:0")]);
    execution.handled(goto("resting"), Vec::new(), &plan(), at(1));
    execution.recorded(vec![done("rest:a:0")]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(2));
    let (execution, undone) = undo_all(execution);
    assert_eq!(undone, ["rest:a:0", "work:slow:0", "work:fast:0"]);
    assert_eq!(execution.record().status(), Status::Ended);
}

#[test]
fn each_undo_knows_the_visit_and_the_edge_that_its_step_ran_in() {
    let mut execution = start();
    let mut second = done("noted:x:0");
    second.undo.as_mut().unwrap().edge_number = 3;
    execution.recorded(vec![done("work:a:0"), second]);
    execution.handled(goto("resting"), Vec::new(), &plan(), at(1));
    execution.handled(goto("resting"), Vec::new(), &plan(), at(2));
    let known: Vec<_> = execution.undo.top().iter().map(|undo| (undo.visit, undo.edge_number)).collect();
    assert_eq!((execution.record().visit, known), (3, vec![(1, 0), (1, 3)]));
    assert_eq!(execution.undo.top()[0].output, UndoOutput::Known(json("\"output\"")));
}

#[test]
fn what_may_have_run_is_undone_as_the_newest_and_what_had_no_effect_is_not() {
    let mut execution = start();
    execution.recorded(vec![
        call("work:in_flight:0", JournalResult::Started),
        call("work:refused:0", failed(ErrorKind::Failed)),
        call("work:timed_out:0", failed(ErrorKind::TimedOut)),
        call("work:panicked:0", failed(ErrorKind::Panicked)),
        call("work:pausing:0", retrying(ErrorKind::Failed, 9)),
        call("work:paused:0", retrying(ErrorKind::Failed, 1)),
        call("work:cut_off:0", retrying(ErrorKind::TimedOut, 9)),
        JournalEntry::new("work:plain:0", 1, JournalResult::Done(json("1"))),
        done("work:done:0"),
    ]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(2));
    let unknown = UndoOutput::Unknown { args: Some(json("[7]")), inside: Vec::new() };
    let expected = ["timed_out", "panicked", "done", "in_flight", "paused", "cut_off"];
    let steps: Vec<_> = execution.undo.top().iter().map(|undo| undo.step.as_str()).collect();
    assert_eq!(steps, expected);
    for undo in execution.undo.top() {
        assert_eq!(undo.output == unknown, undo.step != "done", "{undo:?}");
    }
    let (_, undone) = undo_all(execution);
    assert_eq!(undone.len(), expected.len());
}

#[test]
fn what_is_inside_of_a_step_that_runs_again_is_found_there_and_undone_after_it() {
    let mut execution = start();
    execution.recorded(vec![
        call("work:outer:0", JournalResult::Started),
        done("work:outer:0:inner:0"),
        JournalEntry::new("work:outer:0:now:0", 0, JournalResult::Done(json("5"))),
    ]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(1));
    assert_eq!(stack(&execution), ["work:outer:0"]);
    let (mut execution, changes) = reload(&mut execution);
    let mut keys: Vec<_> = changes.journal.iter().map(|entry| entry.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["work:outer:0:inner:0", "work:outer:0:now:0"]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("~undo:work:outer:0")));
    execution.recorded(vec![JournalEntry::new("work:outer:0", 1, JournalResult::Done(json("1")))]);
    execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(2));
    assert_eq!(stack(&execution), ["work:outer:0:inner:0"]);
    assert_eq!((execution.undo.top()[0].visit, execution.journal().len()), (1, 0));
}

#[test]
fn a_pivot_and_an_end_make_what_was_done_before_final() {
    for (state, left) in [("resting", 1), ("settled", 0), ("cancelled", 0)] {
        let mut execution = start();
        execution.recorded(vec![done("work:a:0")]);
        execution.handled(goto(state), Vec::new(), &plan(), at(1));
        assert_eq!(execution.undo.top().len(), left, "{state}");
    }
}

#[test]
fn an_edge_that_keeps_the_visit_keeps_what_it_did_to_be_undone_in_its_order() {
    let mut execution = start();
    execution.recorded(vec![done("work:first:0")]);
    let note = NewEvent { event_id: "n".to_owned(), name: "note".into(), payload: json("1"), sent_at: at(0) };
    execution.arrived(vec![EventRecord { seq: 1, event: note }]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("noted")));
    execution.recorded(vec![done("noted:second:0")]);
    execution.handled(Decided::Stay { data: json("2") }, Vec::new(), &plan(), at(2));
    assert_eq!(stack(&execution), ["noted:second:0"], "what the entry handler did is still in the journal");
    let (mut execution, changes) = reload(&mut execution);
    assert_eq!(changes.forget, ["noted:second:0"]);
    execution.recorded(vec![done("work:third:0")]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(3));
    let (_, undone) = undo_all(execution);
    assert_eq!(undone, ["work:third:0", "noted:second:0", "work:first:0"]);
}

#[test]
fn neither_events_nor_timers_nor_a_request_interrupt_an_undo() {
    let mut execution = start();
    execution.recorded(vec![done("work:a:0")]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(1));
    let note = NewEvent { event_id: "n".to_owned(), name: "note".into(), payload: json("1"), sent_at: at(0) };
    execution.arrived(vec![EventRecord { seq: 1, event: note }]);
    assert!(!execution.is_interrupted(&plan(), at(500)));
    assert_eq!(execution.decide(&plan(), at(500)), Next::Run(handler("~undo:work:a:0")));
    let closed = || UnwindInto::Closed(Closed::Cancelled { reason: "no".into() });
    assert!(!execution.unwind(closed(), Cause::Entry, None, at(500)));
    // The event is left at the end that is entered then.
    execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(501));
    assert_eq!(execution.decide(&plan(), at(501)), Next::Ended);
    assert!(!execution.unwind(closed(), Cause::Entry, None, at(502)));
    let changes = execution.take_changes();
    assert_eq!(changes.consumed, [1]);
    assert!(matches!(&changes.history.last().unwrap().kind, HistoryKind::EventLeft { .. }));
}

#[test]
fn an_undo_waits_for_its_retry_whatever_arrives() {
    let mut execution = start();
    execution.recorded(vec![done("work:a:0")]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(1));
    execution.suspended(Some(at(30)), Vec::new(), &plan(), at(1));
    let (mut execution, _) = reload(&mut execution);
    assert_eq!((execution.record().status(), execution.record().wake_at()), (Status::Unwinding, Some(at(30))));
    assert_eq!(execution.decide(&plan(), at(2)), Next::Wait { until: Some(at(30)) });
    assert_eq!(execution.decide(&plan(), at(30)), Next::Run(handler("~undo:work:a:0")));
    assert_eq!(execution.record().resume_at, None);
}

#[test]
fn an_undo_that_fails_parks_with_what_is_left_and_a_retry_goes_on_with_it() {
    let mut execution = start();
    execution.recorded(vec![done("work:a:0"), done("work:b:0")]);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(1));
    let _ = execution.decide(&plan(), at(1));
    let _ = execution.take_changes();
    execution.recorded(vec![JournalEntry::new("~undo:work:b:0:release:0", 3, failed(ErrorKind::Failed))]);
    // Not even by an edge that catches everything.
    execution.failed(error("the stock is closed"), Some(("gave_up".into(), json("{}"))), &plan(), at(2));
    let (mut execution, changes) = reload(&mut execution);
    let kinds: Vec<_> = changes.history.iter().map(|row| &row.kind).collect();
    assert!(
        matches!(&kinds[..], [HistoryKind::UndoFailed { step, .. }, HistoryKind::Parked { .. }] if step == "b"),
        "{kinds:?}"
    );
    assert_eq!(execution.decide(&plan(), at(3)), Next::Parked);
    let parked = execution.record().parked.clone().unwrap();
    assert_eq!(parked.error.message, "the undo of `b` failed: the stock is closed");
    assert_eq!((execution.record().status(), stack(&execution).len()), (Status::Parked, 2));

    assert!(execution.retry(at(10)));
    assert_eq!(execution.record().status(), Status::Unwinding);
    assert!(execution.journal().is_empty(), "the failure is forgotten");
    let (execution, undone) = undo_all(execution);
    assert_eq!(undone, ["work:b:0", "work:a:0"]);
    assert_eq!(execution.record().state, "cancelled");
}

#[test]
fn one_that_is_parked_in_its_unwinding_can_be_sent_elsewhere() {
    let mut execution = start();
    execution.recorded(vec![done("work:a:0")]);
    execution.handled(unwind("resting"), Vec::new(), &plan(), at(1));
    execution.failed(error("no"), None, &plan(), at(2));
    let reason = crate::record::Reason::new("by hand");
    let closed = UnwindInto::Closed(Closed::Cancelled { reason: reason.clone() });
    assert!(execution.unwind(closed, Cause::Entry, None, at(3)));
    let (execution, undone) = undo_all(execution);
    assert_eq!(undone, ["work:a:0"]);
    assert_eq!(execution.record().status(), Status::Cancelled);
    assert_eq!(execution.record().closed, Some(Closed::Cancelled { reason }));
    assert_eq!((execution.record().state.as_str(), execution.record().wake_at()), ("working", None));
}

#[test]
fn a_failure_that_nothing_catches_unwinds_where_the_workflow_says_so_and_parks_in_a_new_visit() {
    let mut plan = plan();
    plan.set_on_failure(OnFailure::Unwind);
    let mut execution = start();
    execution.recorded(vec![done("work:a:0"), call("work:b:0", failed(ErrorKind::Failed))]);
    execution.failed(error("no carrier"), None, &plan, at(2));
    let (execution, undone) = undo_all(execution);
    assert_eq!(undone, ["work:a:0"]);
    let (mut execution, changes) = reload(&mut { execution });
    let last = &changes.history.last().unwrap().kind;
    assert!(
        matches!(last, HistoryKind::Parked { state, error, .. } if state == "working" && error.message == "no carrier")
    );
    assert_eq!((execution.record().status(), execution.record().visit), (Status::Parked, 2));
    assert_eq!(execution.record().parked.as_ref().unwrap().error, error("no carrier"));
    // Its steps get idempotency keys of their own: what was undone is done anew.
    assert!(execution.retry(at(60)));
    assert!(execution.journal().is_empty());
    assert_eq!(execution.decide(&plan, at(60)), Next::Run(handler("work")));
}

#[test]
fn a_failure_with_nothing_to_undo_or_of_unreadable_data_just_parks() {
    let mut plan = plan();
    plan.set_on_failure(OnFailure::Unwind);
    let mut execution = start();
    execution.recorded(vec![JournalEntry::new("work:plain:0", 1, JournalResult::Done(json("1")))]);
    execution.failed(error("no"), None, &plan, at(2));
    assert_eq!((execution.record().status(), execution.journal().len()), (Status::Parked, 1));

    let mut execution = start();
    execution.recorded(vec![done("work:a:0")]);
    execution.failed(ErrorRecord { kind: ErrorKind::Unreadable, ..error("no") }, None, &plan, at(2));
    assert_eq!((execution.record().status(), execution.journal().len()), (Status::Parked, 1));
}

#[test]
fn a_request_unwinds_whatever_the_execution_was_doing_and_closes_it() {
    for parked in [false, true] {
        let mut execution = start();
        execution.recorded(vec![done("work:a:0")]);
        if parked {
            execution.park(error("stuck"), at(1));
        }
        let cancelled = Closed::Cancelled { reason: "the customer called".into() };
        assert!(execution.unwind(UnwindInto::Closed(cancelled.clone()), Cause::Entry, None, at(2)));
        let (mut execution, undone) = undo_all(execution);
        assert_eq!(undone, ["work:a:0"]);
        assert_eq!(execution.decide(&plan(), at(60)), Next::Ended);
        let changes = execution.take_changes();
        assert_eq!(
            changes.history.last().unwrap().kind,
            HistoryKind::Closed { state: "working".into(), closed: cancelled }
        );
        assert_eq!(execution.record().status(), Status::Cancelled);
    }
}

#[test]
fn a_retry_forgets_failures_but_not_that_a_step_may_have_run() {
    let mut execution = start();
    execution.recorded(vec![
        call("work:timed_out:0", failed(ErrorKind::TimedOut)),
        call("work:refused:0", failed(ErrorKind::Failed)),
        call("work:retrying:0", retrying(ErrorKind::Failed, 1)),
        call("work:started:0", JournalResult::Started),
    ]);
    execution.park(error("stuck"), at(1));
    assert!(execution.retry(at(2)));
    let mut left: Vec<_> = execution.journal().iter().map(|entry| (entry.key.as_str(), &entry.result)).collect();
    left.sort_by_key(|(key, _)| *key);
    let started = &JournalResult::Started;
    assert_eq!(left, [("work:retrying:0", started), ("work:started:0", started), ("work:timed_out:0", started)]);
    assert_eq!(execution.take_changes().forget, ["work:refused:0"]);
    assert!(matches!(execution.record().activity, Activity::Entry));
}

/// The rows of a store, and what is done to them.
#[derive(Default)]
struct Rows(BTreeMap<UndoPlace, UndoRecord>);

impl Rows {
    /// Stores what has changed; the answer is how many rows were touched.
    fn commit(&mut self, execution: &mut Kernel) -> usize {
        let changes = execution.take_changes();
        if changes.drop_undo {
            self.0.clear();
        }
        for place in &changes.forget_undo {
            assert!(self.0.remove(place).is_some(), "{place:?} is not there");
        }
        let touched = changes.forget_undo.len() + changes.undo.len();
        for undo in changes.undo {
            assert_eq!(self.0.insert(undo.place(), undo), None, "no two stand at one place");
        }
        assert_eq!(execution.record().undo_count, self.0.len() as u64);
        touched
    }

    fn top(&self, record: &ExecutionRecord) -> Vec<UndoRecord> {
        let mut top: Vec<_> = self.0.values().rev().take(record.undo_wanted()).cloned().collect();
        top.reverse();
        assert_eq!(check_undo(&top, record.undo_count, record.undo_wanted()), Ok(()));
        top
    }

    fn reload(&mut self, mut execution: Kernel) -> Kernel {
        self.commit(&mut execution);
        let (record, journal) = (execution.record().clone(), execution.journal().to_vec());
        let top = self.top(&record);
        Kernel::new(record, journal, Vec::new(), top)
    }
}

#[test]
fn of_a_long_stack_a_commit_writes_what_changes_and_what_is_further_down_is_read_when_it_is_its_turn() {
    let mut rows = Rows::default();
    let mut execution = start();
    for visit in 0..300 {
        let key = format!("rest:a:{visit}");
        // Now and then one that may still be running, with something inside.
        let result = match visit % 10 {
            0 => JournalResult::Started,
            _ => JournalResult::Done(json("1")),
        };
        execution.recorded(vec![call(&key, result), done(&format!("{key}:inner:0"))]);
        execution.handled(goto("resting"), Vec::new(), &plan(), at(1));
        assert!(rows.commit(&mut execution) <= 2);
        assert!(serde_json::to_string(execution.record()).unwrap().len() < 300, "the stack is not in the record");
        assert!(execution.undo.top().len() <= 130, "nor all of it in memory");
        if visit % 7 == 0 {
            execution = rows.reload(execution);
        }
    }
    let mut expected: Vec<_> = rows.0.values().map(|undo| undo.key.clone()).collect();
    assert_eq!(expected.len(), 300 + 270);
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(2));
    rows.commit(&mut execution);

    let mut reads = 0;
    let mut again = 0;
    loop {
        match execution.decide(&plan(), at(50)) {
            Next::ReadUndo => {
                assert_eq!(rows.commit(&mut execution), 0, "all is stored");
                let top = rows.top(execution.record());
                execution.undo_read(top, at(50));
                reads += 1;
            }
            Next::Run(undo) => {
                if expected.len() % 200 < 30 {
                    execution = rows.reload(execution);
                }
                let next = execution.next_undo().unwrap();
                let is_inner = expected.last().is_none_or(|key| *key != next.key);
                assert_eq!(undo.name, next.handler());
                if is_inner {
                    again += 1;
                    assert!(next.key.ends_with(":inner:0"), "what ran again is undone with what is inside of it");
                } else {
                    assert_eq!(expected.pop().as_deref(), Some(next.key.as_str()));
                }
                if let UndoOutput::Unknown { inside, .. } = &next.output {
                    assert_eq!((inside.len(), execution.journal().len()), (1, 1), "what is inside is in the journal");
                }
                execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(50));
                assert!(rows.commit(&mut execution) <= 2);
            }
            Next::Ended => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((expected.len(), rows.0.len(), again), (0, 0, 30));
    assert!(reads > 3, "{reads}");
}

#[test]
fn what_an_earlier_version_left_in_the_record_is_moved_into_rows_with_the_next_commit() {
    let mut execution = start();
    execution.park(error("stuck"), at(1));
    let _ = execution.take_changes();
    let mut old: serde_json::Value = serde_json::to_value(execution.record()).unwrap();
    old["visit"] = 4.into();
    let step = |key: &str, visit: u64| serde_json::json!({ "step": "a", "key": key, "visit": visit, "output": { "known": 1 } });
    old["undo"] = vec![step("work:a:0", 1), step("work:a:1", 1), step("rest:a:0", 3)].into();
    // Through the text, as a value keeps no JSON as it was written.
    let record: ExecutionRecord = serde_json::from_str(&old.to_string()).unwrap();
    assert_eq!(record.left_to_undo(), 3);
    let mut rows = Rows::default();
    let mut execution = Kernel::new(record.clone(), Vec::new(), Vec::new(), Vec::new());
    assert_eq!(execution.decide(&plan(), at(2)), Next::Parked);
    assert_eq!(rows.commit(&mut execution), 3);
    assert_eq!((execution.record().undo.len(), execution.record().left_to_undo()), (0, 3));
    let mut execution = rows.reload(execution);
    assert_eq!(rows.commit(&mut execution), 0, "but once");

    assert!(execution.unwind(UnwindInto::Closed(Closed::Cancelled { reason: "x".into() }), Cause::Entry, None, at(3)));
    execution = rows.reload(execution);
    let keys: Vec<_> = execution.undo.top().iter().map(|undo| (undo.key.as_str(), undo.older)).collect();
    assert_eq!(keys, [("work:a:0", 0), ("work:a:1", 0), ("rest:a:0", 2)]);

    // What is over is not written to any more.
    let over = ExecutionRecord { activity: Activity::Ended, parked: None, ..record };
    let mut over = Kernel::new(over, Vec::new(), Vec::new(), Vec::new());
    assert_eq!(over.decide(&plan(), at(2)), Next::Ended);
    assert!(over.take_changes().is_empty());
}

#[test]
fn what_an_earlier_version_left_in_the_record_stays_there_when_all_that_is_left_is_to_tell_of_the_end() {
    let mut execution = start();
    execution.close(Closed::Terminated { reason: "x".into() }, at(1));
    let left = UndoRecord {
        step: "a".to_owned(),
        key: "work:a:0".to_owned(),
        visit: 1,
        edge_number: 0,
        order: 0,
        older: 0,
        output: UndoOutput::Known(json("1")),
    };
    let event =
        NewEvent { event_id: "e".to_owned(), name: "~child".to_owned(), payload: json("1"), sent_at: Timestamp::EPOCH };
    let outgoing = vec![OutgoingRecord { workflow: "Parent".into(), id: "p".to_owned(), event, only_of: None }];
    let old = ExecutionRecord { undo: vec![left.clone()], outgoing, ..execution.record().clone() };
    let mut over = Kernel::new(old, Vec::new(), Vec::new(), Vec::new());
    assert_eq!(over.decide(&plan(), at(2)), Next::Tell);
    over.delivered();
    assert_eq!(over.take_changes().record.map(|record| record.undo), Some(vec![left]));
}

#[test]
fn what_the_store_does_not_have_any_more_parks() {
    let mut rows = Rows::default();
    let mut execution = start();
    execution.recorded((0..200).map(|number| done(&format!("work:a:{number}"))).collect());
    execution.handled(unwind("cancelled"), Vec::new(), &plan(), at(1));
    rows.commit(&mut execution);
    let mut undone = 0;
    while let Next::Run(_) = execution.decide(&plan(), at(2)) {
        execution.handled(Decided::Undone { effect: true }, Vec::new(), &plan(), at(2));
        rows.commit(&mut execution);
        undone += 1;
    }
    assert_eq!(execution.decide(&plan(), at(2)), Next::ReadUndo);
    execution.undo_read(Vec::new(), at(3));
    assert_eq!(execution.decide(&plan(), at(3)), Next::Parked);
    let parked = execution.record().parked.clone().unwrap();
    assert_eq!(parked.error.kind, ErrorKind::Unreadable);
    assert_eq!(execution.record().undo_count, 200 - undone, "nothing is passed over");
    // Once it is mended, it goes on where it was.
    rows.commit(&mut execution);
    assert!(execution.retry(at(4)));
    assert_eq!(execution.decide(&plan(), at(4)), Next::ReadUndo);
    execution.undo_read(rows.top(execution.record()), at(4));
    assert_eq!(execution.decide(&plan(), at(4)), Next::Run(handler(&format!("~undo:work:a:{}", 199 - undone))));
}
