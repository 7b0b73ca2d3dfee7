//! Between the source and the engine: a queue with a bound, and batches.

use tokio::sync::mpsc;
use workflow_runtime::{Engine, EngineError};

use crate::source::Reading;
use crate::workflow::{Pipeline, Received};

/// So many readings wait at most to be taken in. When there are as many, the source waits.
pub const QUEUE: usize = 256;

/// The name of a reading's execution.
#[must_use]
pub fn id(number: u32) -> String {
    format!("reading-{number:08}")
}

/// Takes in what comes, as many at once as are there: when a batch is acknowledged, it is on disk.
///
/// # Errors
/// If the engine stops.
pub async fn take_in(engine: &Engine, mut queue: mpsc::Receiver<Reading>) -> Result<(), EngineError> {
    let mut batch = Vec::with_capacity(QUEUE);
    while queue.recv_many(&mut batch, QUEUE).await > 0 {
        let starts = batch.drain(..).map(|(number, text)| (id(number), Received { number, text }));
        engine.start_all::<Pipeline, _>(starts).await?;
    }
    Ok(())
}
