//! What is to be undone: [`undo`](crate::store::Advance::undo), [`forget_undo`](crate::store::Advance::forget_undo) and
//! [`drop_undo`](crate::store::Advance::drop_undo).

use super::sample::{ended, entry, json, key, quarantine, undo, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{Activity, Cause, ExecutionRecord, UndoOutput, UndoRecord, UnwindInto};
use crate::store::{Epoch, Refused};

/// How many are read at once.
const MANY: u64 = 64;

/// A record that unwinds, with so many left to undo.
fn unwinding(undo_count: u64) -> ExecutionRecord {
    let into = UnwindInto::State { state: "Cancelled".into(), data: json("{}") };
    let activity = Activity::Unwinding { into, cause: Cause::Entry, attempts: 0, before: None };
    ExecutionRecord { activity, undo_count, ..waiting() }
}

/// Adds these, so that there are `count` in all.
fn add(undo: Vec<UndoRecord>, count: u64) -> Advance {
    Advance { undo, record: Some(unwinding(count)), ..Advance::default() }
}

async fn with(bench: &Bench, id: &str, undo: Vec<UndoRecord>) {
    bench.create(&key(id), waiting()).await;
    let count = undo.len() as u64;
    bench.advance(&key(id), 1, add(undo, count)).await;
}

/// The places that are read, as visit and order.
async fn places(bench: &Bench, id: &str) -> Vec<(u64, u64)> {
    bench.load(&key(id)).await.undo.iter().map(|undo| (undo.visit, undo.order)).collect()
}

/// Visit before order, and both as numbers.
pub async fn the_newest_is_the_last_however_it_came(home: &impl Home) {
    let bench = Bench::new(home).await;
    let stack = vec![undo(2, 300, 1), undo(1, 70, 0), undo(2, 10, 1), undo(10, 3, 4), undo(2, 9, 1)];
    with(&bench, "a", stack).await;
    let expected = vec![undo(1, 70, 0), undo(2, 9, 1), undo(2, 10, 1), undo(2, 300, 1), undo(10, 3, 4)];
    assert_eq!(bench.load(&key("a")).await.undo, expected);
}

/// What is loaded does not grow with what is to be undone.
pub async fn one_is_read_until_it_unwinds_and_then_many(home: &impl Home) {
    let bench = Bench::new(home).await;
    let count = 3 * MANY;
    with(&bench, "a", (0..count).map(|older| undo(older + 1, 1, older)).collect()).await;
    let top = (count - MANY + 1..=count).map(|visit| (visit, 1)).collect::<Vec<_>>();
    assert_eq!(places(&bench, "a").await, top);
    let alone = bench.store.undo(&key("a"), count).await.unwrap();
    assert_eq!(alone, bench.load(&key("a")).await.undo, "also when they are read alone");
    assert_eq!(bench.store.undo(&key("nobody"), 0).await.unwrap(), []);
    // A store need not be able to read what is older.
    let oldest = alone.first().map(UndoRecord::place).unwrap();
    if let Some(older) = bench.store.undo_before(&key("a"), oldest).await.unwrap() {
        let visits: Vec<_> = older.iter().map(|undo| undo.visit).collect();
        let newest = count - MANY;
        let expected: Vec<_> = (newest + 1 - visits.len() as u64..=newest).collect();
        assert!(!visits.is_empty() && visits == expected, "the newest of them, in their order: {visits:?}");
        let bottom = undo(1, 1, 0).place();
        assert_eq!(bench.store.undo_before(&key("a"), bottom).await.unwrap(), Some(Vec::new()));
        assert_eq!(bench.store.undo_before(&key("nobody"), oldest).await.unwrap(), Some(Vec::new()));
    }
    let record = ExecutionRecord { undo_count: count, ..waiting() };
    bench.advance(&key("a"), 1, Advance { record: Some(record), ..Advance::default() }).await;
    assert_eq!(places(&bench, "a").await, [(count, 1)]);
}

/// The order of one visit is not that in which they are added.
pub async fn it_may_stand_between_others(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0), undo(1, 3, 0)]).await;
    bench.advance(&key("a"), 1, add(vec![undo(1, 2, 0)], 3)).await;
    assert_eq!(places(&bench, "a").await, [(1, 1), (1, 2), (1, 3)]);
}

/// No two stand at one place.
pub async fn one_replaces_that_of_its_place(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0)]).await;
    let other = UndoRecord { output: UndoOutput::Known(json("8")), ..undo(1, 1, 0) };
    bench.advance(&key("a"), 1, add(vec![other.clone()], 1)).await;
    assert_eq!(bench.load(&key("a")).await.undo, [other]);
}

/// `forget_undo` drops what it names, and may name what is not there.
pub async fn is_forgotten_one_by_one(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0), undo(1, 2, 0), undo(2, 1, 2)]).await;
    let forget_undo = [undo(2, 1, 2), undo(7, 7, 0)].map(|undo| undo.place()).to_vec();
    bench.advance(&key("a"), 1, Advance { forget_undo, ..add(Vec::new(), 2) }).await;
    assert_eq!(places(&bench, "a").await, [(1, 1), (1, 2)]);
    let forget_undo = vec![undo(1, 2, 0).place()];
    bench.advance(&key("a"), 1, Advance { forget_undo, ..add(Vec::new(), 1) }).await;
    assert_eq!(places(&bench, "a").await, [(1, 1)]);
}

