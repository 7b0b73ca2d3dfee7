//! The tasks of an engine: all of them can be waited for, and what handlers spawn is among them.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use crate::machine::{AbortOnDrop, SpawnedCall, SpawnedFuture, Spawner};

/// Where an engine's tasks run. A clone starts tasks of the same engine.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    runtime: Handle,
    /// Every task holds a receiver, so that the end of the last one can be waited for.
    alive: Arc<watch::Sender<()>>,
    /// Whether blocking calls run where everything else does.
    one_thread: bool,
}

impl Tasks {
    pub(super) fn new(runtime: Handle, one_thread: bool) -> Self {
        Self { runtime, alive: Arc::new(watch::Sender::new(())), one_thread }
    }

    pub(super) fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let alive = self.alive.subscribe();
        self.runtime.spawn(async move {
            let result = task.await;
            drop(alive);
            result
        })
    }

    pub(super) fn start(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.run(task).abort_handle()
    }

    /// Ready when no task is left.
    pub(super) async fn gone(&self) {
        self.alive.closed().await;
    }
}

impl Spawner for Tasks {
    fn spawn(&self, future: SpawnedFuture) -> AbortOnDrop {
        let task = self.start(future);
        AbortOnDrop::new(move || task.abort())
    }

    fn spawn_blocking(&self, call: SpawnedCall) {
        if self.one_thread {
            self.start(async move { call() });
            return;
        }
        // A call that has begun cannot be stopped, so nobody waits for it at the end.
        drop(self.runtime.spawn_blocking(call));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use tokio::runtime::{Builder, Handle, Runtime};

    use super::Tasks;
    use crate::base::{ManualClock, Timestamp};
    use crate::machine::{Services, SpawnError};

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(2).build().unwrap()
    }

    fn services(tasks: &Tasks) -> Services {
        let mut services = Services::new(ManualClock::new(Timestamp::EPOCH));
        services.spawner = Some(Arc::new(tasks.clone()));
        services
    }

    #[test]
    fn blocking_calls_run_at_once_on_threads_of_their_own() {
        runtime().block_on(async {
            let services = services(&Tasks::new(Handle::current(), false));
            let barrier = Arc::new(std::sync::Barrier::new(2));
            let both = [Arc::clone(&barrier), barrier].map(|barrier| {
                services.spawn_blocking(move || {
                    // Ends only if the other one runs too.
                    barrier.wait();
                    thread::current().id()
                })
            });
            let [first, second] = both;
            assert_ne!(first.await.unwrap(), second.await.unwrap());
        });
    }

    #[test]
    fn what_is_dropped_is_stopped_and_gone() {
        runtime().block_on(async {
            let tasks = Tasks::new(Handle::current(), false);
            let (held, freed) = tokio::sync::oneshot::channel::<()>();
            let spawned = services(&tasks).spawn(async move {
                let _held = held;
                std::future::pending::<()>().await;
            });
            drop(spawned);
            assert!(freed.await.is_err(), "what it held is dropped");
            tasks.gone().await;
        });
    }

    #[test]
    fn a_panic_is_told_and_the_runtime_goes_on() {
        runtime().block_on(async {
            let services = services(&Tasks::new(Handle::current(), false));
            let panicked = services.spawn(async { panic!("boom") }).await;
            assert_eq!(panicked, Err::<(), _>(SpawnError::Panicked { message: "boom".to_owned() }));
            assert_eq!(services.spawn(async { 7 }).await, Ok(7));
        });
    }
}
