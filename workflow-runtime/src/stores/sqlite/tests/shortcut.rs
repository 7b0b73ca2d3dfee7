//! A caller who writes himself: in tests every disk is quick.

use futures::FutureExt;

use super::*;

fn deliver_some(store: &SqliteStore) {
    for number in 0..8 {
        apply(store, vec![deliver("a", &format!("before-{number}"))]);
    }
}

#[test]
fn a_caller_who_is_alone_is_answered_at_once() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    deliver_some(&store);
    let answered = (0..32).filter(|number| {
        let call = store.commit(vec![deliver("a", &number.to_string())]);
        // What lets other tasks run has not been answered yet.
        call.now_or_never().is_some()
    });
    assert!(answered.count() >= 24);
    assert_eq!(block_on(store.inbox(&key("a"), 0)).unwrap().len(), 40, "each is on the disk");
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
