//! What the tests of this folder share: engines on one store and one clock that outlive them.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::store::Store;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Clock as _, Engine, EngineBuilder, ManualClock, Timestamp};

/// A store and a clock.
pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: ManualClock,
}

impl Default for World {
    fn default() -> Self {
        Self { store: Arc::new(MemoryStore::new()), clock: ManualClock::new(Timestamp::EPOCH) }
    }
}

impl World {
    pub fn builder(&self) -> EngineBuilder {
        Engine::on(Arc::clone(&self.store)).clock(self.clock.clone())
    }

    /// Lets time pass in small steps, so that everything happens at its time.
    pub async fn pass(&self, engine: &Engine, duration: Duration) {
        let end = self.clock.now() + duration;
        loop {
            settle(engine).await;
            match self.clock.next_due() {
                Some(due) if due <= end => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(end);
        settle(engine).await;
    }
}

/// Lets every task run until none can go on by itself.
pub async fn settle(engine: &Engine) {
    for _ in 0..100 + 20 * engine.active() {
        tokio::task::yield_now().await;
    }
}

/// Runs a test on one thread, where `settle` sees every task.
pub fn test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Counts calls, and notes something of each.
#[derive(Default)]
pub struct Calls {
    count: AtomicU32,
    notes: Mutex<Vec<String>>,
}

impl Calls {
    /// The number of this call, from 1.
    pub fn next<T: ToString + ?Sized>(&self, note: &T) -> u32 {
        self.notes.lock().unwrap().push(note.to_string());
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }
}
