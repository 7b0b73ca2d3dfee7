//! Ten durable steps in sequence an execution, some executions at a time.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::store::Store;
use workflow_runtime::{Engine, Error, MemoryStore, SqliteStore};

use super::Setting;
use crate::figures::{Figure, Report};
use crate::limit::{self, Log};
use crate::measure::{Percentiles, millis};
use crate::options::Size;
use crate::peers;
use crate::places::Place;
use crate::probe::{self, probe};
use crate::slices::{Numbers, Slice, Slices, slice};
use crate::workloads::{Added, Adding, TenSteps, TenStepsOutcome};

const STEPS: u64 = 10;

/// Executions at a time.
fn at_once(size: Size) -> [u64; 3] {
    size.pick([1, 100, 1_000], [1, 100, 1_000], [1, 2, 10])
}

/// How often those that are compared take turns, and for how long each: a disk that gives a few fast syncs and then slow ones
/// is to treat both alike, so turns are short there.
fn turns(size: Size, at_once: u64, is_disk: bool) -> (u32, Duration) {
    let (turns, millis) = match (is_disk, at_once) {
        (true, 1) => size.pick((100, 40), (30, 40), (1, 20)),
        (true, 100) => size.pick((20, 200), (6, 200), (1, 20)),
        _ => size.pick((5, 800), (3, 300), (1, 20)),
    };
    (turns, Duration::from_millis(millis))
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    for at_once in at_once(setting.size) {
        in_memory(setting, report, at_once).await?;
    }
    if setting.places.memory.is_none() {
        report.note("there is no memory-backed file system, so what the software costs is hidden by the disk");
    }
    let peers = match peers::Program::find(setting.peers) {
        Ok(peers) => Some(peers),
        Err(missing) => {
            report.note(format!("no figures of duroxide: {missing:#}"));
            None
        }
    };
    for place in setting.places.all() {
        for at_once in at_once(setting.size) {
            let rate = on_sqlite(setting, report, place, at_once).await?;
            if let Some(peers) = peers.as_ref().filter(|_| at_once <= 100) {
                beside_duroxide(setting, report, peers, (place, at_once), rate)?;
            }
        }
    }
    Ok(())
}

/// A thousand at a time would take duroxide minutes.
fn beside_duroxide(
    setting: &Setting,
    report: &mut Report,
    peers: &peers::Program,
    (place, at_once): (&Place, u64),
    rate: f64,
) -> Result<(), Error> {
    let executions = setting.size.pick(at_once.max(20), at_once.max(5), 2);
    let measured = peers.duroxide(place, at_once.min(executions), executions)?;
    let variant = format!("duroxide {}, {at_once} at a time", place.name);
    report.add(Figure::new(&variant, "rate", measured.steps_per_second, "steps/s"));
    report.add(Figure::new(&variant, "execution p50", measured.p50_millis, "ms"));
    report.add(Figure::new(&variant, "execution p99", measured.p99_millis, "ms"));
    report.add(Figure::new(&variant, "CPU", measured.cpu_micros_per_step, "µs a step"));
    let variant = format!("SQLite {}, {at_once} at a time", place.name);
    let beside = Figure::new(&variant, "rate", rate, "steps/s").beside("duroxide", rate / measured.steps_per_second);
    report.add(if at_once == 100 { beside.ratio_at_least(100.0) } else { beside });
    Ok(())
}

/// An engine, and the numbers that its executions have.
#[derive(Clone)]
struct Runner {
    engine: Engine,
    numbers: Numbers,
}

impl Runner {
    async fn new(store: Arc<dyn Store>) -> Result<Self, Error> {
        let engine = Engine::on(store).workflow(TenSteps).max_active(1_024).start().await?;
        Ok(Self { engine, numbers: Numbers::default() })
    }

    async fn slice(&self, at_once: u64, length: Duration) -> Result<Slice, Error> {
        let engine = self.engine.clone();
        slice(at_once, length, &self.numbers, move |number| {
            let engine = engine.clone();
            async move { execute(&engine, number).await }
        })
        .await
    }
}

async fn execute(engine: &Engine, number: u64) -> Result<(), Error> {
    let execution = engine.start::<TenSteps>(format!("e-{number}"), Adding { first: number }).await?;
    let TenStepsOutcome::Added(Added { sum }) = execution.outcome().await?;
    match sum == number + 45 {
        true => Ok(()),
        false => Err(Error::msg(format!("the sum of execution {number} is {sum}"))),
    }
}

