//! [`Store::load_many`](crate::store::Store::load_many) and [`Store::inbox`](crate::store::Store::inbox).

use super::sample::{ended, entry, key, key_of, quarantine, running_since, to, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::ExecutionKey;
use crate::store::Stored;

/// What a store says of each.
async fn load_many(bench: &Bench, keys: &[ExecutionKey]) -> Vec<Option<Stored>> {
    let loaded = bench.store.load_many(keys).await.unwrap();
    loaded.into_iter().map(Result::unwrap).collect()
}

/// With journal, inbox, and what is known of its damage.
pub async fn each_is_what_it_is_by_itself(home: &impl Home) {
    let bench = Bench::new(home).await;
    let keys = ["a", "b", "c", "d"].map(key);
    for key in &keys {
        bench.create(key, running_since(1_000)).await;
        bench.send(key, "e").await;
    }
    bench.advance(&keys[0], 1, Advance { journal: vec![entry("j", "7")], ..Advance::default() }).await;
    bench.advance(&keys[1], 1, Advance { consumed: vec![1], ..to(waiting()) }).await;
    bench.advance(&keys[2], 1, to(ended())).await;
    bench.change(&keys[3], quarantine("a flipped bit")).await.unwrap();
    let mut each = Vec::new();
    for key in &keys {
        each.push(bench.store.load(key).await.unwrap());
    }
    assert_eq!(load_many(&bench, &keys).await, each);
}

/// Whatever that order is, and also if one is asked for twice or is not there.
pub async fn many_are_answered_in_the_order_asked_for(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, since) in [("a", 1_000), ("b", 2_000), ("c", 3_000)] {
        bench.create(&key(id), running_since(since)).await;
    }
    let keys = [key("c"), key("nobody"), key("a"), key_of("Refunds", "b"), key("c"), key("b")];
    let loaded = load_many(&bench, &keys).await;
    let since = |since| Some(Stored::new(running_since(since)));
    assert_eq!(loaded, [since(3_000), None, since(1_000), None, since(3_000), since(2_000)]);
}

/// Of none, nothing.
pub async fn none_are_no_answers(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(load_many(&bench, &[]).await, []);
}

/// Also by a call that is made before the answers to others are looked at.
pub async fn many_are_read_as_they_were_acknowledged(home: &impl Home) {
    let bench = Bench::new(home).await;
    let keys: Vec<_> = (0..200).map(|number| key(&format!("{number}"))).collect();
    for (since, key) in (0..).zip(&keys) {
        bench.create(key, running_since(since)).await;
    }
    let loaded = load_many(&bench, &keys).await;
    let expected: Vec<_> = (0..200).map(|since| Some(Stored::new(running_since(since)))).collect();
    assert_eq!(loaded, expected);
}

/// What was consumed is gone, and places stay what they are.
pub async fn an_inbox_is_read_from_a_place_on(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.create(&key("b"), waiting()).await;
    for event_id in ["e", "f", "g"] {
        bench.send(&key("a"), event_id).await;
    }
    bench.send(&key("b"), "h").await;
    bench.advance(&key("a"), 1, Advance { consumed: vec![2], ..Advance::default() }).await;
    let inbox = bench.load(&key("a")).await.inbox;
    assert_eq!(bench.store.inbox(&key("a"), 0).await.unwrap(), inbox);
    assert_eq!(bench.store.inbox(&key("a"), 1).await.unwrap(), inbox[1..]);
    assert_eq!(bench.store.inbox(&key("a"), 2).await.unwrap(), inbox[1..]);
    for after in [3, u64::MAX] {
        assert_eq!(bench.store.inbox(&key("a"), after).await.unwrap(), []);
    }
    assert_eq!(bench.store.inbox(&key("nobody"), 0).await.unwrap(), []);
}
