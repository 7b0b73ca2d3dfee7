//! Finding out that nothing can go on before time passes.
//!
//! tokio calls back when its thread has nothing left to do, before it looks at the timers: whoever waits for that is woken
//! then, and since there is something to do again, the time stands still.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Who waits for everything to come to rest.
#[derive(Debug, Default)]
pub(super) struct Rests {
    // Held only to add or to take.
    waiting: Mutex<Vec<Waker>>,
    count: AtomicU64,
}

impl Rests {
    /// The thread has nothing to do.
    pub(super) fn come(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if !waiting.is_empty() {
            self.count.fetch_add(1, Ordering::Relaxed);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Ready when nothing can go on at the present time but who waits for this.
    pub(super) fn rest(self: &Arc<Self>) -> Resting {
        Resting { rests: Arc::clone(self), since: None }
    }
}

pub(super) struct Resting {
    rests: Arc<Rests>,
    since: Option<u64>,
}

impl Future for Resting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let count = self.rests.count.load(Ordering::Relaxed);
        if *self.since.get_or_insert(count) != count {
            return Poll::Ready(());
        }
        self.rests.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(context.waker().clone());
        Poll::Pending
    }
}
