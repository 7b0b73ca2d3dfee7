//! Ten durable steps in sequence per execution, some executions at a time.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use workflow_runtime::{Engine, Error};

use crate::workloads::{Added, Adding, TenSteps, TenStepsOutcome};

const STEPS: u32 = 10;

/// What was measured.
pub(crate) struct Figures {
    steps: f64,
    wall: Duration,
    cpu: Duration,
    p50: Duration,
    p99: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:.0} steps/s, {:.1} µs CPU a step, an execution p50 {:?} p99 {:?}",
            self.steps / self.wall.as_secs_f64(),
            self.cpu.as_secs_f64() * 1e6 / self.steps,
            self.p50,
            self.p99,
        )
    }
}

/// Runs `executions` of [`TenSteps`], `at_once` at a time: in a new SQLite file at `place`, or in memory.
pub(crate) async fn run(place: Option<&Path>, at_once: u64, executions: u64) -> Result<Figures, Error> {
    let builder = match place {
        Some(path) => Engine::sqlite(path),
        None => Engine::in_memory(),
    };
    let engine = Arc::new(builder.workflow(TenSteps).max_active(1_024).start().await?);
    let next = Arc::new(AtomicU64::new(0));
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let callers: Vec<_> =
        (0..at_once).map(|_| tokio::spawn(call(Arc::clone(&engine), Arc::clone(&next), executions))).collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await??);
    }
    let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
    times.sort();
    let percentile = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let percentile = |percent| percentile(percent).copied().unwrap_or_default();
    let steps = executions as f64 * f64::from(STEPS);
    engine.shutdown().await?;
    Ok(Figures { steps, wall, cpu, p50: percentile(50), p99: percentile(99) })
}

async fn call(engine: Arc<Engine>, next: Arc<AtomicU64>, executions: u64) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= executions {
            return Ok(times);
        }
        let begin = Instant::now();
        let execution = engine.start::<TenSteps>(format!("e-{number}"), Adding { first: number }).await?;
        let TenStepsOutcome::Added(Added { sum }) = execution.outcome().await?;
        if sum != number + 45 {
            return Err(Error::msg(format!("the sum of execution {number} is {sum}")));
        }
        times.push(begin.elapsed());
    }
}
