//! [`keep_history`](crate::store::Advance::keep_history): the oldest rows go, and their places with them.

use super::sample::{ended, event_left, key, retried, started, to, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::HistoryRecord;
use crate::store::{Epoch, Refused};

/// An advance that adds these rows, and keeps `keep` of all.
fn add(millis: impl IntoIterator<Item = i64>, keep: Option<u64>) -> Advance {
    let history = millis.into_iter().map(retried).collect();
    Advance { history, keep_history: keep, ..Advance::default() }
}

async fn numbered(bench: &Bench, id: &str) -> Vec<(u64, HistoryRecord)> {
    bench.history(&key(id)).await.into_iter().map(|row| (row.seq, row.record)).collect()
}

/// Pages, too, go by the places that the rows always had.
pub async fn leaves_the_youngest_rows(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(0..8, None)).await;
    bench.advance(&key("a"), 1, add([8], Some(100))).await;
    assert_eq!(bench.history(&key("a")).await.len(), 10, "there are fewer than are kept");
    bench.advance(&key("a"), 1, add([], Some(4))).await;
    let expected = [(7, retried(5)), (8, retried(6)), (9, retried(7)), (10, retried(8))];
    assert_eq!(numbered(&bench, "a").await, expected);
    let page = async |after, limit| -> Vec<u64> {
        let rows = bench.store.history(&key("a"), after, limit).await.unwrap();
        rows.iter().map(|row| row.seq).collect()
    };
    assert_eq!(page(0, 2).await, [7, 8]);
    assert_eq!(page(3, 2).await, [7, 8]);
    assert_eq!(page(8, 5).await, [9, 10]);
    assert_eq!(page(10, 5).await, [0; 0]);
    bench.advance(&key("a"), 1, add([9], None)).await;
    assert_eq!(page(0, 9).await, [7, 8, 9, 10, 11], "`None` drops nothing");
}

/// One after the other, and several at once.
pub async fn is_in_the_commit_that_adds_rows(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for turn in 0..20 {
        bench.advance(&key("a"), 1, add([turn], Some(2))).await;
    }
    assert_eq!(numbered(&bench, "a").await, [(20, retried(18)), (21, retried(19))]);
    bench.advance(&key("a"), 1, add(30..40, Some(3))).await;
    assert_eq!(numbered(&bench, "a").await, [(29, retried(37)), (30, retried(38)), (31, retried(39))]);
}

/// A worker that was thought dead drops nothing.
pub async fn is_not_done_by_a_refused_advance(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(0..3, None)).await;
    let zombie = Bench { epoch: Epoch(0), ..bench.clone() };
    assert_eq!(zombie.try_advance(&key("a"), 1, add([], Some(1))).await, Err(Refused::Fenced));
    assert_eq!(bench.history(&key("a")).await.len(), 4);
}

/// It is what the next place is counted from.
pub async fn leaves_the_last_row_whatever_is_said(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add([1], Some(0))).await;
    assert_eq!(numbered(&bench, "a").await, [(2, retried(1))]);
    bench.advance(&key("a"), 1, add([2], Some(u64::MAX))).await;
    assert_eq!(numbered(&bench, "a").await, [(2, retried(1)), (3, retried(2))]);
}

/// Events that were left are noted after the rows of the commit, and count.
pub async fn counts_the_rows_that_the_end_adds(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for event_id in ["e", "f"] {
        bench.send(&key("a"), event_id).await;
    }
    bench.advance(&key("a"), 1, Advance { history: vec![retried(1)], keep_history: Some(3), ..to(ended()) }).await;
    assert_eq!(numbered(&bench, "a").await, [(2, retried(1)), (3, event_left("e")), (4, event_left("f"))]);
}

/// Those beside it keep theirs.
pub async fn concerns_one_execution(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "b", "c"] {
        bench.create(&key(id), waiting()).await;
        bench.advance(&key(id), 1, add(0..2, None)).await;
    }
    bench.advance(&key("b"), 1, add([], Some(1))).await;
    assert_eq!(numbered(&bench, "b").await, [(3, retried(1))]);
    for id in ["a", "c"] {
        assert_eq!(numbered(&bench, id).await, [(1, started(&waiting())), (2, retried(0)), (3, retried(1))]);
    }
}

/// The place of a row that was dropped is not that of a later one.
pub async fn gives_no_place_twice_after_a_restart(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, add(0..5, Some(1))).await;
    let Bench { store, epoch } = bench;
    drop(store);
    let bench = Bench { store: home.open().await, epoch };
    bench.advance(&key("a"), 1, add([5], None)).await;
    assert_eq!(numbered(&bench, "a").await, [(6, retried(4)), (7, retried(5))]);
}
