//! [`Change::Deliver`](crate::store::Change::Deliver).

use super::sample::{ended, event, key, parked, to, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{EventRecord, ExecutionRecord};
use crate::store::{Committed, Refused};

fn consume(seqs: &[u64]) -> Advance {
    Advance { consumed: seqs.to_vec(), ..Advance::default() }
}

/// Places count from 1.
pub async fn keeps_the_order_of_arrival(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for event_id in ["z", "a", "m"] {
        bench.send(&key("a"), event_id).await;
    }
    let expected = [(1, "z"), (2, "a"), (3, "m")].map(|(seq, id)| EventRecord { seq, event: event(id) });
    assert_eq!(bench.load(&key("a")).await.inbox, expected);
}

/// A repeated message is not put in again.
pub async fn an_id_counts_once_before_it_is_consumed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    let before = bench.everything_of(&key("a")).await;
    assert_eq!(bench.deliver(&key("a"), "e").await, Ok(Committed::Existed));
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// A repeated message is not put in again, even if the first one is gone from the inbox.
pub async fn an_id_counts_once_after_it_was_consumed(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, consume(&[1])).await;
    assert_eq!(bench.deliver(&key("a"), "e").await, Ok(Committed::Existed));
    assert_eq!(bench.load(&key("a")).await.inbox, []);
}

/// Ids outlive the state in which they came.
pub async fn an_id_counts_once_after_a_transition(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    let record = ExecutionRecord { visit: 2, ..waiting() };
    bench.advance(&key("a"), 1, Advance { drop_journal: true, consumed: vec![1], ..to(record) }).await;
    assert_eq!(bench.deliver(&key("a"), "e").await, Ok(Committed::Existed));
}

/// Event ids are per execution.
pub async fn the_same_id_may_go_to_two_executions(home: &impl Home) {
    let bench = Bench::new(home).await;
    for id in ["a", "b"] {
        bench.create(&key(id), waiting()).await;
        bench.send(&key(id), "e").await;
        assert_eq!(bench.load(&key(id)).await.inbox.len(), 1);
    }
}

/// There is nowhere to put it.
pub async fn is_refused_for_an_unknown_execution(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.deliver(&key("a"), "e").await, Err(Refused::Unknown));
    bench.create(&key("a"), waiting()).await;
    assert_eq!(bench.load(&key("a")).await.inbox, []);
}

/// Nothing will ever take it; but a repetition of one that was accepted is answered as before.
pub async fn is_refused_at_an_end(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, to(ended())).await;
    let before = bench.everything_of(&key("a")).await;
    assert_eq!(bench.deliver(&key("a"), "f").await, Err(Refused::Ended));
    assert_eq!(bench.deliver(&key("a"), "e").await, Ok(Committed::Existed));
    assert_eq!(bench.everything_of(&key("a")).await, before);
}

/// It may be tried again, and wants its events then.
pub async fn a_parked_execution_takes_events(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.send(&key("a"), "e").await;
    assert_eq!(bench.load(&key("a")).await.inbox, [EventRecord { seq: 1, event: event("e") }]);
}

/// The place of a consumed event is not given to a later one.
pub async fn places_are_never_given_twice(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    bench.advance(&key("a"), 1, consume(&[2, 1])).await;
    bench.send(&key("a"), "g").await;
    assert_eq!(bench.load(&key("a")).await.inbox, [EventRecord { seq: 3, event: event("g") }]);
}
