//! Who has the waker that a future of a turn is polled with: the handler, or a branch that runs on its own.
//!
//! A future of ours does not keep that waker (it keeps the quiet one of [`Driver`], or none), so if nobody else has one
//! when the future is pending, nothing but the turn can wake it. Someone who has done his work may let go of the waker a
//! little later than he used it, as a thread does that hands over a result; so while a future waits for others, no handle
//! on the waker is kept, and the last one that is dropped wakes the future to look again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Wake, Waker};

use super::turn_state::TurnState;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicUsize, Mutex, fence};

/// The waker of one future, as long as the future needs it.
pub(super) struct Watch {
    driver: Arc<Driver>,
    /// What the future is polled with; nothing while it waits for others to wake it.
    wake: Option<Arc<LentWake>>,
    /// The same, as long as anyone has it.
    lent: Weak<LentWake>,
}

impl Watch {
    pub(super) fn new(driver: Arc<Driver>) -> Self {
        Self { driver, wake: None, lent: Weak::new() }
    }

    /// Takes the waker up again, if others still have it, so that they need not be given another.
    pub(super) fn take_up(&mut self, state: &TurnState) -> Waker {
        if let Some(wake) = &self.wake {
            return Waker::from(Arc::clone(wake));
        }
        let new = || Arc::new(LentWake { driver: Arc::clone(&self.driver) });
        let wake = self.lent.upgrade().unwrap_or_else(new);
        self.lent = Arc::downgrade(&wake);
        let waker = Waker::from(Arc::clone(&wake));
        let quiet = self.driver.busy.is_some().then(|| Waker::from(Arc::clone(&self.driver)));
        state.polled_with(waker.clone(), quiet);
        self.wake = Some(wake);
        waker
    }

    /// Leaves the waker to others: when the last of them drops it, the future is woken.
    pub(super) fn let_go(&mut self, state: &TurnState) {
        if let Some(wake) = self.wake.take() {
            state.no_longer_polled_with(&Waker::from(wake));
        }
    }

    /// Whether anyone but the future's owner and the turn's state has the waker.
    pub(super) fn is_lent(&self) -> bool {
        let lent = self.wake.as_ref().is_some_and(|wake| Arc::strong_count(wake) > 2);
        // Pairs with the release by which another thread gave up its handle, so that its wake-up is seen.
        fence(Ordering::Acquire);
        lent
    }
}

/// It runs, or waits for somebody else than its turn.
const BUSY: u8 = 0;
/// It waits for nothing but its turn.
const IDLE: u8 = 1;
/// It has ended, or was stopped.
const OVER: u8 = 2;

/// Whoever polls a future, and whether there is a reason to poll it again.
#[derive(Default)]
pub(super) struct Driver {
    woken: AtomicBool,
    // Held only to swap the waker.
    waker: Mutex<Option<Waker>>,
    /// Of a branch that runs on its own: one of the three below.
    activity: AtomicU8,
    /// Of such a branch: how many of its turn do not.
    busy: Option<Arc<AtomicUsize>>,
}

impl Driver {
    /// Of a branch that runs on its own. It counts as busy from now on.
    pub(super) fn of_branch(busy: &Arc<AtomicUsize>) -> Self {
        busy.fetch_add(1, Ordering::SeqCst);
        Self { busy: Some(Arc::clone(busy)), ..Self::default() }
    }

    pub(super) fn watch(&self, driver: &Waker) {
        let mut watching = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *watching {
            Some(waker) => waker.clone_from(driver),
            None => *watching = Some(driver.clone()),
        }
    }

    pub(super) fn forget(&self) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Nothing that happened before is a reason any more.
    pub(super) fn rest(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    /// Counts a branch as waiting for nothing but the turn, unless it was woken just now. Says whether it does.
    pub(super) fn go_idle(&self) -> bool {
        let Some(busy) = &self.busy else { return false };
        if !self.becomes(BUSY, IDLE) {
            return false;
        }
        // Whoever wakes it either sees that it is idle, or is seen here.
        if self.is_woken() && self.becomes(IDLE, BUSY) {
            return false;
        }
        busy.fetch_sub(1, Ordering::SeqCst);
        true
    }

    /// Counts a branch as busy again.
    pub(super) fn be_busy(&self) {
        if let Some(busy) = &self.busy
            && self.becomes(IDLE, BUSY)
        {
            busy.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A branch is over, and counts no more, whoever may still wake it.
    pub(super) fn be_over(&self) {
        if let Some(busy) = &self.busy
            && self.activity.swap(OVER, Ordering::SeqCst) == BUSY
        {
            busy.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn becomes(&self, from: u8, to: u8) -> bool {
        self.activity.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.be_busy();
        let driver = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

/// The waker that a future is polled with, and that others may keep.
struct LentWake {
    driver: Arc<Driver>,
}

impl Wake for LentWake {
    fn wake(self: Arc<Self>) {
        self.driver.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.driver.wake_by_ref();
    }
}

impl Drop for LentWake {
    fn drop(&mut self) {
        self.driver.wake_by_ref();
    }
}
