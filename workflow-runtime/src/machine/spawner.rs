//! Work beside a handler: futures and blocking calls on other threads.
//!
//! A turn knows no runtime; a driver that has threads lends them as a [`Spawner`]. Where there is none, as in a stepper or
//! with a detached context, the work is done by whoever waits for it, which comes to the same result.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use tracing::Instrument as _;

use super::Services;
use super::turn::panic_text;

/// A future that a [`Spawner`] runs.
pub type SpawnedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A call that a [`Spawner`] runs, and that may keep its thread as long as it likes.
pub type SpawnedCall = Box<dyn FnOnce() + Send>;

/// Threads that a driver lends to the handlers that it runs.
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Runs `future` on its own, until it is done or the guard is dropped: then it is dropped too, at the latest when it
    /// waits the next time.
    fn spawn(&self, future: SpawnedFuture) -> AbortOnDrop;

    /// Runs `call` on a thread that may be blocked. Once it has begun, nothing stops it.
    fn spawn_blocking(&self, call: SpawnedCall);
}

/// Stops what was spawned when it is dropped.
#[must_use = "dropping it stops what was spawned"]
pub struct AbortOnDrop {
    abort: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl AbortOnDrop {
    /// A guard that calls `abort` when it is dropped.
    pub fn new(abort: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { abort: Some(Box::new(abort)) }
    }
}

impl fmt::Debug for AbortOnDrop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AbortOnDrop").finish_non_exhaustive()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(abort) = self.abort.take() {
            abort();
        }
    }
}

/// Work beside a handler did not come to an end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// It panicked.
    #[error("{message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// Its threads were taken away, because the runtime shuts down.
    #[error("the runtime was shut down before the work was done")]
    Stopped,
}

/// The result of work beside a handler, to wait for. Dropping it stops the work if that is a future; a blocking call that
/// has begun goes on, and nobody hears of its result.
#[must_use = "dropping it stops the work"]
pub struct Spawned<T> {
    work: Work<T>,
}

enum Work<T> {
    /// On a thread of its own.
    Elsewhere { result: oneshot::Receiver<Result<T, SpawnError>>, _abort: Option<AbortOnDrop> },
    /// Done by whoever waits for it.
    Here(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> fmt::Debug for Spawned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Spawned").finish_non_exhaustive()
    }
}

impl<T> Future for Spawned<T> {
    type Output = Result<T, SpawnError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.work {
            Work::Elsewhere { result, .. } => {
                Pin::new(result).poll(context).map(|result| result.unwrap_or(Err(SpawnError::Stopped)))
            }
            Work::Here(future) => match caught(|| future.as_mut().poll(context)) {
                Ok(poll) => poll.map(Ok),
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl Services {
    /// Runs `future` beside the caller, on another thread if the driver has any.
    pub fn spawn<F>(&self, future: F) -> Spawned<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let Some(spawner) = &self.spawner else {
            return Spawned { work: Work::Here(Box::pin(future)) };
        };
        let (sender, result) = oneshot::channel();
        let mut future = Box::pin(future);
        let caught = std::future::poll_fn(move |context| match caught(|| future.as_mut().poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(error) => Poll::Ready(Err(error)),
        });
        let run = async move {
            // Nobody may be left who wants to know.
            let _ = sender.send(caught.await);
        };
        let abort = spawner.spawn(Box::pin(run.in_current_span()));
        Spawned { work: Work::Elsewhere { result, _abort: Some(abort) } }
    }

    /// Runs `call`, which may block its thread, on one that is there for it; if the driver has none, on that of whoever
    /// waits for it.
    pub fn spawn_blocking<T: Send + 'static>(&self, call: impl FnOnce() -> T + Send + 'static) -> Spawned<T> {
        let Some(spawner) = &self.spawner else {
            return Spawned { work: Work::Here(Box::pin(async move { call() })) };
        };
        let (sender, result) = oneshot::channel();
        let span = tracing::Span::current();
        spawner.spawn_blocking(Box::new(move || {
            let _entered = span.enter();
            // Nobody may be left who wants to know.
            let _ = sender.send(caught(call));
        }));
        Spawned { work: Work::Elsewhere { result, _abort: None } }
    }
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, SpawnError> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|panic| SpawnError::Panicked { message: panic_text(&*panic).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::SpawnError;
    use crate::base::{ManualClock, Timestamp};
    use crate::machine::Services;

    fn services() -> Services {
        Services::new(ManualClock::new(Timestamp::EPOCH))
    }

    #[test]
    fn without_threads_the_work_is_done_by_whoever_waits_for_it() {
        let services = services();
        let (here, block) = (std::thread::current().id(), || std::thread::current().id());
        let both = futures::executor::block_on(async {
            (services.spawn(async move { block() }).await, services.spawn_blocking(block).await)
        });
        assert_eq!(both, (Ok(here), Ok(here)));
    }

    #[test]
    fn without_threads_a_panic_is_told_too() {
        let panicked = services().spawn_blocking(|| -> u32 { panic!("no {}", 1) });
        let told = futures::executor::block_on(panicked);
        assert_eq!(told, Err(SpawnError::Panicked { message: "no 1".to_owned() }));
    }
}
