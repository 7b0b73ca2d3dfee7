//! A caller who writes himself: in tests every disk is quick.

use futures::FutureExt;

use super::*;

/// Goes on until the way is short.
fn deliver_some(store: &SqliteStore) {
    let (_, writing) = store.writer.as_ref().unwrap();
    for number in 0.. {
        apply(store, vec![deliver("a", &format!("before-{number}"))]);
        if writing.shortcut.is_open() {
            return;
        }
    }
}

#[test]
fn a_caller_who_is_alone_is_answered_at_once() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    deliver_some(&store);
    let before = block_on(store.inbox(&key("a"), 0)).unwrap().len();
    let answered = (0..32).filter(|number| {
        let mut call = store.commit(vec![deliver("a", &number.to_string())]);
        let is_answered = (&mut call).now_or_never().is_some();
        if !is_answered {
            // It lets other tasks run.
            block_on(call).unwrap();
        }
        is_answered
    });
    assert!(answered.count() >= 24);
    assert_eq!(block_on(store.inbox(&key("a"), 0)).unwrap().len(), before + 32, "each is on the disk");
}

#[test]
fn a_caller_who_writes_himself_does_not_wait_for_another_program() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    deliver_some(&store);
    let shell = other_program(&path);
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let call = store.commit(vec![deliver("a", "late")]);
    shell.execute_batch("COMMIT").unwrap();
    assert_eq!(block_on(call).unwrap(), [Ok(Committed::Applied)]);
}

#[test]
fn calls_of_many_threads_are_all_written_whoever_writes_them() {
    const THREADS: usize = 4;
    const CALLS: usize = 200;
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, (0..THREADS).map(|thread| create(&thread.to_string())).collect());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for number in 0..CALLS {
                    apply(store, vec![deliver(&thread.to_string(), &number.to_string())]);
                }
            });
        }
    });
    drop(store);
    let (store, _) = open(&path);
    for thread in 0..THREADS {
        let events = block_on(store.inbox(&key(&thread.to_string()), 0)).unwrap();
        let ids: Vec<String> = events.into_iter().map(|record| record.event.event_id).collect();
        assert_eq!(
            ids,
            (0..CALLS).map(|number| number.to_string()).collect::<Vec<_>>(),
            "in the order they were made in"
        );
    }
}
