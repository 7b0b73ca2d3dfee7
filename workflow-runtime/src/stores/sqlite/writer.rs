//! The thread that writes. It never waits for a group to fill: while it writes and syncs one, the next gathers in the queue.

use std::sync::mpsc::Receiver;

use super::desk::{NotBegun, WriteCall};
use super::pace::Pace;
use super::shortcut::Writing;

/// Calls of a group after which the writer gives way once before it writes the next one: what is written for a group takes
/// longer than its commits, and many calls that come soon are cheaper in one than in two. If nobody else can run, nothing is
/// waited for.
const MANY: usize = 8;

/// Writes until the store is dropped and the queue is empty.
pub(super) fn run(queue: &Receiver<WriteCall>, writing: &Writing) {
    let mut pace = Pace::default();
    // How many calls the last group was of.
    let mut calls = 0;
    while let Ok(first) = queue.recv() {
        // A caller who panicked at it has left it in the middle of something.
        let Ok(mut desk) = writing.desk.lock() else { return };
        let mut are_many = calls >= MANY;
        let next = || {
            queue.try_recv().ok().or_else(|| {
                // Those of the last group who have only to be let on the processor come into this one, too.
                std::mem::take(&mut are_many).then(|| pace.give_way())?;
                queue.try_recv().ok()
            })
        };
        match desk.write(first, next, false, (&writing.health, &writing.counters)) {
            Ok((written, time)) => {
                calls = written;
                writing.shortcut.took(calls, time);
                writing.shortcut.answered(calls);
            }
            Err(NotBegun { call, error, is_busy }) => {
                if !is_busy {
                    writing.health.poison(&error);
                }
                // Those who wait have waited as long as the first: each of them trying again would take that long anew. Who comes
                // once one of them has heard of it is not among them.
                let waiting: Vec<_> = std::iter::once(call).chain(queue.try_iter()).collect();
                for call in waiting {
                    call.refuse(error.clone());
                    writing.shortcut.answered(1);
                }
                continue;
            }
        }
        // After the answers, so that nobody of the group waits for it.
        desk.tidy(&writing.counters);
    }
}
