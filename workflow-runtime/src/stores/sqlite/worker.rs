//! A thread with a queue of calls, which the store's calls are handed to.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// The most calls that wait at once. A caller that waits for its answers never sees this bound, unless there are as many
/// callers; past it, a call blocks its thread until the group under way is written.
const WAITING_CALLS: usize = 4_096;

/// A running thread. Dropping it lets the thread finish what was queued, and waits for that.
pub(super) struct Worker<Call> {
    calls: Option<SyncSender<Call>>,
    thread: Option<JoinHandle<()>>,
}

impl<Call: Send + 'static> Worker<Call> {
    pub(super) fn spawn(name: &str, run: impl FnOnce(Receiver<Call>) + Send + 'static) -> io::Result<Self> {
        let (calls, queue) = sync_channel(WAITING_CALLS);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(queue))?;
        Ok(Self { calls: Some(calls), thread: Some(thread) })
    }

    /// Queues `call`; if the thread is gone, `call` is dropped and its answer with it.
    pub(super) fn send(&self, call: Call) {
        if let Some(calls) = &self.calls {
            let _ = calls.send(call);
        }
    }
}

impl<Call> Drop for Worker<Call> {
    fn drop(&mut self) {
        self.calls = None;
        // A waker that drops the store while it is woken does so on this very thread, which cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // Its panic has been reported by the panic hook, and its callers by their missing answers.
            let _ = thread.join();
        }
    }
}

impl<Call> fmt::Debug for Worker<Call> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Worker").finish_non_exhaustive()
    }
}
