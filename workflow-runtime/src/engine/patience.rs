//! Waits for an answer of the store that is about to come.
//!
//! A store on a thread of its own may answer sooner than it takes to put a thread to sleep and to wake it again. Where one
//! execution runs and no other, there is nothing else to do on the thread, so a short look for the answer costs less than
//! giving the thread away. Where answers take longer, as those of a disk do, this is found out, and hardly tried again.

use std::future::poll_fn;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::store::{StoreError, StoreFuture};

/// How long the answer is looked for.
const MOMENT: Duration = Duration::from_micros(50);

/// How many answers in a row are waited for without a look, after one that did not come in a moment.
const DISCOURAGED: u32 = 64;

#[derive(Debug)]
pub(super) struct Patience {
    /// Whether another thread can answer meanwhile.
    is_useful: bool,
    /// How many answers are to be waited for without a look.
    passes: AtomicU32,
}

impl Patience {
    pub(super) fn new(runtime: &Handle) -> Self {
        let has_others = thread::available_parallelism().is_ok_and(|threads| threads.get() > 1);
        // The only thread of a runtime is not to be kept from its other tasks.
        let is_useful = has_others && runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
        Self { is_useful, passes: AtomicU32::new(0) }
    }

    pub(super) async fn wait_for<T>(&self, mut answer: StoreFuture<T>) -> Result<T, StoreError> {
        if self.looks() {
            match look_for(&mut answer) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => self.passes.store(DISCOURAGED, Ordering::Relaxed),
            }
        }
        poll_fn(|context| answer.as_mut().poll(context)).await
    }

    fn looks(&self) -> bool {
        let passes = self.passes.load(Ordering::Relaxed);
        if passes > 0 {
            // A lost update makes it a look more or less.
            self.passes.store(passes - 1, Ordering::Relaxed);
        }
        self.is_useful && passes == 0
    }
}

fn look_for<T>(answer: &mut StoreFuture<T>) -> Poll<Result<T, StoreError>> {
    // Nobody is to be woken: whoever looks sees it.
    let mut context = Context::from_waker(Waker::noop());
    let begun = Instant::now();
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
            return Poll::Ready(answer);
        }
        if begun.elapsed() > MOMENT {
            return Poll::Pending;
        }
        (0..32).for_each(|_| spin_loop());
        // Where threads are short, the one that is to answer goes first.
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// An answer that comes at the poll of this number, counted from 1, and the polls so far.
    fn answer_at(poll: usize) -> (StoreFuture<usize>, Arc<AtomicUsize>) {
        let polls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&polls);
        let answer = poll_fn(move |context| {
            let polls = counter.fetch_add(1, Ordering::Relaxed) + 1;
            // A look is not woken, and looks again by itself.
            context.waker().wake_by_ref();
            if polls >= poll { Poll::Ready(Ok(polls)) } else { Poll::Pending }
        });
        (Box::pin(answer), polls)
    }

    #[test]
    fn an_answer_that_is_there_is_taken_and_one_that_is_not_is_waited_for() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            for is_useful in [true, false] {
                let patience = Patience { is_useful, passes: AtomicU32::new(0) };
                for poll in [1, 2, 5] {
                    assert_eq!(patience.wait_for(answer_at(poll).0).await.unwrap(), poll);
                }
                let (never, polls) = answer_at(usize::MAX);
                assert!(futures::FutureExt::now_or_never(patience.wait_for(never)).is_none());
                assert!(polls.load(Ordering::Relaxed) > 0);
                assert_eq!(patience.passes.load(Ordering::Relaxed) > 0, is_useful);
            }
        });
    }

    #[test]
    fn after_one_that_did_not_come_it_does_not_look_for_a_while() {
        let patience = Patience { is_useful: true, passes: AtomicU32::new(DISCOURAGED) };
        let looks = (0..DISCOURAGED * 2).filter(|_| patience.looks()).count();
        assert_eq!(looks, usize::try_from(DISCOURAGED).unwrap());
        assert!(!Patience { is_useful: false, passes: AtomicU32::new(0) }.looks());
    }
}
