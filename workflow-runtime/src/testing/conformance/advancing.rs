//! [`Change::Advance`](crate::store::Change::Advance) and [`Change::Quarantine`](crate::store::Change::Quarantine).

use super::sample::{
    ended, entry, error, event, event_left, key, parked, quarantine, retried, running_since, started, to, undo, waiting,
};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{EventRecord, ExecutionRecord, HistoryRecord, JournalEntry, Status};
use crate::store::{Commit, Committed, ExecutionSummary, Query, Refused};

fn add(journal: &[JournalEntry]) -> Advance {
    Advance { journal: journal.to_vec(), ..Advance::default() }
}

async fn history_of(bench: &Bench, id: &str) -> Vec<HistoryRecord> {
    bench.history(&key(id)).await.into_iter().map(|row| row.record).collect()
}

async fn summary_of(bench: &Bench, id: &str) -> ExecutionSummary {
    let page = bench.store.list(&Query::default()).await.unwrap();
    page.executions.into_iter().find(|summary| summary.id.as_str() == id).unwrap()
}

/// Record, journal, what is to be undone, inbox and history change together.
pub async fn is_applied_whole(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, add(&[entry("old", "1")])).await;
    let record = ExecutionRecord { visit: 2, state: "Paid".into(), undo_count: 1, ..running_since(2_000) };
    let advance = Advance {
        record: Some(record.clone()),
        drop_journal: true,
        journal: vec![entry("new", "2")],
        forget: Vec::new(),
        drop_undo: false,
        forget_undo: Vec::new(),
        undo: vec![undo(1, 1, 0)],
        consumed: vec![1],
        history: vec![retried(1), retried(2)],
        replies: Vec::new(),
        keep_history: None,
    };
    bench.advance(&key("a"), 1, advance).await;
    let stored = bench.load(&key("a")).await;
    assert_eq!(stored.record, record);
    assert_eq!(stored.journal, [entry("new", "2")]);
    assert_eq!(stored.undo, [undo(1, 1, 0)]);
    assert_eq!(stored.inbox, []);
    assert_eq!(history_of(&bench, "a").await, [started(&waiting()), retried(1), retried(2)]);
}

/// Only what is named changes.
pub async fn without_a_record_leaves_the_record(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    let advance = Advance { history: vec![retried(7)], ..add(&[entry("k", "1")]) };
    bench.advance(&key("a"), 1, advance).await;
    let stored = bench.load(&key("a")).await;
    assert_eq!((stored.record, stored.journal), (running_since(1_000), vec![entry("k", "1")]));
    assert_eq!(history_of(&bench, "a").await, [started(&running_since(1_000)), retried(7)]);
    assert_eq!(bench.due_ids(1_000).await, ["a"]);
}

/// An empty advance is accepted.
pub async fn with_nothing_changes_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    let before = bench.everything_of(&key("a")).await;
    bench.advance(&key("a"), 1, Advance::default()).await;
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// Keys are unique within a journal.
pub async fn a_journal_entry_replaces_that_of_its_key(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(&[entry("j", "1"), entry("k", "1"), entry("k", "2")])).await;
    assert_eq!(bench.load(&key("a")).await.journal, [entry("j", "1"), entry("k", "2")]);
    bench.advance(&key("a"), 1, add(&[entry("k", "3")])).await;
    assert_eq!(bench.load(&key("a")).await.journal, [entry("j", "1"), entry("k", "3")]);
}

/// `drop_journal` is about what was there before.
pub async fn the_journal_is_dropped_before_entries_are_added(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "b"] {
        bench.create(&key(id), waiting()).await;
        bench.advance(&key(id), 1, add(&[entry("j", "1"), entry("k", "1")])).await;
    }
    bench.advance(&key("a"), 1, Advance { drop_journal: true, ..add(&[entry("k", "2")]) }).await;
    assert_eq!(bench.load(&key("a")).await.journal, [entry("k", "2")]);
    assert_eq!(bench.load(&key("b")).await.journal.len(), 2, "another execution's journal stays");
}

/// `forget` drops what it names, and may name what is not there.
pub async fn entries_are_forgotten_one_by_one(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(&[entry("i", "1"), entry("j", "1"), entry("k", "1")])).await;
    let forget = ["i", "k", "nothing"].map(Into::into).to_vec();
    bench.advance(&key("a"), 1, Advance { forget, ..Advance::default() }).await;
    assert_eq!(bench.load(&key("a")).await.journal, [entry("j", "1")]);
}

/// Forgetting comes before adding.
pub async fn what_is_forgotten_may_be_added_at_once(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(&[entry("k", "1")])).await;
    bench.advance(&key("a"), 1, Advance { forget: vec!["k".into()], ..add(&[entry("k", "2")]) }).await;
    assert_eq!(bench.load(&key("a")).await.journal, [entry("k", "2")]);
}

