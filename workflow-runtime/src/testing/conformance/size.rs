//! Large, many, odd, and at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sample::{create, entry, event, json, key, key_of, retried, to, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{ExecutionRecord, JournalEntry, NewEvent};
use crate::store::{Change, Commit, Committed, Query};

/// 2 MiB in each place that takes user data.
pub async fn large_payloads(home: &impl Home) {
    let bench = Bench::new(home).await;
    let large = json(&format!("\"{}\"", "é".repeat(1024 * 1024 - 1)));
    let record = ExecutionRecord { data: large.clone(), ..waiting() };
    let new_event = NewEvent { payload: large.clone(), ..event("e") };
    let journal = vec![JournalEntry { ..entry("k", large.text()) }];
    bench.create(&key("a"), record.clone()).await;
    bench.change(&key("a"), Change::Deliver { event: new_event.clone() }).await.unwrap();
    bench.advance(&key("a"), 1, Advance { journal: journal.clone(), ..Advance::default() }).await;
    let stored = bench.load(&key("a")).await;
    assert!(stored.record == record && stored.journal == journal, "what was written is read");
    assert!(stored.inbox[0].event == new_event, "what was sent is read");
    bench.advance(&key("a"), 1, Advance { drop_journal: true, consumed: vec![1], ..to(waiting()) }).await;
    let stored = bench.load(&key("a")).await;
    assert_eq!((stored.record, stored.journal, stored.inbox), (waiting(), Vec::new(), Vec::new()));
}

/// Names that would break a query put together from text, a path, or a case-blind comparison.
pub async fn odd_names(home: &impl Home) {
    let bench = Bench::new(home).await;
    let longest = "x".repeat(256);
    let names = [
        "it's",
        "a\"b",
        "semi;colon--",
        "per%cent_",
        "back\\slash",
        "/path/to/../file.txt",
        " ",
        "a ",
        "a",
        "A",
        "é",
        "e\u{301}",
        "日本語",
        "🦀",
        "\u{202e}right",
        "NULL",
        "0",
        "00",
        "1e3",
        "?1",
        "{}",
        &longest,
    ];
    for name in names {
        let state = format!("State {name}");
        let record = ExecutionRecord { state: state.clone().into(), ..waiting() };
        let key = key_of(name, name);
        bench.create(&key, record.clone()).await;
        bench.send(&key, name).await;
        assert_eq!(bench.deliver(&key, name).await, Ok(Committed::Existed), "{name}");
        bench.advance(&key, 1, Advance { journal: vec![entry(name, "1")], ..Advance::default() }).await;
        let stored = bench.load(&key).await;
        assert_eq!((stored.record, stored.journal), (record, vec![entry(name, "1")]), "{name}");
        assert_eq!(stored.inbox[0].event, event(name));
        let query = Query { workflow: Some(name.into()), states: vec![state], ..Query::default() };
        assert_eq!(bench.list(&query).await.0, [name]);
        assert_eq!(bench.store.counts(Some(name)).await.unwrap().len(), 1, "{name}");
        bench.advance(&key, 1, Advance { forget: vec![name.into()], ..Advance::default() }).await;
        assert_eq!(bench.load(&key).await.journal, []);
    }
    let mut sorted = names.map(str::to_owned);
    sorted.sort();
    assert_eq!(bench.list(&Query::default()).await.0, sorted, "in the order of their bytes");
}

/// Numbers at the ends of their types.
pub async fn large_numbers(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, visit, time) in [("a", u64::MAX, i64::MAX), ("b", 1 << 63, i64::MIN), ("c", 0, 0)] {
        let entered_at = crate::base::Timestamp::from_millis(time);
        let record = ExecutionRecord { visit, inbox_seen: visit, entered_at, ..waiting() };
        bench.create(&key(id), ExecutionRecord { inbox_seen: 0, ..record.clone() }).await;
        bench.advance(&key(id), visit, Advance { history: vec![retried(time)], ..Advance::default() }).await;
        let stored = bench.load(&key(id)).await;
        assert_eq!((stored.record.visit, stored.record.entered_at), (visit, entered_at));
        assert_eq!(bench.history(&key(id)).await[1].record, retried(time));
    }
}

/// A call of any size is one call.
pub async fn ten_thousand_in_one_call(home: &impl Home) {
    let bench = Bench::new(home).await;
    let commit = |number| Commit { key: key(&format!("n{number:05}")), change: create(waiting()) };
    let outcomes = bench.store.commit((0..10_000).map(commit).collect()).await.unwrap();
    assert_eq!(outcomes.len(), 10_000);
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(Committed::Applied)));
    assert_eq!(bench.store.counts(None).await.unwrap()[0].count, 10_000);
    assert_eq!(bench.load(&key("n09999")).await.record, waiting());
}

