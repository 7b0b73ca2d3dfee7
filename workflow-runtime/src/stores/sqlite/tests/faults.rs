//! Disks that fill up, other programs that hold the file, and answers that nobody waits for.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;

/// A store whose connection for writing has been changed by `change` first.
fn start(path: &Path, change: impl FnOnce(&Connection)) -> (SqliteStore, Epoch) {
    let opened = open::open(path).unwrap();
    change(&opened.writer);
    let store = SqliteStore::start(opened).unwrap();
    let epoch = block_on(store.acquire()).unwrap();
    (store, epoch)
}

fn large(id: &str) -> Commit {
    let record = ExecutionRecord { data: text(&"x".repeat(20_000)), ..record(1) };
    Commit { key: key(id), change: Change::Create { record: Box::new(record), history: vec![history(1)] } }
}

#[test]
fn a_full_disk_poisons_the_store_and_loses_nothing_acknowledged() {
    let (_folder, path) = folder();
    let limit = |connection: &Connection| connection.execute_batch("PRAGMA max_page_count = 60").unwrap();
    let (store, _) = start(&path, limit);
    let mut acknowledged = Vec::new();
    let error = loop {
        let id = format!("n{}", acknowledged.len());
        match block_on(store.commit(vec![create(&format!("before-{id}")), large(&id)])) {
            Ok(outcomes) => acknowledged.push((id, outcomes)),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(acknowledged.len() > 3, "some were written");
    let failed = format!("n{}", acknowledged.len());
    let expected = "the disk is full";
    assert!(matches!(block_on(store.acquire()), Err(StoreError::Poisoned { reason }) if reason == expected));
    assert!(matches!(block_on(store.commit(vec![create("c")])), Err(StoreError::Poisoned { .. })));
    assert!(matches!(block_on(store.load(&key("n0"))), Err(StoreError::Poisoned { .. })));
    assert!(matches!(block_on(store.list(&Query::default())), Err(StoreError::Poisoned { .. })));
    drop(store);
    let (store, _) = open(&path);
    for (id, outcomes) in &acknowledged {
        assert_eq!(*outcomes, [Ok(Committed::Applied); 2]);
        assert!(block_on(store.load(&key(id))).unwrap().is_some(), "{id}");
    }
    for id in [format!("before-{failed}"), failed] {
        assert_eq!(block_on(store.load(&key(&id))).unwrap(), None, "the call that failed left nothing");
        assert_eq!(commit(&store, create(&id)), Ok(Committed::Applied));
    }
}

#[test]
fn everyone_in_a_group_that_fails_is_told() {
    let (_folder, path) = folder();
    let limit = |connection: &Connection| connection.execute_batch("PRAGMA max_page_count = 60").unwrap();
    let (store, _) = start(&path, limit);
    let answers: Vec<_> = (0..200).map(|number| store.commit(vec![large(&format!("n{number}"))])).collect();
    let answers: Vec<_> = answers.into_iter().map(block_on).collect();
    let failed = answers.iter().position(Result::is_err).unwrap();
    assert!(answers[failed..].iter().all(Result::is_err), "nothing is written after a failed write");
    drop(store);
    let (store, _) = open(&path);
    let written = block_on(store.counts(None)).unwrap().first().map_or(0, |count| count.count);
    assert_eq!(written, u64::try_from(failed).unwrap());
}

#[test]
fn another_program_that_writes_is_waited_for_and_poisons_nothing() {
    let (_folder, path) = folder();
    let no_patience = |connection: &Connection| connection.busy_timeout(Duration::ZERO).unwrap();
    let (store, _) = start(&path, no_patience);
    let shell = other_program(&path);
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let calls: Vec<_> = (0..10).map(|_| store.commit(vec![create("a")])).collect();
    for refused in calls.into_iter().map(block_on) {
        assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    }
    assert_eq!(block_on(store.load(&key("a"))).unwrap(), None, "reading goes on");
    shell.execute_batch("ROLLBACK").unwrap();
    apply(&store, vec![create("a")]);
}

#[test]
fn a_process_that_got_past_the_lock_fences_this_one() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    apply(&store, vec![create("a")]);
    other_program(&path).execute_batch("UPDATE meta SET epoch = epoch + 1").unwrap();
    let next = advance("a", epoch, 1, Advance { record: Some(record(2)), ..Advance::default() });
    assert_eq!(commit(&store, next), Err(Refused::Fenced));
    assert_eq!(block_on(store.acquire()).unwrap(), Epoch(epoch.0 + 2));
}

#[test]
fn a_store_that_is_dropped_by_its_own_thread_does_not_wait_for_itself() {
    type Call = Box<dyn FnOnce() + Send>;
    let worker: Arc<Mutex<Option<Worker<Call>>>> = Arc::default();
    let run = |queue: Receiver<Call>| queue.iter().for_each(|call| call());
    *worker.lock().unwrap() = Some(Worker::spawn("test", run).unwrap());
    let (done, wait) = channel();
    let held = Arc::clone(&worker);
    let call = move || {
        drop(held.lock().unwrap().take());
        done.send(()).unwrap();
    };
    if let Some(worker) = &*worker.lock().unwrap() {
        worker.send(Box::new(call));
    }
    wait.recv().unwrap();
}

#[test]
fn a_call_whose_thread_is_gone_is_answered() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    let answer: StoreFuture<()> = store.read(|_| panic!("a bug"));
    assert!(matches!(block_on(answer), Err(StoreError::Closed)));
    assert!(matches!(block_on(store.load(&key("a"))), Err(StoreError::Closed)));
    apply(&store, vec![create("a")]);
}

#[test]
fn a_record_that_sqlite_cannot_take_is_refused_before_it_is_written() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    let data = text(&"x".repeat(write::LARGEST));
    let record = ExecutionRecord { data, ..record(1) };
    let too_large = Commit { key: key("a"), change: Change::Create { record: Box::new(record), history: Vec::new() } };
    let refused = block_on(store.commit(vec![create("b"), too_large]));
    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    assert_eq!(block_on(store.load(&key("b"))).unwrap(), None, "nothing of the call was applied");
    apply(&store, vec![create("a")]);
}

#[test]
fn more_calls_than_the_queue_holds_are_all_applied() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    let answers: Vec<_> = (0..10_000).map(|number| store.commit(vec![create(&format!("n{number}"))])).collect();
    for answer in answers {
        assert_eq!(block_on(answer).unwrap(), [Ok(Committed::Applied)]);
    }
}
