//! [`Store::list`](crate::store::Store::list), [`counts`](crate::store::Store::counts) and
//! [`history`](crate::store::Store::history).

use super::sample::{
    ORDERS, at, create, ended, error, key, key_of, parked, retried, running_since, to, waiting, waiting_until,
};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{ExecutionRecord, Status};
use crate::store::{Commit, Query, StateCount};

/// 1,000 executions of two workflows, in an order that is not that of their ids.
async fn fill(bench: &Bench) {
    let commit = |number: u32| {
        let number = (number * 7) % 1_000;
        let workflow = if number.is_multiple_of(2) { ORDERS } else { "Refunds" };
        let record = match number % 4 {
            0 | 1 => waiting(),
            2 => running_since(1_000),
            _ => ended(),
        };
        Commit { key: key_of(workflow, &format!("n{number:03}")), change: create(record) }
    };
    let outcomes = bench.store.commit((0..1_000).map(commit).collect()).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
}

fn names(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| format!("n{number:03}")).collect()
}

fn orders() -> Query {
    Query { workflow: Some(ORDERS.into()), limit: usize::MAX, ..Query::default() }
}

/// A summary is the record in short.
pub async fn summaries_tell_how_an_execution_stands(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting_until(9_000)).await;
    bench.create(&key("b"), parked()).await;
    bench.create(&key("c"), waiting()).await;
    bench.advance(&key("c"), 1, to(ended())).await;
    bench.create(&key("d"), running_since(1_500)).await;
    let page = bench.store.list(&Query::default()).await.unwrap();
    let seen: Vec<_> = page
        .executions
        .iter()
        .map(|found| (found.id.as_str(), &*found.state, found.status, found.visit, found.entered_at, found.wake_at))
        .collect();
    let expected = [
        ("a", "Pending", Status::Waiting, 1, at(1_000), Some(at(9_000))),
        ("b", "Pending", Status::Parked, 1, at(1_000), None),
        ("c", "Shipped", Status::Ended, 2, at(5_000), None),
        ("d", "Pending", Status::Running, 1, at(1_500), Some(at(1_500))),
    ];
    assert_eq!(seen, expected);
    let errors: Vec<_> = page.executions.iter().map(|found| found.error.clone()).collect();
    assert_eq!(errors, [None, Some(error("the carrier is gone")), None, None]);
}

/// Every execution is on one page, whatever the size of the pages.
pub async fn a_list_is_in_order_and_in_pages(home: &impl Home) {
    let bench = Bench::new(home).await;
    fill(&bench).await;
    let mut all = names((0..1_000).step_by(2));
    all.extend(names((1..1_000).step_by(2)));
    for limit in [1, 7, 100, 500, 999] {
        let mut query = Query { limit, ..Query::default() };
        let mut seen = Vec::new();
        loop {
            let (ids, next) = bench.list(&query).await;
            assert!(ids.len() <= limit);
            seen.extend(ids);
            match next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all, "by {limit}");
    }
    let (ids, next) = bench.list(&Query { limit: 1_000, ..Query::default() }).await;
    assert_eq!((ids, next), (all, None));
}

/// Each condition narrows the list, and they work together.
pub async fn a_list_by_workflow_state_and_status(home: &impl Home) {
    let bench = Bench::new(home).await;
    fill(&bench).await;
    assert_eq!(bench.list(&orders()).await.0, names((0..1_000).step_by(2)));
    let query = Query { statuses: vec![Status::Running], ..orders() };
    assert_eq!(bench.list(&query).await.0, names((2..1_000).step_by(4)));
    let query = Query { states: vec!["Shipped".to_owned()], limit: 1_000, ..Query::default() };
    assert_eq!(bench.list(&query).await.0, names((3..1_000).step_by(4)));
    let states = vec!["Shipped".to_owned(), "Pending".to_owned(), "it's \"none\"".to_owned()];
    assert_eq!(bench.list(&Query { states, limit: 1_000, ..Query::default() }).await.0.len(), 1_000);
    let query = Query { states: vec!["Shipped".to_owned()], ..orders() };
    assert_eq!(bench.list(&query).await.0, [""; 0]);
    let query = Query { statuses: vec![Status::Waiting], after: Some(key("n500")), limit: 2, ..orders() };
    assert_eq!(bench.list(&query).await, (names([504, 508].into_iter()), Some(key("n508"))));
    let query = Query { after: Some(key("n500")), ..Query { workflow: Some("Refunds".into()), ..orders() } };
    assert_eq!(bench.list(&query).await.0, names((1..1_000).step_by(2)), "`after` may be in another workflow");
}

