//! Who may keep whom waiting.

use std::sync::mpsc::channel;

use super::*;

#[test]
fn a_search_that_takes_long_keeps_nothing_waiting_that_has_to_go_on() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    apply(&store, vec![create("a"), deliver("a", "e")]);
    let (over, takes_long) = channel::<()>();
    let search = store.search(move |_| {
        // Until all that is below is done.
        let _ = takes_long.recv();
        Ok(())
    });
    assert!(block_on(store.load(&key("a"))).unwrap().is_some());
    assert!(block_on(store.load_many(&[key("a")])).unwrap()[0].is_ok());
    assert_eq!(block_on(store.inbox(&key("a"), 0)).unwrap().len(), 1);
    assert!(block_on(store.event(&key("a"), "e")).unwrap().is_some());
    block_on(store.due(&[], Timestamp::MAX, 1)).unwrap();
    let next = Advance { record: Some(record(2)), ..Advance::default() };
    assert_eq!(commit(&store, advance("a", epoch, 1, next)), Ok(Committed::Applied));
    over.send(()).unwrap();
    block_on(search).unwrap();
}
