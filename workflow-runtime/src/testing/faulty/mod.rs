//! A store that fails when it is told to.

mod fault;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use fault::Fault;
use fault::{Faults, Kind};

use crate::store::{Commit, Committed, Epoch, Refused, Store, StoreError, StoreFuture};
use crate::stores::MemoryStore;
use crate::testing::reads::forward_reads;

/// A store that fails when it is told to: at the n-th call, from the n-th call on, or at random with a seed. Where it is not,
/// it is the store that it stands in front of.
///
/// After a fault it is as good as closed, until [`reopen`](Self::reopen) gives a handle on what is left of it, as the start of
/// another process would.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::{Fault, FaultyStore, Sim};
/// # #[state] pub struct Draft;
/// # #[state(end)] pub struct Published;
/// # pub struct Article;
/// # #[workflow(start = Draft)]
/// # impl Article {
/// #     #[state]
/// #     fn publish(&self, _: Draft) -> Published { Published }
/// # }
///
/// Sim::run(7, |sim| async move {
///     let store = FaultyStore::in_memory().at(2, Fault::LostAnswer);
///     sim.store(move || Ok(store.reopen()));
///     sim.workflow(|| Article);
///     sim.supervised();
///     let article = sim.start::<Article>("a", Draft).await?;
///     let ArticleOutcome::Published(_) = article.outcome().await?;
///     Ok(())
/// });
/// ```
///
/// A clone is the same handle.
pub struct FaultyStore<S> {
    shared: Arc<Shared<S>>,
    /// The number of the opening that this handle is of.
    opening: u64,
}

struct Shared<S> {
    store: S,
    // Held only to read or change plain data, and while the store is called, which does not wait.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    faults: Faults,
    opening: u64,
    /// The fault that the store has not been opened since.
    broken: Option<Fault>,
    reads: u64,
    writes: u64,
    suffered: Vec<Fault>,
}

impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), opening: self.opening }
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultyStore<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FaultyStore").field("store", &self.shared.store).finish_non_exhaustive()
    }
}

impl FaultyStore<MemoryStore> {
    /// One in front of an empty store in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(MemoryStore::new())
    }
}

impl<S> FaultyStore<S> {
    /// One in front of `store`, without faults.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { shared: Arc::new(Shared { store, inner: Mutex::default() }), opening: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the write of this number (from 1; over all openings) suffer `fault`. A write is a call of
    /// [`commit`](Store::commit), however many commits it has.
    #[must_use]
    pub fn at(self, write: u64, fault: Fault) -> Self {
        self.lock().faults.at(Kind::Write, write, false, fault);
        self
    }

    /// Has the write of this number and all later ones suffer `fault`, until it is [mended](Self::mend).
    #[must_use]
    pub fn from(self, write: u64, fault: Fault) -> Self {
        self.lock().faults.at(Kind::Write, write, true, fault);
        self
    }

    /// Has the read of this number (from 1; over all openings) suffer `fault`. There is nothing to be torn or lost in a read:
    /// it is late, does not answer, or fails.
    #[must_use]
    pub fn at_read(self, read: u64, fault: Fault) -> Self {
        self.lock().faults.at(Kind::Read, read, false, fault);
        self
    }

    /// Has one call in so many, as the seed has it, suffer one of `faults`.
    #[must_use]
    pub fn at_random(self, seed: u64, one_in: u32, faults: impl Into<Vec<Fault>>) -> Self {
        self.lock().faults.at_random(seed, one_in, faults.into());
        self
    }

    /// There are no faults any more. A store that is broken has to be [opened again](Self::reopen) all the same.
    pub fn mend(&self) {
        self.lock().faults = Faults::default();
    }

    /// Opens it again: this handle and its clones answer nothing any more, the new one shows what is on disk.
    #[must_use]
    pub fn reopen(&self) -> Self {
        let mut inner = self.lock();
        inner.opening += 1;
        inner.broken = None;
        Self { shared: Arc::clone(&self.shared), opening: inner.opening }
    }

    /// How many writes were asked for.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// How many reads were asked for.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    /// The faults so far.
    #[must_use]
    pub fn suffered(&self) -> Vec<Fault> {
        self.lock().suffered.clone()
    }

    /// What stands behind it: what is on disk.
    #[must_use]
    pub fn behind(&self) -> &S {
        &self.shared.store
    }

    /// Counts a call, and says what it suffers.
    fn call(&self, kind: Kind) -> Result<Option<Fault>, StoreError> {
        let mut inner = self.lock();
        if inner.opening != self.opening {
            return Err(StoreError::Closed);
        }
        if let Some(fault) = inner.broken {
            return Err(StoreError::Poisoned { reason: format!("an injected fault: {fault:?}") });
        }
        let count = match kind {
            Kind::Read => &mut inner.reads,
            Kind::Write => &mut inner.writes,
        };
        *count += 1;
        let count = *count;
        let fault = inner.faults.of(kind, count);
        inner.suffered.extend(fault);
        if kind == Kind::Write && !matches!(fault, None | Some(Fault::Latency(_))) {
            inner.broken = fault;
        }
        Ok(fault)
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&S) -> StoreFuture<T>) -> StoreFuture<T> {
        match self.call(Kind::Read) {
            Ok(None) => read(&self.shared.store),
            Ok(Some(Fault::Latency(latency))) => late(latency, read(&self.shared.store)),
            Ok(Some(Fault::Silence)) => Box::pin(std::future::pending()),
            Ok(Some(fault)) => fails(error(fault)),
            Err(error) => fails(error),
        }
    }
}

fn fails<T: Send + 'static>(error: StoreError) -> StoreFuture<T> {
    Box::pin(std::future::ready(Err(error)))
}

fn late<T: Send + 'static>(latency: std::time::Duration, answer: StoreFuture<T>) -> StoreFuture<T> {
    Box::pin(async move {
        tokio::time::sleep(latency).await;
        answer.await
    })
}

fn error(fault: Fault) -> StoreError {
    match fault {
        Fault::Full => StoreError::Full,
        fault => StoreError::Io { source: Arc::new(std::io::Error::other(format!("an injected fault: {fault:?}"))) },
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.read(Store::acquire)
    }

    fn commit(&self, mut commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        let store = &self.shared.store;
        let fault = match self.call(Kind::Write) {
            Ok(None) => return store.commit(commits),
            Ok(Some(fault)) => fault,
            Err(error) => return fails(error),
        };
        match fault {
            Fault::Latency(latency) => return late(latency, store.commit(commits)),
            Fault::Error | Fault::Full => return fails(error(fault)),
            Fault::Torn => commits.truncate(commits.len() / 2),
            Fault::LostAnswer | Fault::Silence => {}
        }
        let applied = store.commit(commits);
        Box::pin(async move {
            // Seen through, as some stores apply what they are asked for.
            drop(applied.await);
            if fault == Fault::Silence {
                std::future::pending::<()>().await;
            }
            Err(error(fault))
        })
    }

    forward_reads!();
}

#[cfg(test)]
mod tests;
