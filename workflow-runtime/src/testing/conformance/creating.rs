//! [`Change::Create`](crate::store::Change::Create).

use super::sample::{create, ended, key, key_of, started, to, waiting, waiting_until};
use super::{Bench, Home};
use crate::store::{Commit, Committed, HistoryRow, Stored};

/// What is loaded is what was created; its history is the one given.
pub async fn makes_an_execution_that_can_be_loaded(home: &impl Home) {
    let bench = Bench::new(home).await;
    let record = waiting_until(9_000);
    bench.create(&key("a"), record.clone()).await;
    let history = vec![HistoryRow { seq: 1, record: started(&record) }];
    assert_eq!(
        bench.load(&key("a")).await,
        Stored { record, journal: Vec::new(), inbox: Vec::new(), undo: Vec::new() }
    );
    assert_eq!(bench.history(&key("a")).await, history);
}

/// Creating is idempotent by key.
pub async fn a_second_time_changes_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    let before = bench.everything_of(&key("a")).await;
    let again = bench.change(&key("a"), create(waiting_until(7))).await;
    assert_eq!(again, Ok(Committed::Existed));
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// An id that has been used stays used.
pub async fn a_second_time_after_the_end_changes_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.advance(&key("a"), 1, to(ended())).await;
    assert_eq!(bench.change(&key("a"), create(waiting())).await, Ok(Committed::Existed));
    assert_eq!(bench.load(&key("a")).await.record, ended());
}

/// Ids are per workflow.
pub async fn the_same_id_in_two_workflows_is_two_executions(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.create(&key_of("Refunds", "a"), ended()).await;
    assert_eq!(bench.load(&key("a")).await.record, waiting());
    assert_eq!(bench.load(&key_of("Refunds", "a")).await.record, ended());
}

/// The commits of one call are applied in their order.
pub async fn repeated_within_one_call_applies_the_first(home: &impl Home) {
    let bench = Bench::new(home).await;
    let commit = |record| Commit { key: key("a"), change: create(record) };
    let outcomes = bench.store.commit(vec![commit(waiting_until(5)), commit(waiting_until(6))]).await.unwrap();
    assert_eq!(outcomes, [Ok(Committed::Applied), Ok(Committed::Existed)]);
    assert_eq!(bench.load(&key("a")).await.record, waiting_until(5));
}

/// Loading what is not there is no error.
pub async fn an_unknown_execution_has_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    assert_eq!(bench.store.load(&key("b")).await.unwrap(), None);
    assert_eq!(bench.store.load(&key_of("Refunds", "a")).await.unwrap(), None);
}
