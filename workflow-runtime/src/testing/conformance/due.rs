//! [`Store::due`](crate::store::Store::due).

use super::sample::{
    ORDERS, at, ended, ids, key, key_of, known, parked, quarantine, running_since, to, waiting, waiting_until,
};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{ExecutionKey, ExecutionRecord};
use crate::store::Due;

/// Timers and handlers to run stand in one line.
pub async fn the_longest_overdue_comes_first(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(3_000)).await;
    bench.create(&key("b"), running_since(4_000)).await;
    bench.create(&key("c"), waiting_until(2_000)).await;
    bench.create(&key("d"), waiting_until(5_001)).await;
    bench.create(&key("e"), waiting()).await;
    bench.create(&key("f"), waiting_until(5_000)).await;
    assert_eq!(bench.due_ids(5_000).await, ["c", "a", "b", "f"]);
}

/// More than were asked for are not answered with, and not forgotten.
pub async fn the_limit_cuts_and_says_what_comes_next(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, due) in [("a", 3_000), ("b", 2_000), ("c", 4_000)] {
        bench.create(&key(id), waiting_until(due)).await;
    }
    let due = |ids: &[&str], next: i64| Due {
        ready: ids.iter().map(|id| key(id)).collect(),
        next: Some(at(next)),
        ..Due::default()
    };
    assert_eq!(bench.due(9_000, 2).await, due(&["b", "a"], 4_000));
    assert_eq!(bench.due(9_000, 0).await, due(&[], 2_000));
    assert_eq!(bench.due(9_000, 3).await, Due { next: None, ..due(&["b", "a", "c"], 0) });
}

/// The time to sleep until.
pub async fn next_is_the_first_in_the_future(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.due(0, 10).await, Due::default());
    for (id, due) in [("a", 3_000), ("b", 8_000), ("c", 7_000)] {
        bench.create(&key(id), waiting_until(due)).await;
    }
    bench.create(&key("d"), waiting()).await;
    assert_eq!(bench.due(5_000, 10).await, Due { ready: vec![key("a")], next: Some(at(7_000)), ..Due::default() });
    assert_eq!(bench.due(2_999, 10).await, Due { ready: Vec::new(), next: Some(at(3_000)), ..Due::default() });
}

/// An engine that does not know a workflow is not shown its executions.
pub async fn only_the_workflows_asked_for(home: &impl Home) {
    let bench = Bench::new(home).await;
    let other = |id| key_of("Refunds", id);
    bench.create(&key("a"), running_since(3_000)).await;
    bench.create(&other("b"), running_since(2_000)).await;
    bench.create(&other("c"), running_since(4_000)).await;
    bench.create(&key_of("Unknown", "d"), running_since(1_000)).await;
    let due = async |workflows: &[&str], limit| {
        let workflows: Vec<_> = workflows.iter().map(|name| known(name, 1)).collect();
        bench.store.due(&workflows, at(9_000), limit).await.unwrap()
    };
    let all = Due { ready: vec![other("b"), key("a"), other("c")], next: None, ..Due::default() };
    assert_eq!(due(&[ORDERS, "Refunds"], 10).await, all);
    assert_eq!(
        due(&[ORDERS, "Refunds", "Nobody's"], 1).await,
        Due { ready: vec![other("b")], next: Some(at(3_000)), ..Due::default() }
    );
    assert_eq!(due(&[ORDERS], 10).await.ready, [key("a")]);
    assert_eq!(due(&[], 10).await, Due::default());
}

