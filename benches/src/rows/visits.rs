//! One execution with very many visits: what a visit costs at the end, against at the beginning.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::sync::{Mutex, Semaphore, mpsc};
use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, EngineBuilder, Execution};

use super::Setting;
use crate::figures::{Figure, Report};
use crate::measure::{median, micros, size_on_disk};

/// The rows of history that are kept where it is trimmed.
const KEPT: u64 = 100;

/// One visit of many.
#[state]
struct Counting {
    visit: u64,
    last: u64,
}

/// The last one is over.
#[state(end)]
struct Counted;

/// Goes from visit to visit, with one step in each.
struct Counter {
    gate: Arc<Gate>,
}

#[workflow(start = Counting, allow(small_machine, fragile_step))]
impl Counter {
    #[state]
    async fn counting(&self, cx: &Cx, counting: Counting) -> Result<Next<(Counting, Counted)>> {
        self.pass(cx, counting.visit).await?;
        match counting.visit < counting.last {
            true => Ok(goto(Counting { visit: counting.visit + 1, last: counting.last })),
            false => Ok(goto(Counted)),
        }
    }

    #[step]
    async fn pass(&self, _: &Cx, visit: u64) -> Result<u64> {
        self.gate.pass().await?;
        Ok(visit)
    }
}

/// Lets a step through when it is told to.
#[derive(Debug)]
struct Gate {
    permits: Semaphore,
    arrivals: mpsc::UnboundedSender<()>,
}

impl Gate {
    async fn pass(&self) -> Result<(), Error> {
        self.arrivals.send(())?;
        self.permits.acquire().await?.forget();
        Ok(())
    }
}

/// An execution that is taken from visit to visit.
struct Walk {
    gate: Arc<Gate>,
    arrivals: Mutex<mpsc::UnboundedReceiver<()>>,
    engine: Engine,
    execution: Execution<Counter>,
}

/// What visits have cost, one by one, in µs.
#[derive(Default)]
struct Costs {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Walk {
    /// Begins an execution of so many visits, and waits for it to stand at the gate of the first.
    async fn begin(engine: EngineBuilder, visits: u64) -> Result<Self, Error> {
        let (arrive, arrivals) = mpsc::unbounded_channel();
        let gate = Arc::new(Gate { permits: Semaphore::new(0), arrivals: arrive });
        // One that is left at a gate is not waited for.
        let engine = engine.drain_timeout(Duration::ZERO).workflow(Counter { gate: Arc::clone(&gate) }).start().await?;
        let execution = engine.start::<Counter>(format!("walk-{visits}"), Counting { visit: 1, last: visits }).await?;
        let walk = Self { gate, arrivals: Mutex::new(arrivals), engine, execution };
        walk.arrive(1).await?;
        Ok(walk)
    }

    async fn arrive(&self, times: u64) -> Result<(), Error> {
        let mut arrivals = self.arrivals.lock().await;
        for _ in 0..times {
            arrivals.recv().await.ok_or_else(|| Error::msg("the execution is gone"))?;
        }
        Ok(())
    }

    /// From the gate of one visit to that of another, so many further.
    async fn walk(&self, visits: u64) -> Result<(), Error> {
        self.gate.permits.add_permits(usize::try_from(visits)?);
        self.arrive(visits).await
    }

    async fn measure(&self, costs: &mut Costs) -> Result<(), Error> {
        let (cpu, wall) = (ProcessTime::now(), Instant::now());
        self.walk(1).await?;
        let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
        costs.wall.push(micros(wall));
        costs.cpu.push(micros(cpu));
        Ok(())
    }

    /// Past the last gate.
    async fn end(self) -> Result<(), Error> {
        self.gate.permits.add_permits(1);
        self.execution.outcome().await?;
        Ok(self.engine.shutdown().await?)
    }
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let (visits, compared) = setting.size.pick((100_000, 1_000), (5_000, 500), (40, 10));
    let place = setting.places.fastest();
    let scratch = place.scratch()?;
    let (long, fresh) = (scratch.path().join("long.db"), scratch.path().join("fresh.db"));

    let walk = Walk::begin(Engine::sqlite(&long), visits).await?;
    let begun = Instant::now();
    walk.walk(visits - compared - 1).await?;
    let rate = (visits - compared - 1) as f64 / begun.elapsed().as_secs_f64();
    // The first visits of another execution, in turn with the last ones of this, so that noise strikes both.
    // Its store has got over its first pages by then, as any store has in its life.
    let before = Walk::begin(Engine::sqlite(&fresh), visits / 20 + 1).await?;
    before.walk(visits / 20).await?;
    before.end().await?;
    let other = Walk::begin(Engine::sqlite(&fresh), visits).await?;
    let (mut first, mut last) = (Costs::default(), Costs::default());
    for pair in 0..compared {
        if pair.is_multiple_of(2) {
            other.measure(&mut first).await?;
            walk.measure(&mut last).await?;
        } else {
            walk.measure(&mut last).await?;
            other.measure(&mut first).await?;
        }
    }
    walk.end().await?;
    other.engine.shutdown().await?;

    let variant = format!("SQLite {}, {visits} visits", place.name);
    report.add(Figure::new(&variant, "rate", rate, "visits/s"));
    add_costs(report, &variant, first, last, compared);
    let kept = size_on_disk(&long)?;
    report.add(Figure::new(&variant, "store size, history kept", kept / 1e6, "MB"));
    let trimmed = scratch.path().join("trimmed.db");
    let walk = Walk::begin(Engine::sqlite(&trimmed).keep_history(KEPT), visits).await?;
    walk.walk(visits - 1).await?;
    walk.end().await?;
    let trimmed = size_on_disk(&trimmed)?;
    let figure = Figure::new(&variant, format!("store size, {KEPT} rows of history kept"), trimmed / 1e6, "MB");
    report.add(figure.beside("all of it", trimmed / kept));
    Ok(())
}

fn add_costs(report: &mut Report, variant: &str, first: Costs, last: Costs, compared: u64) {
    for (what, first, last) in [("CPU", first.cpu, last.cpu), ("wall", first.wall, last.wall)] {
        let (first, last) = (median(first), median(last));
        report.add(Figure::new(variant, format!("{what} of the first {compared}, median"), first, "µs a visit"));
        let last = Figure::new(variant, format!("{what} of the last {compared}, median"), last, "µs a visit")
            .beside("the first", last / first);
        report.add(last.ratio_at_most(1.05));
    }
}
