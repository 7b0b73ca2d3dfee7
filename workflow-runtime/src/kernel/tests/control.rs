//! Every row of the table at the top of `control.rs`.

use super::*;
use crate::record::{Closed, ControlAction, MoveOrder, Reason, SkipOrder};

/// A request to do `action`.
fn asked(seq: u64, action: ControlAction) -> EventRecord {
    asked_with(seq, action, &Reason::new("it is late").by("alice"))
}

fn asked_with(seq: u64, action: ControlAction, payload: &impl serde::Serialize) -> EventRecord {
    let name = action.event_name().to_owned();
    let payload = Json::encode(payload).unwrap();
    EventRecord { seq, event: NewEvent { event_id: format!("request {seq}"), name, payload, sent_at: at(0) } }
}

/// The plan of the other tests, where `working` has an edge for a cancellation.
fn plan_with_cancel() -> Plan {
    let mut plan = plan();
    let mut working = (**plan.state("working").unwrap()).clone();
    working.on.push(OnPlan { events: vec!["~cancel".to_owned()], handler: handler("stopped") });
    plan.add("working", &[], working);
    plan
}

/// What the history says was asked for, and why nothing came of it.
fn audit(execution: &mut Kernel) -> Vec<(ControlAction, Option<String>)> {
    let rows = execution.take_changes().history.into_iter();
    let requests = rows.filter_map(|row| match row.kind {
        HistoryKind::Control { action, reason, refused, .. } => {
            assert_eq!(reason.by.as_deref(), Some("alice"), "{action}");
            Some((action, refused))
        }
        _ => None,
    });
    requests.collect()
}

fn parked(state: &str) -> Kernel {
    let mut execution = start(state);
    execution.decide(&plan(), at(1));
    let error = ErrorRecord { kind: ErrorKind::Failed, message: "no".to_owned(), sources: Vec::new() };
    execution.failed(error, None, &plan(), at(2));
    let _ = execution.take_changes();
    execution
}

#[test]
fn a_cancelled_execution_is_closed_and_what_it_did_not_look_at_is_noted() {
    let mut execution = start("working");
    execution.recorded(vec![result("work:first:0", 1, JournalResult::Done(json("1")))]);
    execution.arrived(vec![event(1, "note"), asked(2, ControlAction::Cancel), event(3, "payment")]);
    assert!(execution.is_interrupted(&plan(), at(1)));
    assert_eq!(execution.decide(&plan(), at(1)), Next::Ended);
    let changes = execution.take_changes();
    let record = changes.record.unwrap();
    let reason = Reason::new("it is late").by("alice");
    assert_eq!((record.status(), record.closed), (Status::Cancelled, Some(Closed::Cancelled { reason })));
    assert_eq!((record.state.as_str(), record.visit), ("working", 1));
    assert!(changes.drop_journal && changes.journal.is_empty());
    assert_eq!(changes.consumed, [2, 1, 3]);
    let left = changes.history.iter().filter(|row| matches!(row.kind, HistoryKind::EventLeft { .. }));
    assert_eq!(left.count(), 2);
}

#[test]
fn an_edge_for_it_takes_a_cancellation_before_any_other_event() {
    let mut execution = start("working");
    execution.decide(&plan_with_cancel(), at(1));
    execution.arrived(vec![event(1, "cancel"), asked(2, ControlAction::Cancel)]);
    assert_eq!(execution.decide(&plan_with_cancel(), at(1)), Next::Run(handler("stopped")));
    assert!(matches!(execution.cause(), Cause::Event { event, .. } if event == "~cancel"));
    execution.arrived(vec![event(1, "cancel"), asked(3, ControlAction::Cancel)]);
    assert_eq!(execution.decide(&plan_with_cancel(), at(1)), Next::Run(handler("stopped")));
    let audit = audit(&mut execution);
    assert_eq!(audit[0], (ControlAction::Cancel, None));
    assert!(audit[1].1.as_ref().unwrap().contains("being cancelled, by `stopped`"), "{audit:?}");
}