async fn in_memory(setting: &Setting, report: &mut Report, at_once: u64) -> Result<(), Error> {
    let runner = Runner::new(Arc::new(MemoryStore::new())).await?;
    let (turns, length) = turns(setting.size, at_once, false);
    runner.slice(at_once, length / 4).await?;
    let mut slices = Slices::default();
    for _ in 0..turns {
        slices.push(runner.slice(at_once, length).await?);
    }
    let variant = format!("memory store, {at_once} at a time");
    report.add(rate(&variant, &slices));
    add_costs(report, &variant, &slices, at_once, None);
    Ok(runner.engine.shutdown().await?)
}

/// Says how many steps a second it does.
async fn on_sqlite(setting: &Setting, report: &mut Report, place: &Place, at_once: u64) -> Result<f64, Error> {
    let scratch = place.scratch()?;
    let store = Arc::new(SqliteStore::open(scratch.path().join("store.db"))?);
    let runner = Runner::new(Arc::clone(&store) as Arc<dyn Store>).await?;
    let log = Log::create(&scratch.path().join("log"))?;
    let logged = Numbers::default();
    let (turns, length) = turns(setting.size, at_once, place.is_disk);
    let (mut engine, mut limit) = (Slices::default(), Slices::default());
    runner.slice(at_once, length / 4).await?;
    let before = probe(place, setting.size)?;
    for _ in 0..turns {
        limit.push(limit_slice(&log, &logged, at_once, length).await?);
        let synced = syncs(&store);
        let mut slice = runner.slice(at_once, length).await?;
        slice.syncs = Some(syncs(&store) - synced);
        engine.push(slice);
    }
    let after = probe(place, setting.size)?;
    runner.engine.shutdown().await?;

    let of_limit = format!("limit {}, {at_once} at a time", place.name);
    report.add(rate(&of_limit, &limit));
    add_costs(report, &of_limit, &limit, at_once, None);
    let variant = format!("SQLite {}, {at_once} at a time", place.name);
    let of_rate = rate(&variant, &engine).beside("the limit", engine.ratio(&limit));
    report.add(match (at_once, place.is_disk) {
        (1, true) => of_rate.ratio_at_least(0.5),
        (1, false) => of_rate.at_least(10_000.0),
        (100, false) => of_rate.at_least(100_000.0),
        _ => of_rate,
    });
    add_costs(report, &variant, &engine, at_once, Some(&limit));
    probe::add(report, &variant, [before, after]);
    Ok(engine.rate() * STEPS as f64)
}

/// How often the store has waited for the disk: for its log, and for the log and the file when it moves the one into the
/// other.
fn syncs(store: &SqliteStore) -> u64 {
    let stats = store.stats();
    stats.groups + 2 * stats.checkpoints
}

async fn limit_slice(log: &Log, numbers: &Numbers, at_once: u64, length: Duration) -> Result<Slice, Error> {
    let log = log.clone();
    slice(at_once, length, numbers, move |number| {
        let log = log.clone();
        async move { limit::execute(&log, number, STEPS).await }
    })
    .await
}

fn rate(variant: &str, slices: &Slices) -> Figure {
    Figure::new(variant, "rate", slices.rate() * STEPS as f64, "steps/s")
}

/// What an execution takes; `limit` is there for the durable engine alone, which has bars to reach.
fn add_costs(report: &mut Report, variant: &str, slices: &Slices, at_once: u64, limit: Option<&Slices>) {
    let Percentiles { p50, p99 } = Percentiles::of(slices.times());
    report.add(Figure::new(variant, "execution p50", millis(p50), "ms"));
    let p99 = Figure::new(variant, "execution p99", millis(p99), "ms").beside("p50", p99.div_duration_f64(p50));
    report.add(match (at_once, limit) {
        (100, Some(_)) => p99.ratio_at_most(3.0),
        _ => p99,
    });
    let cpu = Figure::new(variant, "CPU", slices.cpu() * 1e6 / STEPS as f64, "µs a step");
    report.add(match (at_once, limit) {
        (100, Some(limit)) => cpu.beside("the limit", slices.cpu() / limit.cpu()).at_most(10.0),
        (_, Some(limit)) => cpu.beside("the limit", slices.cpu() / limit.cpu()),
        (_, None) => cpu,
    });
    if let Some(syncs) = slices.syncs() {
        let syncs = Figure::new(variant, "syncs", syncs / STEPS as f64, "a step");
        report.add(match (at_once, limit) {
            (1, Some(_)) => syncs.at_most(1.15),
            (100, Some(_)) => syncs.at_most(0.05),
            _ => syncs,
        });
    }
}
