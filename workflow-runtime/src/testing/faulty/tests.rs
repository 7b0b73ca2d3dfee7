//! Without faults it is what it stands in front of; with them, what it says of each.

use std::time::Duration;

use super::*;
use crate::base::Timestamp;
use crate::record::ExecutionKey;
use crate::testing::conformance::Home;

struct Faultless(FaultyStore<MemoryStore>);

impl Home for Faultless {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }
}

mod without_faults {
    use super::{Faultless, FaultyStore};

    crate::store_conformance!(Faultless(FaultyStore::in_memory()));
}

/// As a store in front of any other one.
struct Boxed(FaultyStore<Arc<dyn Store>>);

impl Home for Boxed {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }
}

mod in_front_of_any {
    use std::sync::Arc;

    use super::{Boxed, FaultyStore};
    use crate::stores::MemoryStore;

    crate::store_conformance!(Boxed(FaultyStore::new(Arc::new(MemoryStore::new()))));
}

fn key(id: &str) -> ExecutionKey {
    ExecutionKey { workflow: "Orders".into(), id: crate::base::ExecutionId::new(id).unwrap() }
}

fn create(id: &str) -> Commit {
    let data = serde_json::from_str("{}").unwrap();
    let record = crate::record::ExecutionRecord::new("Pending".to_owned(), data, Timestamp::EPOCH);
    Commit { key: key(id), change: crate::store::Change::Create { record: Box::new(record), history: Vec::new() } }
}

fn test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test);
}

/// Makes one write of two commits that suffers `fault`, and says how many of them are on disk.
async fn on_disk(fault: Fault) -> usize {
    let store = FaultyStore::in_memory().at(1, fault);
    let answer = tokio::time::timeout(Duration::from_secs(10), store.commit(vec![create("a"), create("b")])).await;
    match fault {
        Fault::Latency(_) => assert_eq!(answer.unwrap().unwrap().len(), 2),
        Fault::Silence => assert!(answer.is_err(), "it never answers"),
        Fault::Full => assert!(matches!(answer.unwrap(), Err(StoreError::Full))),
        _ => assert!(matches!(answer.unwrap(), Err(StoreError::Io { .. }))),
    }
    let is_late = matches!(fault, Fault::Latency(_));
    let further = store.load(&key("a")).await;
    assert_eq!(further.is_ok(), is_late, "{fault:?} is the end of it: {further:?}");
    assert!(is_late || matches!(store.commit(vec![create("c")]).await, Err(StoreError::Poisoned { .. })));
    let reopened = store.reopen();
    assert!(matches!(store.load(&key("a")).await, Err(StoreError::Closed)));
    assert_eq!(store.suffered(), [fault]);
    let mut found = 0;
    for id in ["a", "b"] {
        found += usize::from(reopened.load(&key(id)).await.unwrap().is_some());
    }
    reopened.commit(vec![create("d")]).await.unwrap();
    found
}

#[test]
fn each_fault_leaves_what_it_says() {
    test(async {
        let mut left = Vec::new();
        for fault in Fault::ALL {
            left.push(on_disk(fault).await);
        }
        assert_eq!(left, [2, 0, 0, 1, 2, 2]);
    });
}

#[test]
fn a_late_answer_is_late_by_the_clock_and_was_applied_in_its_turn() {
    test(async {
        let store = FaultyStore::in_memory().at(1, Fault::Latency(Duration::from_secs(5)));
        let begun = tokio::time::Instant::now();
        let late = store.commit(vec![create("a")]);
        let second = store.commit(vec![create("a")]).await.unwrap();
        assert_eq!(second, [Ok(Committed::Existed)], "the first one took its place when it was made");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(late.await.unwrap(), [Ok(Committed::Applied)]);
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
    });
}

#[test]
fn a_full_disk_is_full_until_there_is_room() {
    test(async {
        let mut store = FaultyStore::in_memory().from(2, Fault::Full);
        store.commit(vec![create("a")]).await.unwrap();
        for _ in 0..3 {
            assert!(matches!(store.commit(vec![create("b")]).await, Err(StoreError::Full)));
            store = store.reopen();
        }
        store.mend();
        assert_eq!(store.commit(vec![create("b")]).await.unwrap(), [Ok(Committed::Applied)]);
        assert_eq!((store.writes(), store.reads()), (5, 0));
    });
}

#[test]
fn a_failed_read_is_the_end_of_nothing() {
    test(async {
        let store = FaultyStore::in_memory().at_read(2, Fault::Error);
        assert!(store.load(&key("a")).await.unwrap().is_none());
        assert!(matches!(store.load(&key("a")).await, Err(StoreError::Io { .. })));
        assert!(store.load(&key("a")).await.unwrap().is_none());
    });
}

#[test]
fn chance_is_that_of_the_seed() {
    let suffered = |seed| {
        let store = FaultyStore::in_memory().at_random(seed, 4, Fault::ALL);
        let mut open = store.reopen();
        for number in 0..200 {
            drop(open.commit(vec![create(&number.to_string())]));
            open = open.reopen();
        }
        store.suffered()
    };
    let first = suffered(1);
    assert_eq!(first, suffered(1));
    assert_ne!(first, suffered(2));
    assert!((20..90).contains(&first.len()), "one in four: {}", first.len());
    assert!(Fault::ALL.iter().all(|fault| first.contains(fault)), "{first:?}");
}