#[test]
fn a_handler_in_the_middle_of_its_edge_goes_on_if_the_cancellation_is_refused() {
    let plan = plan_with_cancel();
    let mut execution = start("working");
    execution.arrived(vec![event(1, "cancel")]);
    assert_eq!(execution.decide(&plan, at(1)), Next::Run(handler("cancelled")));
    execution.recorded(vec![result("cancelled:a:0", 1, JournalResult::Done(json("1")))]);
    let mut numbers = vec![execution.record().edge_number()];
    for seq in [2, 3] {
        execution.arrived(vec![asked(seq, ControlAction::Cancel)]);
        assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("stopped")));
        numbers.push(execution.record().edge_number());
        execution.recorded(vec![result("stopped:b:0", 1, JournalResult::Done(json("1")))]);
        execution.handled(Decided::Wait, vec![], &plan, at(2));
        assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("cancelled")), "its event is not lost");
        assert_eq!(execution.journal().len(), 1, "and neither is what it has done");
        assert_eq!(execution.record().edge_number(), numbers[0]);
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "each run has idempotency keys of its own");
    execution.handled(Decided::Wait, vec![], &plan, at(3));
    assert_eq!(execution.decide(&plan, at(3)), Next::Run(handler("work")), "as does what that had interrupted");
}

#[test]
fn a_cancellation_whose_edge_failed_leaves_nothing_to_the_next_one() {
    let plan = plan_with_cancel();
    let mut execution = start("working");
    execution.arrived(vec![event(1, "cancel")]);
    assert_eq!(execution.decide(&plan, at(1)), Next::Run(handler("cancelled")));
    execution.recorded(vec![result("cancelled:a:0", 1, JournalResult::Done(json("1")))]);
    execution.arrived(vec![asked(2, ControlAction::Cancel)]);
    assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("stopped")));
    execution.recorded(vec![result("stopped:b:0", 1, JournalResult::Done(json("1")))]);
    execution.failed(error("no"), Some(("gave_up".into(), json("1"))), &plan, at(2));
    execution.handled(Decided::Wait, vec![], &plan, at(2));
    assert_eq!(execution.decide(&plan, at(2)), Next::Run(handler("cancelled")));
    let keys: Vec<_> = execution.journal().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["cancelled:a:0"]);
}

#[test]
fn a_parked_execution_that_is_cancelled_is_parked_no_more() {
    let mut execution = parked("working");
    execution.arrived(vec![asked(1, ControlAction::Cancel)]);
    assert_eq!(execution.decide(&plan_with_cancel(), at(10)), Next::Run(handler("stopped")));
    assert_eq!(execution.record().parked, None);
    assert_eq!(execution.record().timers[0].due, at(100 + 8), "timers stood still");
}

#[test]
fn parking_by_hand_says_who_did_it_and_is_done_once() {
    let mut execution = start("working");
    execution.decide(&plan(), at(1));
    execution.arrived(vec![asked(1, ControlAction::Park)]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Parked);
    let error = &execution.record().parked.as_ref().unwrap().error;
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::ByHand, "it is late (alice)"));
    execution.arrived(vec![asked(2, ControlAction::Park)]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Parked);
    let refused = Some("it is parked already".to_owned());
    assert_eq!(audit(&mut execution), [(ControlAction::Park, None), (ControlAction::Park, refused)]);
    execution.arrived(vec![asked(3, ControlAction::Retry)]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("work")));
    execution.arrived(vec![asked(4, ControlAction::Retry)]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Run(handler("work")));
    let refused = Some("it is not parked".to_owned());
    assert_eq!(audit(&mut execution), [(ControlAction::Retry, None), (ControlAction::Retry, refused)]);
}

#[test]
fn an_event_that_came_while_it_was_parked_is_looked_at_after_a_retry() {
    let mut execution = parked("waiting");
    execution.arrived(vec![event(1, "payment"), asked(2, ControlAction::Retry)]);
    assert_eq!(execution.decide(&plan(), at(3)), Next::Run(handler("paid")));
}

