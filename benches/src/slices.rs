//! The same work again and again by some callers at a time, for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use workflow_runtime::Error;

/// What was done in a while.
#[derive(Debug)]
pub(crate) struct Slice {
    executions: u64,
    wall: Duration,
    /// Of the whole process.
    cpu: Duration,
    times: Vec<Duration>,
    /// How often the store waited for the disk, where that is known.
    pub(crate) syncs: Option<u64>,
}

/// Numbers for executions, each given once.
pub(crate) type Numbers = Arc<AtomicU64>;

/// Runs `execution`s, `at_once` at a time, until `length` is over and those that were begun have ended.
pub(crate) async fn slice<E, F>(at_once: u64, length: Duration, numbers: &Numbers, execution: E) -> Result<Slice, Error>
where
    E: Fn(u64) -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), Error>> + Send,
{
    let (cpu, begun) = (ProcessTime::now(), Instant::now());
    let callers: Vec<_> = (0..at_once)
        .map(|_| {
            let (numbers, execution) = (Arc::clone(numbers), execution.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while begun.elapsed() < length {
                    let from = Instant::now();
                    execution(numbers.fetch_add(1, Ordering::Relaxed)).await?;
                    times.push(from.elapsed());
                }
                Ok::<_, Error>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await??);
    }
    let (wall, cpu) = (begun.elapsed(), cpu.elapsed());
    Ok(Slice { executions: times.len() as u64, wall, cpu, times, syncs: None })
}

/// Slices of one kind, each a while after the last: what lies between them is for those that it is compared with.
#[derive(Debug, Default)]
pub(crate) struct Slices {
    slices: Vec<Slice>,
}

impl Slices {
    pub(crate) fn push(&mut self, slice: Slice) {
        self.slices.push(slice);
    }

    /// Executions a second.
    pub(crate) fn rate(&self) -> f64 {
        self.executions() / self.sum(|slice| slice.wall.as_secs_f64())
    }

    /// How many times the rate of `other`, whose slices were taken in turn with these.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        self.rate() / other.rate()
    }

    /// CPU seconds an execution.
    pub(crate) fn cpu(&self) -> f64 {
        self.sum(|slice| slice.cpu.as_secs_f64()) / self.executions()
    }

    /// Syncs an execution, where they are known.
    pub(crate) fn syncs(&self) -> Option<f64> {
        let syncs: Option<Vec<u64>> = self.slices.iter().map(|slice| slice.syncs).collect();
        Some(syncs?.into_iter().sum::<u64>() as f64 / self.executions())
    }

    pub(crate) fn times(&self) -> Vec<Duration> {
        self.slices.iter().flat_map(|slice| slice.times.iter().copied()).collect()
    }

    fn executions(&self) -> f64 {
        self.sum(|slice| slice.executions as f64)
    }

    fn sum(&self, of: impl Fn(&Slice) -> f64) -> f64 {
        self.slices.iter().map(of).sum()
    }
}
