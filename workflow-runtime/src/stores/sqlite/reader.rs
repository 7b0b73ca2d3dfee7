//! The thread that reads, on a connection of its own, so that reads do not wait for writes.
//!
//! Calls that wait are answered from one snapshot. It is taken after the last of them was made, so each sees whatever
//! was acknowledged before it.

use std::sync::mpsc::Receiver;

use futures_channel::oneshot;
use rusqlite::Connection;

use super::gate::Gate;
use super::health::Health;
use super::source::Source;
use super::stats::Counters;
use crate::store::StoreError;

/// The most calls that are answered from one snapshot.
const BATCH_LIMIT: usize = 256;

/// A read: it is given the snapshot, or the reason why there is none, and answers its caller.
pub(super) type ReadCall = Box<dyn FnOnce(Result<&mut Source, StoreError>) + Send>;

/// The call that makes `query`, and where its answer comes out.
pub(super) fn call<T: Send + 'static>(
    query: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> (ReadCall, oneshot::Receiver<Result<T, StoreError>>) {
    let (answer, receiver) = oneshot::channel();
    let call = move |snapshot: Result<&mut Source, StoreError>| {
        // Nobody waits for the answer any more: then nobody needs it.
        if !answer.is_canceled() {
            let _ = answer.send(snapshot.and_then(|source| source.read(query)));
        }
    };
    (Box::new(call), receiver)
}

/// Reads until the store is dropped and the queue is empty. Reads that may take long have a gate to pass.
pub(super) fn run(
    source: &mut Source,
    queue: &Receiver<ReadCall>,
    gate: Option<&Gate>,
    (health, counters): (&Health, &Counters),
) {
    let mut batch = Vec::new();
    while let Ok(first) = queue.recv() {
        gate.into_iter().for_each(Gate::enter);
        batch.push(first);
        batch.extend(queue.try_iter().take(BATCH_LIMIT - 1));
        let begun = health.check().and_then(|()| source.begin());
        counters.count_snapshot(batch.len());
        for read in batch.drain(..) {
            read(begun.clone().map(|()| &mut *source));
        }
        source.end();
        gate.into_iter().for_each(Gate::leave);
    }
}
