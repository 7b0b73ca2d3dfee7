//! When the simulated process dies.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::store::StoreError;

/// A place at which the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// When this write (from 1) was asked for, and nothing of it is on disk.
    Before(u64),
    /// When a part of this write is on disk: the first half of its commits.
    Within(u64),
    /// When this write is on disk, and nobody has been told.
    After(u64),
    /// When this attempt of a step (from 1) is over, and nothing of its result is on disk.
    Ended(u64),
    /// When an attempt of a step is over, once for each call.
    EachStep,
}

impl Point {
    /// Whether it is not one place, but many.
    pub(in crate::testing) fn is_each(self) -> bool {
        self == Self::EachStep
    }
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Written,
    /// Nothing of it is written, and the process is dead.
    Lost,
    /// A part of it is written, and the process is dead.
    Torn,
    /// It is written, and the process is dead.
    Unanswered,
}

/// Counts what can be crashed at, and says when.
#[derive(Debug)]
pub(super) struct Fuse {
    inner: Mutex<Inner>,
    /// The number of the process that is dead; the first one is 1.
    dead: watch::Sender<u64>,
    /// The number of the process whose calls of the store are let go.
    buried: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    points: VecDeque<Point>,
    process: u64,
    writes: u64,
    steps: u64,
    /// The calls at whose end it died, where it does so at each.
    ended: BTreeSet<u128>,
    /// The writes of several commits.
    batches: Vec<u64>,
    /// How many writes and steps there were whenever it died.
    deaths: Vec<(u64, u64)>,
    /// The process that its store has failed last, and how.
    failed: Option<(u64, StoreError)>,
}

impl Fuse {
    pub(super) fn new(points: Vec<Point>) -> Self {
        let inner = Inner { points: points.into(), ..Inner::default() };
        Self { inner: Mutex::new(inner), dead: watch::Sender::new(0), buried: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store has failed this process, which is the end of it.
    pub(super) fn fail(&self, process: u64, error: &StoreError) {
        if !self.is_dead(process) {
            self.lock().failed = Some((process, error.clone()));
            self.kill(process);
        }
    }

    /// Why the store has failed this process, if that was its end.
    pub(super) fn failure(&self, process: u64) -> Option<StoreError> {
        self.lock().failed.clone().filter(|(failed, _)| *failed == process).map(|(_, error)| error)
    }

    /// A new process begins; this is its number.
    pub(super) fn begin(&self) -> u64 {
        let mut inner = self.lock();
        inner.process += 1;
        inner.process
    }

    /// A write is asked for: what becomes of it.
    pub(super) fn write(&self, commits: usize) -> Fate {
        let mut inner = self.lock();
        inner.writes += 1;
        if commits > 1 {
            let write = inner.writes;
            inner.batches.push(write);
        }
        let fate = match inner.points.front() {
            Some(Point::Before(write)) if *write == inner.writes => Fate::Lost,
            Some(Point::Within(write)) if *write == inner.writes && commits > 1 => Fate::Torn,
            Some(Point::Within(write)) if *write == inner.writes => Fate::Lost,
            Some(Point::After(write)) if *write == inner.writes => Fate::Unanswered,
            _ => return Fate::Written,
        };
        inner.points.pop_front();
        self.dies(inner);
        fate
    }

    fn dies(&self, mut inner: MutexGuard<'_, Inner>) {
        let (process, counts) = (inner.process, (inner.writes, inner.steps));
        inner.deaths.push(counts);
        drop(inner);
        self.kill(process);
    }

    /// An attempt of a step is over. Says whether the process dies.
    pub(super) fn step_ended(&self, digest: u128) -> bool {
        let mut inner = self.lock();
        if self.is_dead(inner.process) {
            // What still ends in it before it is gone, nobody hears of.
            return false;
        }
        inner.steps += 1;
        let is_due = match inner.points.front() {
            Some(Point::Ended(step)) => *step == inner.steps,
            Some(Point::EachStep) => inner.ended.insert(digest),
            _ => false,
        };
        if is_due {
            inner.points.pop_front_if(|point| !point.is_each());
            self.dies(inner);
        }
        is_due
    }

    /// How many writes and how many attempts of steps there were.
    pub(super) fn counts(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.writes, inner.steps)
    }

    /// The writes of several commits.
    pub(super) fn batches(&self) -> Vec<u64> {
        self.lock().batches.clone()
    }

    /// How many writes and steps there were whenever the process died.
    pub(super) fn deaths(&self) -> Vec<(u64, u64)> {
        self.lock().deaths.clone()
    }

    /// The points that were not come to.
    pub(super) fn left(&self) -> Vec<Point> {
        self.lock().points.iter().copied().collect()
    }

    /// The present process dies.
    pub(super) fn kill_now(&self) {
        let process = self.lock().process;
        self.kill(process);
    }

    fn kill(&self, process: u64) {
        self.dead.send_replace(process);
    }

    pub(super) fn is_dead(&self, process: u64) -> bool {
        *self.dead.borrow() >= process
    }

    /// Ready when this process is dead.
    pub(super) async fn died(&self, process: u64) {
        // The sender is here, so it is not gone.
        let _ = self.dead.subscribe().wait_for(|dead| *dead >= process).await;
    }

    /// Lets go of what a dead process still waits for.
    pub(super) fn bury(&self, process: u64) {
        self.buried.send_replace(process);
    }

    /// Ready when nobody can see any more what a dead process does.
    pub(super) fn buried(&self, process: u64) -> impl Future<Output = ()> + Send + use<> {
        let mut buried = self.buried.subscribe();
        async move {
            let _ = buried.wait_for(|buried| *buried >= process).await;
        }
    }
}
