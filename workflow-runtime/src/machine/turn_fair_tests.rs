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

#[test]
fn a_turn_whose_branches_are_busy_rests_until_one_of_them_wakes_it() {
    let polls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&polls);
    let mut turn = turn(&clock(), vec![], |cx| async move {
        // As a branch does that runs on a thread of its own.
        cx.turn().busy().fetch_add(1, Ordering::SeqCst);
        poll_fn(|_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Poll::Pending
        })
        .await
    });
    let woken = Arc::new(Woken(AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut next = Box::pin(turn.next());
    for polled in 1..3 {
        assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!((woken.0.load(Ordering::SeqCst), polls.load(Ordering::SeqCst)), (0, polled));
    }
}
