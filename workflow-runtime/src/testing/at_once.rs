//! A store with threads of its own, in a world with one.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use crate::store::{Commit, Committed, Epoch, Refused, Store, StoreFuture};
use crate::testing::reads::forward_reads;

/// Longer than any disk takes: a store that has not answered by then waits for this very thread.
const LONGEST: Duration = Duration::from_secs(30);

/// A store whose calls answer at once: the caller's thread waits for the answer, and nothing else happens meanwhile. So a store
/// that works on threads of its own, as SQLite's does, can be used in a [`Sim`](super::Sim): neither does the virtual time run
/// ahead of it, nor does it add chance.
///
/// ```no_run
/// use std::sync::Arc;
/// use workflow_runtime::SqliteStore;
/// use workflow_runtime::testing::{AtOnce, Sim};
///
/// # fn example(sim: Sim) -> workflow_runtime::Result<()> {
/// let store = Arc::new(SqliteStore::open("test.db")?);
/// sim.store(move || Ok(AtOnce::new(Arc::clone(&store))));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// A call does that has no answer after 30 seconds: the store needs the runtime of this thread, and cannot be used so.
pub struct AtOnce<S> {
    store: S,
}

impl<S: fmt::Debug> fmt::Debug for AtOnce<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AtOnce").field("store", &self.store).finish()
    }
}

impl<S: Store> AtOnce<S> {
    /// `store`, with answers at once.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&S) -> StoreFuture<T>) -> StoreFuture<T> {
        waited(read(&self.store))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waited<T: Send + 'static>(answer: StoreFuture<T>) -> StoreFuture<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let begun = std::time::Instant::now();
    let mut answer = pin!(answer);
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
            return Box::pin(std::future::ready(answer));
        }
        let left = LONGEST.saturating_sub(begun.elapsed());
        assert!(
            !left.is_zero(),
            "the store has not answered for {LONGEST:?}: it needs the runtime of the thread that waits for it"
        );
        std::thread::park_timeout(left);
    }
}

impl<S: Store> Store for AtOnce<S> {
    fn acquire(&self) -> StoreFuture<Epoch> {
        waited(self.store.acquire())
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        waited(self.store.commit(commits))
    }

    forward_reads!();
}
