//! The best that a program could do without an engine: tasks that append to a plain file, with one sync for all that wait.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::oneshot;
use workflow_runtime::Error;

/// The bytes that one step appends.
pub(crate) const ROW: usize = 128;

/// A file that rows are appended to. Dropping it ends its thread.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    queue: Sender<Append>,
}

struct Append {
    row: [u8; ROW],
    answer: oneshot::Sender<()>,
}

impl Log {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let (queue, calls) = channel();
        thread::Builder::new().name("limit".to_owned()).spawn(move || {
            // The callers find out by their answers, which are dropped.
            let _ = write_groups(file, &calls);
        })?;
        Ok(Self { queue })
    }

    /// Returns when `row` is on disk.
    pub(crate) async fn append(&self, row: [u8; ROW]) -> Result<(), Error> {
        let (answer, written) = oneshot::channel();
        self.queue.send(Append { row, answer }).map_err(|_| Error::msg("the log has failed"))?;
        Ok(written.await?)
    }
}

/// Everything that waits goes into one write and one sync; the next group gathers meanwhile.
fn write_groups(mut file: File, calls: &Receiver<Append>) -> io::Result<()> {
    let (mut rows, mut answers) = (Vec::new(), Vec::new());
    while let Ok(first) = calls.recv() {
        for call in std::iter::once(first).chain(calls.try_iter()) {
            rows.extend_from_slice(&call.row);
            answers.push(call.answer);
        }
        file.write_all(&rows)?;
        file.sync_data()?;
        rows.clear();
        for answer in answers.drain(..) {
            // Whoever does not wait any more does not want to know.
            let _ = answer.send(());
        }
    }
    Ok(())
}

/// One execution of the same work: `steps` rows, each on disk before the next begins.
pub(crate) async fn execute(log: &Log, number: u64, steps: u64) -> Result<(), Error> {
    let log = log.clone();
    let task = tokio::spawn(async move {
        for step in 0..steps {
            let mut row = [0; ROW];
            for (byte, source) in row.iter_mut().zip(number.to_le_bytes().into_iter().chain(step.to_le_bytes())) {
                *byte = source;
            }
            log.append(row).await?;
        }
        Ok(())
    });
    task.await?
}