#[test]
fn a_skipped_step_has_the_result_that_it_was_given_and_other_failures_are_forgotten() {
    let failed = |key: &str| {
        let error = ErrorRecord { kind: ErrorKind::Failed, message: "no".to_owned(), sources: vec![] };
        result(key, 3, JournalResult::Failed { error, value: None })
    };
    let mut execution = start("working");
    execution.decide(&plan(), at(1));
    execution.recorded(vec![failed("work:first:d:0"), failed("work:second:d:0")]);
    let order = |key: &str| {
        let reason = Reason::new("known").by("alice");
        SkipOrder { reason, key: key.to_owned(), result: json("7") }
    };
    execution.arrived(vec![asked_with(1, ControlAction::Skip, &order("work:first:d:0"))]);
    execution.decide(&plan(), at(1));
    execution.park(ErrorRecord { kind: ErrorKind::Failed, message: "no".to_owned(), sources: vec![] }, at(2));
    for (seq, key) in [(2, "work:third:d:0"), (3, "work:first:d:0")] {
        execution.arrived(vec![asked_with(seq, ControlAction::Skip, &order(key))]);
        execution.decide(&plan(), at(3));
    }
    assert_eq!(execution.record().parked, None);
    let journal: Vec<_> =
        execution.journal().iter().map(|entry| (&*entry.key, entry.attempts, &entry.result)).collect();
    assert_eq!(journal, [("work:first:d:0", 3, &JournalResult::Done(json("7")))]);
    let changes = execution.take_changes();
    assert_eq!(changes.forget, ["work:second:d:0"]);
    assert_eq!(changes.journal.len(), 1);
    let refusals: Vec<_> = changes
        .history
        .into_iter()
        .filter_map(|row| match row.kind {
            HistoryKind::Control { refused, .. } => Some(refused),
            _ => None,
        })
        .collect();
    let expected = ["it is not parked", "it has no failed step `work:third:d:0`"].map(|why| Some(why.to_owned()));
    assert_eq!(refusals, [expected.to_vec(), vec![None]].concat());
}

#[test]
fn a_move_is_a_transition_whose_cause_is_a_person() {
    let reason = || Reason::new("known").by("alice");
    let order = |state: &str| MoveOrder { reason: reason(), state: state.to_owned(), data: json("5") };
    let mut execution = parked("working");
    execution.arrived(vec![
        asked_with(1, ControlAction::Move, &order("nowhere")),
        asked_with(2, ControlAction::Move, &order("waiting")),
    ]);
    assert_eq!(execution.decide(&plan(), at(5)), Next::Wait { until: Some(at(5 + 30)) });
    let changes = execution.take_changes();
    let record = changes.record.unwrap();
    assert_eq!((record.state.as_str(), record.visit, record.parked), ("waiting", 2, None));
    assert_eq!(record.data, json("5"));
    let kinds: Vec<_> = changes.history.into_iter().map(|row| row.kind).collect();
    assert!(
        matches!(&kinds[0], HistoryKind::Control { refused: Some(why), .. } if why.contains("no state `nowhere`")),
        "{kinds:?}"
    );
    assert!(matches!(&kinds[1], HistoryKind::Control { refused: None, state, .. } if state == "working"), "{kinds:?}");
    assert!(
        matches!(&kinds[2], HistoryKind::Transition { from, to, cause: Cause::Moved { reason: why }, .. }
            if (from.as_str(), to.as_str(), why) == ("working", "waiting", &reason())),
        "{kinds:?}"
    );
}

#[test]
fn a_move_to_an_end_state_ends() {
    let order = MoveOrder { reason: Reason::new("known").by("alice"), state: "done".to_owned(), data: json("5") };
    let mut execution = start("working");
    execution.arrived(vec![asked_with(1, ControlAction::Move, &order), asked(2, ControlAction::Cancel)]);
    assert_eq!(execution.decide(&plan(), at(5)), Next::Ended);
    assert_eq!((execution.record().status(), &execution.record().closed), (Status::Ended, &None));
}

