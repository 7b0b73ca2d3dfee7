//! A handler that wakes itself has others go first.

use std::future::poll_fn;
use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn a_handler_that_keeps_waking_itself_leaves_whoever_polls_the_turn_theirs() {
    let released = Arc::new(AtomicBool::new(false));
    let waits_for = Arc::clone(&released);
    let mut turn = turn(&clock(), vec![], |_| async move {
        poll_fn(|context| match waits_for.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        Ok(Decided::Wait)
    });
    assert!(poll(&mut turn).is_none(), "the turn is not over");
    released.store(true, Ordering::SeqCst);
    assert!(matches!(poll(&mut turn), Some(Progress::Finished(_))));
}