/// A build leaves alone what a newer one has written, and what it can run is not behind that.
pub async fn those_of_newer_versions_are_passed_over(home: &impl Home) {
    let bench = Bench::new(home).await;
    let of = |version, entered_at| ExecutionRecord { version, ..running_since(entered_at) };
    for number in 0..300 {
        bench.create(&key(&format!("new-{number}")), of(3, 1_000)).await;
    }
    bench.create(&key("a"), of(1, 3_000)).await;
    bench.create(&key("b"), of(2, 2_000)).await;
    bench.create(&key("c"), ExecutionRecord { version: 2, ..waiting_until(9_000) }).await;
    let due = |ids: &[&str], next: Option<i64>, newer| Due {
        ready: ids.iter().map(|id| key(id)).collect(),
        next: next.map(at),
        newer: vec![known(ORDERS, newer)],
    };
    assert_eq!(bench.due_up_to(2, 5_000, 10).await, due(&["b", "a"], Some(9_000), 3));
    assert_eq!(bench.due_up_to(2, 5_000, 1).await, due(&["b"], Some(3_000), 3));
    assert_eq!(bench.due_up_to(1, 5_000, 10).await, due(&["a"], None, 2));
    assert_eq!(bench.due_up_to(0, 5_000, 10).await, due(&[], None, 1));
    let all = bench.due_up_to(3, 5_000, 500).await;
    assert_eq!((all.ready.len(), all.newer.len()), (302, 0));
    assert_eq!(bench.due_up_to(u32::MAX, 1_000, 500).await.ready.len(), 300);
}

/// What is due follows the version that the record has now.
pub async fn a_version_changes_with_the_record(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.advance(&key("a"), 1, to(ExecutionRecord { version: 2, ..running_since(1_000) })).await;
    assert_eq!(bench.due_up_to(1, 5_000, 10).await, Due { newer: vec![known(ORDERS, 2)], ..Due::default() });
    assert_eq!(bench.due_up_to(2, 5_000, 10).await.ready, [key("a")]);
    bench.send(&key("a"), "e").await;
    assert_eq!(bench.due_up_to(1, 5_000, 10).await.ready, []);
    bench.advance(&key("a"), 1, to(running_since(1_000))).await;
    assert_eq!(bench.due_up_to(1, 5_000, 10).await.ready, [key("a")]);
}

/// They wait for a person, or for nothing.
pub async fn parked_and_ended_are_never_due(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.create(&key("b"), ended()).await;
    bench.create(&key("c"), running_since(1_000)).await;
    bench.advance(&key("c"), 1, to(parked())).await;
    assert_eq!(bench.due(i64::MAX, 10).await, Due::default());
}

/// Asking changes nothing, so a crash between asking and acting loses nothing.
pub async fn stays_until_a_commit_changes_it(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    for _ in 0..2 {
        assert_eq!(bench.due_ids(1_000).await, ["a"]);
    }
    bench.advance(&key("a"), 1, to(waiting_until(9_000))).await;
    assert_eq!(bench.due(1_000, 10).await, Due { ready: Vec::new(), next: Some(at(9_000)), ..Due::default() });
    bench.advance(&key("a"), 1, to(waiting())).await;
    assert_eq!(bench.due(i64::MAX, 10).await, Due::default());
}

/// Whether it has no time of its own, or one in the future.
pub async fn an_event_makes_it_due_at_once(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.create(&key("b"), waiting_until(99_000)).await;
    assert_eq!(bench.due_ids(2_000).await, [""; 0]);
    bench.send(&key("a"), "e").await;
    bench.send(&key("b"), "e").await;
    let mut due = bench.due_ids(1_000).await;
    due.sort();
    assert_eq!(due, ["a", "b"]);
}

/// The event arrived after the worker had read the inbox.
pub async fn an_event_that_an_advance_did_not_see_keeps_it_due(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    let record = ExecutionRecord { inbox_seen: 1, ..waiting_until(99_000) };
    bench.advance(&key("a"), 1, to(record)).await;
    assert_eq!(bench.due_ids(2_000).await, ["a"]);
}

/// The state does not take it: looking at it again and again would be no use.
pub async fn an_event_that_was_seen_does_not(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    let record = ExecutionRecord { inbox_seen: 1, ..waiting_until(99_000) };
    bench.advance(&key("a"), 1, to(record)).await;
    assert_eq!(bench.due(2_000, 10).await, Due { ready: Vec::new(), next: Some(at(99_000)), ..Due::default() });
    bench.send(&key("a"), "f").await;
    assert_eq!(bench.due_ids(2_000).await, ["a"]);
}