/// Nothing to do is done.
pub async fn a_call_of_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    assert_eq!(bench.store.commit(Vec::new()).await.unwrap(), []);
}

/// An inbox that nobody empties for long.
pub async fn many_events_for_one_execution(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    let deliver = |number| Commit { key: key("a"), change: Change::Deliver { event: event(&format!("e{number}")) } };
    bench.store.commit((0..2_000).map(deliver).collect()).await.unwrap();
    let again = bench.store.commit((0..2_000).map(deliver).collect()).await.unwrap();
    assert!(again.iter().all(|outcome| *outcome == Ok(Committed::Existed)));
    let consumed = (1..2_000).collect();
    bench.advance(&key("a"), 1, Advance { consumed, ..Advance::default() }).await;
    let inbox = bench.load(&key("a")).await.inbox;
    assert_eq!((inbox.len(), inbox[0].seq, &*inbox[0].event.event_id), (1, 2_000, "e1999"));
}

/// Threads that get in each other's way: of those who try the same, one succeeds; what is separate all succeeds.
pub async fn many_callers_at_once(home: &impl Home) {
    const CALLERS: u32 = 16;
    const TURNS: u32 = 25;
    let bench = Bench::new(home).await;
    bench.create(&key("shared"), waiting()).await;
    let caller = |number: u32| {
        let bench = bench.clone();
        async move {
            let own = key(&format!("own{number}"));
            let mut won = 0;
            bench.create(&own, waiting()).await;
            for turn in 0..TURNS {
                let record = ExecutionRecord { visit: u64::from(turn) + 2, ..waiting() };
                bench.advance(&own, u64::from(turn) + 1, Advance { history: vec![retried(0)], ..to(record) }).await;
                bench.send(&key("shared"), &format!("own{number}-{turn}")).await;
                let same = bench.deliver(&key("shared"), &format!("same-{turn}")).await;
                won += u32::from(same == Ok(Committed::Applied));
            }
            won
        }
    };
    let threads: Vec<_> = (0..CALLERS)
        .map(|number| {
            let runtime = tokio::runtime::Handle::current();
            let caller = caller(number);
            std::thread::spawn(move || runtime.block_on(caller))
        })
        .collect();
    // Waiting on another thread keeps this one free for a store that does its work here.
    let won = tokio::task::spawn_blocking(|| threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>());
    assert_eq!(won.await.unwrap(), TURNS);
    let inbox = bench.load(&key("shared")).await.inbox;
    assert_eq!(inbox.len(), usize::try_from((CALLERS + 1) * TURNS).unwrap());
    assert!(inbox.iter().zip(1..).all(|(event, seq)| event.seq == seq), "places without gaps");
    for number in 0..CALLERS {
        let own = key(&format!("own{number}"));
        assert_eq!(bench.load(&own).await.record.visit, u64::from(TURNS) + 1);
        assert_eq!(bench.history(&own).await.len(), usize::try_from(TURNS + 1).unwrap());
    }
}

/// The call is made when it is made, not when its answer is waited for.
pub async fn a_dropped_answer_still_applies(home: &impl Home) {
    let bench = Bench::new(home).await;
    for number in 0..100 {
        let change = create(waiting());
        drop(bench.store.commit(vec![Commit { key: key(&format!("n{number}")), change }]));
    }
    let is_applied = async || bench.store.counts(None).await.unwrap().first().is_some_and(|count| count.count == 100);
    // Nobody says when: every turn is a call of its own, answered by the same store.
    for _ in 0..100_000 {
        if is_applied().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("some of the calls were lost with their answers");
}

/// A transition made after another was answered finds it applied, over and over.
pub async fn calls_apply_in_the_order_in_which_they_were_answered(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    for visit in 1..200 {
        bench.advance(&key("a"), visit, to(ExecutionRecord { visit: visit + 1, ..waiting() })).await;
    }
    assert_eq!(bench.load(&key("a")).await.record.visit, 200);
}

/// Reads and writes may go separate ways, but not past each other.
pub async fn a_read_sees_what_was_acknowledged(home: &impl Home) {
    let bench = Bench::new(home).await;
    let is_done = Arc::new(AtomicBool::new(false));
    // Reads that are always under way, for the others to be mixed up with.
    let readers = [1, 2, 3, 4].map(|_| {
        let (store, is_done) = (Arc::clone(&bench.store), Arc::clone(&is_done));
        tokio::spawn(async move {
            while !is_done.load(Ordering::Relaxed) {
                store.load(&key("nobody")).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    for number in 0..200 {
        let own = key(&format!("n{number}"));
        bench.create(&own, waiting()).await;
        assert_eq!(bench.load(&own).await.record, waiting());
        bench.advance(&own, 1, to(ExecutionRecord { visit: 2, ..waiting() })).await;
        assert_eq!(bench.load(&own).await.record.visit, 2);
    }
    is_done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}
