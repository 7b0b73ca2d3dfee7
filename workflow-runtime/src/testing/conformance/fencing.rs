//! [`Fence`]: a worker that was thought dead can write nothing.

use super::sample::{create, ended, entry, event, key, retried, to, undo, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::ExecutionRecord;
use crate::store::{Change, Commit, Committed, Epoch, Fence, Refused};

/// An advance that would change everything that can be changed.
fn everything() -> Advance {
    Advance {
        record: Some(ExecutionRecord { visit: 9, undo_count: 1, ..ended() }),
        drop_journal: true,
        journal: vec![entry("zombie", "1")],
        forget: vec!["k".into()],
        drop_undo: true,
        forget_undo: vec![undo(1, 1, 0).place()],
        undo: vec![undo(8, 1, 0)],
        consumed: vec![1],
        history: vec![retried(66)],
        replies: Vec::new(),
        keep_history: Some(1),
    }
}

async fn with_some_of_everything(bench: &Bench, id: &str) {
    bench.create(&key(id), waiting()).await;
    let record = Some(ExecutionRecord { undo_count: 1, ..waiting() });
    bench.advance(&key(id), 1, Advance { record, undo: vec![undo(1, 1, 0)], ..Advance::default() }).await;
    bench.send(&key(id), "e").await;
    bench.advance(&key(id), 1, Advance { journal: vec![entry("k", "1")], ..Advance::default() }).await;
}

/// The execution has moved on, or the worker is ahead of it.
pub async fn another_visit_is_refused(home: &impl Home) {
    let bench = Bench::new(home).await;
    with_some_of_everything(&bench, "a").await;
    bench.advance(&key("a"), 1, to(ExecutionRecord { visit: 2, undo_count: 1, ..waiting() })).await;
    let before = bench.everything_of(&key("a")).await;
    for visit in [0, 1, 3, u64::MAX] {
        assert_eq!(bench.try_advance(&key("a"), visit, everything()).await, Err(Refused::Fenced), "visit {visit}");
    }
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// A made-up epoch does not write, be it of the past or of the future.
pub async fn an_epoch_never_acquired_is_refused(home: &impl Home) {
    let bench = Bench::new(home).await;
    with_some_of_everything(&bench, "a").await;
    let before = bench.everything_of(&key("a")).await;
    for epoch in [0, bench.epoch.0 + 1, u64::MAX] {
        let imposter = Bench { epoch: Epoch(epoch), ..bench.clone() };
        assert_eq!(imposter.try_advance(&key("a"), 1, everything()).await, Err(Refused::Fenced), "epoch {epoch}");
    }
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// Whoever took over last may write, nobody else.
pub async fn an_older_epoch_is_refused_after_a_takeover(home: &impl Home) {
    let zombie = Bench::new(home).await;
    with_some_of_everything(&zombie, "a").await;
    let epoch = zombie.store.acquire().await.unwrap();
    let bench = Bench { epoch, ..zombie.clone() };
    let before = bench.everything_of(&key("a")).await;
    assert_eq!(zombie.try_advance(&key("a"), 1, everything()).await, Err(Refused::Fenced));
    assert_eq!(bench.everything_of(&key("a")).await, before);
    bench.advance(&key("a"), 1, everything()).await;
}

/// Each takeover is later than all before it.
pub async fn epochs_grow(home: &impl Home) {
    let bench = Bench::new(home).await;
    let mut last = bench.epoch;
    for _ in 0..5 {
        let epoch = bench.store.acquire().await.unwrap();
        assert!(epoch > last);
        last = epoch;
    }
}

/// Taking over is no write to any execution.
pub async fn a_takeover_changes_nothing_else(home: &impl Home) {
    let bench = Bench::new(home).await;
    with_some_of_everything(&bench, "a").await;
    let before = bench.everything_of(&key("a")).await;
    bench.store.acquire().await.unwrap();
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// A refusal of every kind between commits that are applied.
pub async fn a_refusal_changes_nothing_and_spares_its_neighbours(home: &impl Home) {
    let bench = Bench::new(home).await;
    with_some_of_everything(&bench, "a").await;
    bench.create(&key("end"), ended()).await;
    let before = bench.everything_of(&key("a")).await;
    let end_before = bench.everything_of(&key("end")).await;
    let old = Change::Advance { fence: Fence { visit: 1, epoch: Epoch(0) }, advance: Box::new(everything()) };
    let deliver = || Change::Deliver { event: event("x") };
    let (applied, fenced) = (Ok(Committed::Applied), Err(Refused::Fenced));
    let (ended, unknown) = (Err(Refused::Ended), Err(Refused::Unknown));
    let cases = [
        ("b", create(waiting()), applied),
        ("a", bench.fenced(2, everything()), fenced),
        ("c", create(waiting()), applied),
        ("a", old, fenced),
        ("d", create(waiting()), applied),
        ("end", deliver(), ended),
        ("d", deliver(), applied),
        ("end", bench.fenced(2, everything()), ended),
        ("nobody", deliver(), unknown),
        ("nobody", bench.fenced(1, everything()), unknown),
        ("c", bench.fenced(1, Advance { history: vec![retried(1)], ..Advance::default() }), applied),
        ("a", create(waiting()), Ok(Committed::Existed)),
        ("a", Change::Deliver { event: event("e") }, Ok(Committed::Existed)),
        ("b", deliver(), applied),
    ];
    let expected: Vec<_> = cases.iter().map(|case| case.2).collect();
    let commits = cases.into_iter().map(|(id, change, _)| Commit { key: key(id), change }).collect();
    assert_eq!(bench.store.commit(commits).await.unwrap(), expected);
    let (stored, history, _) = bench.everything_of(&key("a")).await;
    assert_eq!((stored, history), (before.0, before.1));
    let (stored, history, _) = bench.everything_of(&key("end")).await;
    assert_eq!((stored, history), (end_before.0, end_before.1));
    assert_eq!(bench.store.load(&key("nobody")).await.unwrap(), None);
    assert_eq!(bench.load(&key("b")).await.inbox.len(), 1);
    assert_eq!(bench.history(&key("c")).await.len(), 2);
    assert_eq!(bench.load(&key("d")).await.inbox.len(), 1);
}

/// Who sends an event, or starts an execution, need not have taken the store over.
pub async fn events_need_no_fence(home: &impl Home) {
    let store = home.open().await;
    let bench = Bench { store, epoch: Epoch(0) };
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    assert_eq!(bench.load(&key("a")).await.inbox.len(), 1);
}
