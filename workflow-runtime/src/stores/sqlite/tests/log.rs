//! The log, which is begun anew now and then, whoever reads.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use super::*;

/// Begins a search that has its snapshot from when it says so until it is told that it is over.
fn search(store: &SqliteStore) -> (Receiver<()>, Sender<()>, StoreFuture<()>) {
    let ((begun, begins), (over, ends)) = (channel(), channel());
    let answer = store.search(move |connection| {
        // A transaction has no snapshot before it has read something.
        connection.query_row("SELECT COUNT(*) FROM workflows", [], |_| Ok(())).unwrap();
        begun.send(()).unwrap();
        ends.recv().unwrap();
        Ok(())
    });
    (begins, over, answer)
}

#[test]
fn it_does_not_grow_for_as_long_as_searches_follow_each_other() {
    const ROUNDS: usize = 16;
    const PAGES: usize = 1_000;
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    let large = "x".repeat(PAGES / 10 * 4_096);
    let mut number = 0;
    let mut write = |payload: &str| {
        number += 1;
        let mut commit = deliver("a", &format!("event {number}"));
        if let Change::Deliver { event } = &mut commit.change {
            event.payload = text(payload);
        }
        apply(&store, vec![commit]);
    };
    let mut present = search(&store);
    present.0.recv().unwrap();
    for round in 0..ROUNDS {
        // It waits in the queue, so the next one begins as soon as this one is over.
        let next = search(&store);
        (0..10).for_each(|_| write(&large));
        present.1.send(()).unwrap();
        block_on(present.2).unwrap();
        while next.0.try_recv() == Err(TryRecvError::Empty) {
            write("small");
        }
        present = next;
        let log = std::fs::metadata(path.with_extension("db-wal")).unwrap().len() as usize / 4_096;
        assert!(log < 8 * PAGES, "after round {round} the log has {log} pages");
    }
    present.1.send(()).unwrap();
    block_on(present.2).unwrap();
}
