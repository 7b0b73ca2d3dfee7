//! What is there after the store was closed and opened again.

use super::sample::{at, create, ended, entry, event, key, parked, retried, to, undo, waiting, waiting_until};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{EventRecord, ExecutionRecord, Status};
use crate::store::{Commit, Committed, Due, Query, Refused};

/// Closes the store and opens it again, without taking it over.
async fn reopen(bench: Bench, home: &impl Home) -> Bench {
    let Bench { store, epoch } = bench;
    drop(store);
    Bench { store: home.open().await, epoch }
}

/// Every part of an execution.
pub async fn shows_everything_acknowledged(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(9_000)).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    let (journal, undo) = (vec![entry("k", "1")], vec![undo(1, 1, 0)]);
    let record = ExecutionRecord { undo_count: 1, ..waiting_until(9_000) };
    bench.advance(&key("a"), 1, Advance { journal, undo, consumed: vec![1], ..to(record) }).await;
    bench.create(&key("b"), parked()).await;
    let before = bench.everything_of(&key("a")).await;
    let list = bench.store.list(&Query::default()).await.unwrap();
    let bench = reopen(bench, home).await;
    assert_eq!(bench.everything_of(&key("a")).await, before);
    assert_eq!(bench.store.list(&Query::default()).await.unwrap(), list);
    assert_eq!(bench.load(&key("a")).await.inbox, [EventRecord { seq: 2, event: event("f") }]);
    assert_eq!(list.executions[1].status, Status::Parked);
}

/// Ids of executions and of events, consumed ones too.
pub async fn an_id_still_counts_once(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    bench.advance(&key("a"), 1, Advance { consumed: vec![2], ..Advance::default() }).await;
    let bench = reopen(bench, home).await;
    assert_eq!(bench.change(&key("a"), create(waiting())).await, Ok(Committed::Existed));
    assert_eq!(bench.deliver(&key("a"), "e").await, Ok(Committed::Existed));
    assert_eq!(bench.deliver(&key("a"), "f").await, Ok(Committed::Existed));
    bench.send(&key("a"), "g").await;
    let places: Vec<u64> = bench.load(&key("a")).await.inbox.iter().map(|event| event.seq).collect();
    assert_eq!(places, [1, 3]);
}

/// A takeover after a restart is later than any before it.
pub async fn epochs_go_on_growing(home: &impl Home) {
    let mut bench = Bench::new(home).await;
    for _ in 0..3 {
        let last = bench.epoch;
        bench = reopen(bench, home).await;
        bench.epoch = bench.store.acquire().await.unwrap();
        assert!(bench.epoch > last);
    }
}

/// A worker from before the restart.
pub async fn an_old_epoch_is_refused(home: &impl Home) {
    let zombie = Bench::new(home).await;
    zombie.create(&key("a"), waiting()).await;
    let zombie = reopen(zombie, home).await;
    zombie.store.acquire().await.unwrap();
    assert_eq!(zombie.try_advance(&key("a"), 1, to(ended())).await, Err(Refused::Fenced));
}

/// Timers and unseen events.
pub async fn keeps_what_is_due(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(9_000)).await;
    bench.create(&key("b"), waiting()).await;
    bench.send(&key("b"), "e").await;
    let bench = reopen(bench, home).await;
    assert_eq!(bench.due(2_000, 10).await, Due { ready: vec![key("b")], next: Some(at(9_000)), ..Due::default() });
}

/// Closing is no way to lose a call.
pub async fn applies_what_was_queued_when_it_was_closed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    let history = || Advance { history: vec![retried(1)], ..Advance::default() };
    for _ in 0..500 {
        drop(bench.store.commit(vec![Commit { key: key("a"), change: bench.fenced(1, history()) }]));
    }
    let bench = reopen(bench, home).await;
    assert_eq!(bench.history(&key("a")).await.len(), 501);
}