/// A limit of 0, and conditions that nothing meets.
pub async fn a_list_of_none_and_of_all(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.list(&Query::default()).await, (Vec::new(), None));
    fill(&bench).await;
    assert_eq!(bench.list(&Query { limit: 0, ..Query::default() }).await, (Vec::new(), None));
    let query = Query { workflow: Some("Nobody's".into()), ..Query::default() };
    assert_eq!(bench.list(&query).await, (Vec::new(), None));
    let query = Query { statuses: vec![Status::Parked], ..Query::default() };
    assert_eq!(bench.list(&query).await, (Vec::new(), None));
    let query = Query { limit: usize::MAX, ..Query::default() };
    assert_eq!(bench.list(&query).await.0.len(), 1_000);
}

/// A page begins after a place, be there an execution at it or not.
pub async fn a_list_after_an_execution_that_is_not_there(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "c"] {
        bench.create(&key(id), waiting()).await;
    }
    let after = async |id: &str| bench.list(&Query { after: Some(key(id)), ..Query::default() }).await.0;
    assert_eq!(after("b").await, ["c"]);
    assert_eq!(after("c").await, [""; 0]);
    assert_eq!(after("A").await, ["a", "c"]);
}

/// In order, and only where there are any.
pub async fn counts_are_by_workflow_state_and_status(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.store.counts(None).await.unwrap(), []);
    fill(&bench).await;
    let count = |workflow: &str, state: &str, status| StateCount {
        workflow: workflow.into(),
        state: state.to_owned(),
        status,
        count: 250,
    };
    let of_orders = [count(ORDERS, "Pending", Status::Running), count(ORDERS, "Pending", Status::Waiting)];
    let of_refunds = [count("Refunds", "Pending", Status::Waiting), count("Refunds", "Shipped", Status::Ended)];
    assert_eq!(bench.store.counts(Some(ORDERS)).await.unwrap(), of_orders);
    assert_eq!(bench.store.counts(None).await.unwrap(), [of_orders, of_refunds].concat());
    assert_eq!(bench.store.counts(Some("Nobody's")).await.unwrap(), []);
}

/// Counts are of what is, not of what was.
pub async fn counts_follow_a_transition(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.create(&key("b"), waiting()).await;
    bench.advance(&key("a"), 1, to(ended())).await;
    bench.advance(&key("b"), 1, to(parked())).await;
    let counts = bench.store.counts(None).await.unwrap();
    let seen: Vec<_> = counts.iter().map(|count| (&*count.state, count.status, count.count)).collect();
    assert_eq!(seen, [("Pending", Status::Parked, 1), ("Shipped", Status::Ended, 1)]);
}

/// Rows are numbered from 1, without gaps, each execution for itself.
pub async fn a_history_is_in_order_and_in_pages(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "b"] {
        bench.create(&key(id), waiting()).await;
    }
    for turn in 0..10 {
        for id in ["a", "b"] {
            let history = vec![retried(10 * turn), retried(10 * turn + 1)];
            bench.advance(&key(id), 1, Advance { history, ..Advance::default() }).await;
        }
    }
    let all = bench.history(&key("a")).await;
    let numbers: Vec<u64> = all.iter().map(|row| row.seq).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
    assert_eq!((all[1].record.clone(), all[20].record.clone()), (retried(0), retried(91)));
    let page = async |after, limit| bench.store.history(&key("a"), after, limit).await.unwrap();
    assert_eq!(page(0, 5).await, all[..5]);
    assert_eq!(page(5, 5).await, all[5..10]);
    assert_eq!(page(19, 5).await, all[19..]);
    assert_eq!(page(21, 5).await, []);
    assert_eq!(page(u64::MAX, 5).await, []);
    assert_eq!(page(3, 0).await, []);
}

/// No execution, no rows, no error.
pub async fn the_history_of_nothing_is_empty(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.store.history(&key("a"), 0, 10).await.unwrap(), []);
}

/// An end drops nothing of it.
pub async fn a_history_goes_on_after_the_end(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    let second = ExecutionRecord { visit: 2, ..waiting() };
    bench.advance(&key("a"), 1, Advance { drop_journal: true, history: vec![retried(1)], ..to(second) }).await;
    bench.advance(&key("a"), 2, Advance { drop_journal: true, history: vec![retried(2)], ..to(ended()) }).await;
    assert_eq!(bench.history(&key("a")).await.len(), 3);
}
