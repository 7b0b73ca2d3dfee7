//! Finding out that nothing can go on before time passes.
//!
//! tokio calls back when its thread has nothing left to do, before it looks at the timers: whoever waits for that is woken
//! then, and since there is something to do again, the time stands still.
//!
//! Where services are real, nothing to do may mean that one of them has not answered yet. Then the time is held: a blocking
//! call, for as long as it lasts, keeps tokio's clock where it is. When one has lasted in which nothing came, nothing will.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

/// Who waits for everything to come to rest.
#[derive(Debug, Default)]
pub(super) struct Rests {
    // Held only to add or to take.
    waiting: Mutex<Vec<Waker>>,
    count: AtomicU64,
    hold: Mutex<Hold>,
}

/// Holds the time for services that are real.
#[derive(Debug, Default)]
struct Hold {
    real: Duration,
    /// How often there was nothing to do.
    parks: u64,
    /// Which time of these the last hold began at.
    began: u64,
    held: Arc<AtomicBool>,
    /// The time at which nothing happened while it was held. It moves on from there, though not at the first try, as the end
    /// of the hold itself has woken the thread.
    over: Option<Instant>,
}

impl Hold {
    /// Whether the time stands still. Asked each time that there is nothing to do.
    fn stands_still(&mut self) -> bool {
        if self.real.is_zero() {
            return false;
        }
        self.parks += 1;
        if self.held.load(Ordering::Acquire) {
            return true;
        }
        let now = Instant::now();
        if self.began > 0 && self.began + 1 == self.parks {
            self.over = Some(now);
        }
        if self.over == Some(now) {
            return false;
        }
        let Ok(runtime) = Handle::try_current() else { return false };
        (self.began, self.over) = (self.parks, None);
        self.held.store(true, Ordering::Release);
        let (held, real) = (Arc::clone(&self.held), self.real);
        drop(runtime.spawn_blocking(move || {
            std::thread::sleep(real);
            held.store(false, Ordering::Release);
        }));
        true
    }
}

impl Rests {
    /// The thread has nothing to do.
    pub(super) fn come(&self) {
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        if hold.stands_still() {
            return;
        }
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if !waiting.is_empty() {
            hold.over = None;
            drop(hold);
            self.count.fetch_add(1, Ordering::Relaxed);
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// From now on, nothing counts as at rest before this time has passed, in which nothing happened.
    pub(super) fn hold(&self, real: Duration) {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner).real = real;
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