/// `drop_undo` is about what was there before.
pub async fn all_is_dropped_before_any_is_added(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0), undo(2, 1, 1)]).await;
    bench.advance(&key("a"), 1, Advance { drop_undo: true, ..add(vec![undo(2, 5, 0)], 1) }).await;
    assert_eq!(places(&bench, "a").await, [(2, 5)]);
    bench.advance(&key("a"), 1, Advance { drop_undo: true, ..add(Vec::new(), 0) }).await;
    assert_eq!(places(&bench, "a").await, []);
}

/// Forgetting comes before adding.
pub async fn what_is_forgotten_may_be_added_at_once(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0)]).await;
    let other = UndoRecord { step: "book".to_owned(), ..undo(1, 1, 0) };
    let forget_undo = vec![other.place()];
    bench.advance(&key("a"), 1, Advance { forget_undo, ..add(vec![other.clone()], 1) }).await;
    assert_eq!(bench.load(&key("a")).await.undo, [other]);
}

/// The journal goes and what is to be undone comes, in one commit.
pub async fn a_transition_moves_it_from_the_journal(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, Advance { journal: vec![entry("k", "1")], ..Advance::default() }).await;
    let record = ExecutionRecord { visit: 2, undo_count: 1, ..waiting() };
    let moved = Advance { record: Some(record), drop_journal: true, ..add(vec![undo(1, 1, 0)], 1) };
    bench.advance(&key("a"), 1, moved).await;
    let stored = bench.load(&key("a")).await;
    assert_eq!((stored.record.visit, stored.journal, stored.undo), (2, Vec::new(), vec![undo(1, 1, 0)]));
}

/// What an end keeps of it can be read, as of an execution that was terminated.
pub async fn an_end_drops_what_it_says(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, drop_undo, undo_count) in [("dropped", true, 0), ("kept", false, 1)] {
        with(&bench, id, vec![undo(1, 1, 0)]).await;
        let record = Some(ExecutionRecord { undo_count, ..ended() });
        bench.advance(&key(id), 1, Advance { record, drop_undo, ..Advance::default() }).await;
        assert_eq!(bench.load(&key(id)).await.undo.len() as u64, undo_count, "{id}");
    }
}

/// Neither of an earlier visit nor of an earlier epoch.
pub async fn a_refused_advance_leaves_it(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0), undo(1, 2, 0)]).await;
    let before = bench.everything_of(&key("a")).await;
    let forget_undo = vec![undo(1, 2, 0).place()];
    let late = [
        Advance { undo: vec![undo(1, 3, 0)], ..Advance::default() },
        Advance { forget_undo, ..Advance::default() },
        Advance { drop_undo: true, ..Advance::default() },
    ];
    for advance in late {
        let zombie = Bench { epoch: Epoch(bench.epoch.0.wrapping_sub(1)), ..bench.clone() };
        assert_eq!(zombie.try_advance(&key("a"), 1, advance.clone()).await, Err(Refused::Fenced), "{advance:?}");
        assert_eq!(bench.try_advance(&key("a"), 2, advance.clone()).await, Err(Refused::Fenced), "{advance:?}");
        assert_eq!(bench.everything_of(&key("a")).await, before);
    }
}

/// The places of one are not those of another.
pub async fn concerns_one_execution(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "b", "c"] {
        with(&bench, id, vec![undo(1, 1, 0), undo(1, 2, 0)]).await;
    }
    let forget_undo = vec![undo(1, 2, 0).place()];
    bench.advance(&key("a"), 1, Advance { forget_undo, ..add(Vec::new(), 1) }).await;
    bench.advance(&key("b"), 1, Advance { drop_undo: true, ..add(Vec::new(), 0) }).await;
    assert_eq!(places(&bench, "a").await, [(1, 1)]);
    assert_eq!(places(&bench, "b").await, []);
    assert_eq!(places(&bench, "c").await, [(1, 1), (1, 2)]);
}

/// Nothing of it is in memory alone.
pub async fn is_all_there_after_a_restart(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", (1..=MANY).map(|order| undo(1, order, 0)).collect()).await;
    let before = bench.everything_of(&key("a")).await;
    drop(bench);
    let bench = Bench::new(home).await;
    assert_eq!(bench.everything_of(&key("a")).await, before);
    let forget_undo = vec![undo(1, MANY, 0).place()];
    bench.advance(&key("a"), 1, Advance { forget_undo, ..add(Vec::new(), MANY - 1) }).await;
    assert_eq!(bench.load(&key("a")).await.undo.last(), Some(&undo(1, MANY - 1, 0)));
}

/// A person is to find what was there.
pub async fn quarantine_keeps_it(home: &impl Home) {
    let bench = Bench::new(home).await;
    with(&bench, "a", vec![undo(1, 1, 0), undo(2, 1, 1)]).await;
    bench.change(&key("a"), quarantine("damaged")).await.unwrap();
    assert_eq!(places(&bench, "a").await, [(1, 1), (2, 1)]);
}