#[test]
fn termination_is_told_to_the_driver_before_it_is_taken() {
    let mut execution = start("working");
    execution.arrived(vec![event(1, "note")]);
    assert!(!execution.is_to_be_terminated());
    execution.arrived(vec![event(1, "note"), asked(2, ControlAction::Terminate)]);
    assert!(execution.is_to_be_terminated());
    assert_eq!(execution.decide(&plan(), at(5)), Next::Ended);
    assert_eq!(execution.record().status(), Status::Terminated);
    assert_eq!((&execution.record().activity, execution.record().wake_at()), (&Activity::Ended, None));
}

#[test]
fn a_request_comes_before_a_pure_handler_so_that_no_loop_of_them_escapes_it() {
    let mut execution = start("quick");
    execution.arrived(vec![asked(1, ControlAction::Park)]);
    assert_eq!(execution.decide(&plan(), at(1)), Next::Parked);
}

#[test]
fn the_step_that_has_failed_for_the_longest_is_told_until_it_is_over_that() {
    let retrying =
        |key: &str, attempts, due| result(key, attempts, JournalResult::Retrying { error: error("no"), due: at(due) });
    let mut execution = start("working");
    execution.decide(&plan(), at(1));
    execution.at(at(5));
    execution.recorded(vec![retrying("work:send:d:0", 1, 7)]);
    execution.at(at(6));
    execution.recorded(vec![retrying("work:pay:d:0", 1, 9)]);
    execution.at(at(8));
    execution.recorded(vec![retrying("work:send:d:0", 2, 11)]);
    let failing = |execution: &Kernel| {
        execution.record().failing.as_ref().map(|one| (one.step().to_owned(), one.attempts, one.since, one.due))
    };
    assert_eq!(failing(&execution), Some(("send".to_owned(), 2, at(5), at(11))));
    let changes = execution.take_changes();
    assert!(changes.record.unwrap().failing.is_some(), "it is on disk with the result");
    execution.at(at(12));
    execution.recorded(vec![result("work:send:d:0", 3, JournalResult::Done(json("1")))]);
    assert_eq!(failing(&execution), Some(("pay".to_owned(), 1, at(12), at(9))));
    execution.recorded(vec![result("work:pay:d:0", 2, JournalResult::Done(json("1")))]);
    assert_eq!(failing(&execution), None);
    assert!(execution.take_changes().record.is_some());

    execution.recorded(vec![retrying("work:rest:d:0", 1, 20)]);
    execution.arrived(vec![asked(1, ControlAction::Park), asked(2, ControlAction::Retry)]);
    execution.decide(&plan(), at(13));
    assert_eq!(failing(&execution), None, "a retry begins anew");
    execution.recorded(vec![retrying("work:rest:d:0", 1, 20)]);
    execution.handled(goto("waiting"), vec![], &plan(), at(14));
    assert_eq!(failing(&execution), None);
}

#[test]
fn the_attributes_are_those_of_the_data_and_what_has_no_value_is_none() {
    let plan = || {
        let mut plan = plan();
        let mut waiting = (**plan.state("waiting").unwrap()).clone();
        waiting.attributes = ["customer", "amount", "paid", "none", "list", "gone"].map(str::to_owned).to_vec();
        plan.add("waiting", &["pending"], waiting);
        plan
    };
    let data = r#"{"customer":"A\u0064a","amount":18446744073709551615,"paid":true,"none":null,"list":[1],"other":2}"#;
    let new = Kernel::start("waiting".to_owned(), json(data), &plan(), at(0));
    let mut execution = Kernel::begun(new.record);
    let attributes = |execution: &Kernel| {
        let pairs = execution.record().attributes.iter().map(|(name, value)| format!("{name}={}", value.text()));
        pairs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(attributes(&execution), "amount=18446744073709551615 customer=\"Ada\" paid=true");
    execution.arrived(vec![event(1, "note")]);
    execution.decide(&plan(), at(1));
    execution.handled(Decided::Stay { data: json(r#"{"customer":"Bob"}"#) }, vec![], &plan(), at(1));
    assert_eq!(attributes(&execution), "customer=\"Bob\"");
    execution.arrived(vec![event(2, "payment")]);
    execution.decide(&plan(), at(1));
    execution.handled(goto("done"), vec![], &plan(), at(1));
    assert_eq!(attributes(&execution), "");
}
