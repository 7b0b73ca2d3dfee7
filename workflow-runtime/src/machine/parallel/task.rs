//! A branch that runs on its own, on whatever thread its driver has for it.
//!
//! The turn must find out that all its branches wait for nothing but the turn itself. So each is polled with a
//! [waker of its own](crate::machine::watch), and counts as busy while it runs or while others hold that waker.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::machine::turn::panic_text;
use crate::machine::turn_state::TurnState;
use crate::machine::watch::{Driver, Watch};

/// How a branch ended.
pub(super) enum Ended<R> {
    Returned(R),
    Panicked(String),
    /// It was dropped before it was done.
    Stopped,
}

/// Where branches say that they have ended, to whoever waits for them.
pub(super) struct Endings<R> {
    turn: Arc<TurnState>,
    // Held only to read or change plain data.
    inner: Mutex<Inner<R>>,
}

struct Inner<R> {
    ended: VecDeque<(u64, Ended<R>)>,
    /// Who waits, if it is not polled with the turn.
    waiter: Option<Waker>,
}

impl<R> Endings<R> {
    pub(super) fn new(turn: &Arc<TurnState>) -> Arc<Self> {
        let inner = Inner { ended: VecDeque::new(), waiter: None };
        Arc::new(Self { turn: Arc::clone(turn), inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner<R>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who waits: asked for before [`next`](Self::next), so that nothing is missed.
    pub(super) fn wait(&self, context: &Context<'_>) {
        let waiter = self.turn.waker_for(context);
        let _old = std::mem::replace(&mut self.lock().waiter, waiter);
    }

    pub(super) fn next(&self) -> Option<(u64, Ended<R>)> {
        self.lock().ended.pop_front()
    }

    fn tell(&self, branch: u64, ended: Ended<R>) {
        let waiter = {
            let mut inner = self.lock();
            inner.ended.push_back((branch, ended));
            inner.waiter.clone()
        };
        match waiter {
            Some(waiter) => waiter.wake(),
            None => self.turn.wake_turn(),
        }
    }
}

/// The future of such a branch. It always says how it ended, also when it is dropped.
pub(super) struct Task<R> {
    branch: u64,
    /// Nothing, once it has ended.
    future: Option<Pin<Box<dyn Future<Output = R> + Send>>>,
    endings: Arc<Endings<R>>,
    driver: Arc<Driver>,
    watch: Watch,
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Task").field("branch", &self.branch).finish_non_exhaustive()
    }
}

impl<R> Task<R> {
    pub(super) fn new(branch: u64, future: Pin<Box<dyn Future<Output = R> + Send>>, endings: &Arc<Endings<R>>) -> Self {
        let driver = Arc::new(Driver::of_branch(endings.turn.busy()));
        let watch = Watch::new(Arc::clone(&driver));
        Self { branch, future: Some(future), endings: Arc::clone(endings), driver, watch }
    }

    fn end(&mut self, ended: Ended<R>) {
        // Its owner may be told only when nothing of it is left.
        self.future = None;
        self.endings.tell(self.branch, ended);
    }
}

impl<R> Future for Task<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let task = &mut *self;
        let Some(future) = &mut task.future else { return Poll::Ready(()) };
        task.driver.watch(context.waker());
        task.driver.be_busy();
        task.driver.rest();
        let waker = task.watch.take_up(&task.endings.turn);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        drop(waker);
        match polled {
            Ok(Poll::Ready(result)) => {
                task.end(Ended::Returned(result));
                return Poll::Ready(());
            }
            Err(panic) => {
                task.end(Ended::Panicked(panic_text(&*panic).to_owned()));
                return Poll::Ready(());
            }
            Ok(Poll::Pending) => {}
        }
        if task.watch.is_lent() {
            // The last of those who have the waker wakes it, if only by letting go.
            task.watch.let_go(&task.endings.turn);
        } else if task.driver.go_idle() {
            // It may have been the last one that the turn waited for.
            task.endings.turn.wake_turn();
        }
        Poll::Pending
    }
}

impl<R> Drop for Task<R> {
    fn drop(&mut self) {
        if self.future.is_some() {
            self.end(Ended::Stopped);
        }
        self.watch.let_go(&self.endings.turn);
        self.driver.be_over();
        self.driver.forget();
        self.endings.turn.wake_turn();
    }
}