/// The inbox need not be consumed in order; a place that is not there is no error.
pub async fn consuming_leaves_the_other_events(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for event_id in ["e", "f", "g"] {
        bench.send(&key("a"), event_id).await;
    }
    bench.advance(&key("a"), 1, Advance { consumed: vec![2, 9], ..Advance::default() }).await;
    let left = [(1, "e"), (3, "g")].map(|(seq, id)| EventRecord { seq, event: event(id) });
    assert_eq!(bench.load(&key("a")).await.inbox, left);
}

/// At the end nothing is left but the record and the history.
pub async fn the_end_drops_journal_and_inbox(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, add(&[entry("k", "1")])).await;
    let advance = Advance { consumed: vec![1], journal: vec![entry("l", "1")], ..to(ended()) };
    bench.advance(&key("a"), 1, advance).await;
    let stored = bench.load(&key("a")).await;
    assert_eq!((stored.record, stored.journal, stored.inbox), (ended(), Vec::new(), Vec::new()));
    assert_eq!(history_of(&bench, "a").await, [started(&waiting())]);
}

/// An event that arrived while the last transition was on its way is not lost without a trace.
pub async fn the_end_notes_events_that_nothing_consumed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for event_id in ["e", "f", "g"] {
        bench.send(&key("a"), event_id).await;
    }
    bench.advance(&key("a"), 1, Advance { consumed: vec![2], history: vec![retried(1)], ..to(ended()) }).await;
    let expected = [started(&waiting()), retried(1), event_left("e"), event_left("g")];
    assert_eq!(history_of(&bench, "a").await, expected);
    assert_eq!(bench.load(&key("a")).await.inbox, []);
}

/// There is nothing to advance.
pub async fn is_refused_for_an_unknown_execution(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.try_advance(&key("a"), 1, to(waiting())).await, Err(Refused::Unknown));
    assert_eq!(bench.store.load(&key("a")).await.unwrap(), None);
}

/// An end is for ever.
pub async fn is_refused_at_an_end(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, to(ended())).await;
    let before = bench.everything_of(&key("a")).await;
    assert_eq!(bench.try_advance(&key("a"), 2, to(waiting())).await, Err(Refused::Ended));
    assert_eq!(bench.try_advance(&key("a"), 1, to(waiting())).await, Err(Refused::Fenced));
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// Each commit of a call sees what those before it did.
pub async fn in_one_call_builds_on_the_one_before(home: &impl Home) {
    let bench = Bench::new(home).await;
    let second = ExecutionRecord { visit: 2, ..waiting() };
    let changes = vec![
        super::sample::create(waiting()),
        bench.fenced(1, to(second.clone())),
        bench.fenced(1, to(ended())),
        bench.fenced(2, Advance { history: vec![retried(4)], ..Advance::default() }),
    ];
    let commits = changes.into_iter().map(|change| Commit { key: key("a"), change }).collect();
    let outcomes = bench.store.commit(commits).await.unwrap();
    let applied = Ok(Committed::Applied);
    assert_eq!(outcomes, [applied, applied, Err(Refused::Fenced), applied]);
    assert_eq!(bench.load(&key("a")).await.record, second);
    assert_eq!(history_of(&bench, "a").await.len(), 2);
}

/// What is stored stays for a person to look at.
pub async fn quarantine_parks_and_keeps_what_is_stored(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.send(&key("a"), "e").await;
    let (mut before, history, _) = bench.everything_of(&key("a")).await;
    assert_eq!(bench.change(&key("a"), quarantine("damaged")).await, Ok(Committed::Applied));
    let summary = summary_of(&bench, "a").await;
    assert_eq!((summary.status, summary.error, summary.wake_at), (Status::Parked, Some(error("damaged")), None));
    let (after, history_after, _) = bench.everything_of(&key("a")).await;
    let parked = after.as_ref().and_then(|after| after.record.parked.clone());
    assert_eq!(parked.as_ref().map(|parked| &parked.error), Some(&error("damaged")));
    if let Some(before) = &mut before {
        before.record.parked = parked;
    }
    assert_eq!((after, history_after), (before, history));
}

/// Who can write a new record has repaired it.
pub async fn quarantine_ends_with_a_new_record(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), running_since(1_000)).await;
    bench.change(&key("a"), quarantine("damaged")).await.unwrap();
    bench.advance(&key("a"), 1, add(&[entry("k", "1")])).await;
    assert_eq!(summary_of(&bench, "a").await.status, Status::Parked, "no new record came");
    bench.advance(&key("a"), 1, to(running_since(1_000))).await;
    let summary = summary_of(&bench, "a").await;
    assert_eq!((summary.status, summary.error), (Status::Running, None));
    assert_eq!(bench.due_ids(1_000).await, ["a"]);
}

/// There is nothing to stop.
pub async fn quarantine_is_refused_at_an_end_and_if_unknown(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.change(&key("a"), quarantine("damaged")).await, Err(Refused::Unknown));
    bench.create(&key("a"), ended()).await;
    assert_eq!(bench.change(&key("a"), quarantine("damaged")).await, Err(Refused::Ended));
    bench.create(&key("b"), parked()).await;
    assert_eq!(bench.change(&key("b"), quarantine("damaged")).await, Ok(Committed::Applied));
    assert_eq!(summary_of(&bench, "b").await.error, Some(error("damaged")));
}