/// Also if the record is left as it was.
pub async fn an_event_is_no_reason_once_it_is_consumed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(99_000)).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    bench.advance(&key("a"), 1, Advance { consumed: vec![2], ..Advance::default() }).await;
    assert_eq!(bench.due_ids(2_000).await, ["a"], "the first one is still there");
    bench.advance(&key("a"), 1, Advance { consumed: vec![1], ..Advance::default() }).await;
    assert_eq!(bench.due(2_000, 10).await, Due { ready: Vec::new(), next: Some(at(99_000)), ..Due::default() });
}

/// What one state put off, the next may take.
pub async fn a_new_visit_looks_at_old_events_again(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, to(ExecutionRecord { inbox_seen: 1, ..waiting() })).await;
    assert_eq!(bench.due_ids(9_000).await, [""; 0]);
    bench.advance(&key("a"), 1, to(ExecutionRecord { visit: 2, inbox_seen: 0, ..waiting() })).await;
    assert_eq!(bench.due_ids(9_000).await, ["a"]);
}

/// They queue up, and count as soon as it is tried again.
pub async fn events_of_parked_executions_wait(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.send(&key("a"), "e").await;
    assert_eq!(bench.due_ids(i64::MAX).await, [""; 0]);
    bench.advance(&key("a"), 1, to(waiting())).await;
    assert_eq!(bench.due_ids(1_000).await, ["a"]);
}

/// A damaged execution is left alone, whatever arrives for it.
pub async fn a_quarantined_execution_is_not(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.change(&key("a"), quarantine("damaged")).await.unwrap();
    bench.send(&key("a"), "e").await;
    let due: Vec<ExecutionKey> = bench.due(i64::MAX, 10).await.ready;
    assert_eq!(ids(due), [""; 0]);
}

/// It waits for a person, and this is one.
pub async fn a_control_event_makes_a_parked_execution_due(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.send(&key("a"), "e").await;
    bench.ask(&key("a"), "retry").await;
    bench.send(&key("a"), "f").await;
    assert_eq!(bench.due_ids(1_000).await, ["a"]);
    bench.advance(&key("a"), 1, Advance { consumed: vec![1], ..Advance::default() }).await;
    assert_eq!(bench.due_ids(1_000).await, ["a"], "it is still there");
    bench.advance(&key("a"), 1, Advance { consumed: vec![2], ..to(parked()) }).await;
    assert_eq!(bench.due_ids(i64::MAX).await, [""; 0]);
    bench.ask(&key("a"), "again").await;
    bench.ask(&key("a"), "and again").await;
    bench.advance(&key("a"), 1, Advance { consumed: vec![4], ..Advance::default() }).await;
    assert_eq!(bench.due_ids(1_000).await, ["a"], "another one came meanwhile");
    bench.advance(&key("a"), 1, Advance { consumed: vec![5], ..Advance::default() }).await;
    assert_eq!(bench.due_ids(i64::MAX).await, [""; 0]);
}

/// Whatever the worker says that it has seen of the inbox.
pub async fn a_control_event_keeps_it_due_until_it_is_consumed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(99_000)).await;
    bench.ask(&key("a"), "cancel").await;
    let record = ExecutionRecord { inbox_seen: 1, ..waiting_until(99_000) };
    bench.advance(&key("a"), 1, to(record)).await;
    assert_eq!(bench.due_ids(2_000).await, ["a"]);
    bench.advance(&key("a"), 1, Advance { consumed: vec![1], ..to(ended()) }).await;
    assert_eq!(bench.due_ids(i64::MAX).await, [""; 0]);
}

/// To look at a damaged execution again and again would be no use; to look once more when somebody asks for it is.
pub async fn a_quarantined_execution_is_due_for_what_is_asked_later(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.ask(&key("a"), "before").await;
    bench.change(&key("a"), quarantine("damaged")).await.unwrap();
    assert_eq!(bench.due_ids(i64::MAX).await, [""; 0]);
    bench.ask(&key("a"), "after").await;
    assert_eq!(bench.due_ids(1_000).await, ["a"]);
}
