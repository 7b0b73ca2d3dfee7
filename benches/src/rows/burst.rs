//! Ten times as much as can be done for a while, then a load that is easy: nothing is lost, and memory stays bounded.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, Status};

use super::Setting;
use crate::child::{self, argument};
use crate::figures::{Figure, Report};
use crate::measure::memory;
use crate::slices::{Numbers, Slice, Slices, slice};

const BURST: &str = "burst";
const STEPS: u64 = 10;

/// Those that start executions at once, and how many each starts in one call.
const CALLERS: u64 = 16;
const IN_ONE_CALL: u64 = 100;

/// Work that came in.
#[state]
struct Accepted {
    number: u64,
}

/// It is done.
#[state(end)]
struct Finished {
    sum: u64,
}

/// Ten steps, and a count of those that were the last.
struct Work {
    finished: Arc<AtomicU64>,
}

#[workflow(start = Accepted, allow(small_machine, fragile_step))]
impl Work {
    #[state]
    async fn accepted(&self, cx: &Cx, accepted: Accepted) -> Result<Finished> {
        let mut sum = accepted.number;
        for step in 0..STEPS {
            sum = self.work(cx, sum, step).await?;
        }
        Ok(Finished { sum })
    }

    #[step]
    async fn work(&self, _: &Cx, sum: u64, step: u64) -> Result<u64> {
        if step == STEPS - 1 {
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
        Ok(sum + step)
    }
}

/// What the process says that goes through the burst.
#[derive(Serialize, Deserialize)]
struct Burst {
    /// Executions a second: what can be done for long, what was asked for in the burst, and what was taken in.
    sustainable: f64,
    offered: f64,
    accepted: f64,
    /// The most that had been started and not finished.
    backlog: u64,
    memory_before: f64,
    memory_at_most: f64,
    drained: Duration,
    /// Executions that have ended a second, and the CPU seconds of each: of direct starts before and after, and while what
    /// waited was drained.
    direct: [f64; 2],
    draining: [f64; 2],
    started: u64,
    ended: u64,
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let place = setting.places.fastest();
    let scratch = place.scratch()?;
    let store = scratch.path().join("store.db");
    let length = setting.size.pick(10_000, 1_000, 50).to_string();
    let arguments: [&OsStr; 2] = [store.as_ref(), length.as_ref()];
    let burst: Burst = child::said(child::spawn(BURST, &arguments)?)?;
    let variant = format!("SQLite {}, {} s", place.name, length.parse::<f64>()? / 1e3);
    let grown = burst.memory_at_most - burst.memory_before;
    let ([rate, cpu], [direct_rate, direct_cpu]) = (burst.draining, burst.direct);
    let figures = [
        ("sustainable", burst.sustainable, "executions/s"),
        ("asked for in the burst", burst.offered, "executions/s"),
        ("taken in", burst.accepted, "executions/s"),
        ("most that waited", burst.backlog as f64, "executions"),
        ("memory before", burst.memory_before / 1e6, "MB"),
        ("memory at most", burst.memory_at_most / 1e6, "MB"),
        ("more memory, for each that waited", grown / burst.backlog as f64, "bytes"),
        ("time to drain, under half the sustainable load", burst.drained.as_secs_f64(), "s"),
        ("ended while it was drained", rate, "executions/s"),
        ("CPU while it was drained", cpu * 1e6, "µs an execution"),
    ];
    for (what, value, unit) in figures {
        let figure = Figure::new(&variant, what, value, unit);
        report.add(match what {
            "taken in" => figure.beside("the sustainable rate", burst.accepted / burst.sustainable),
            "ended while it was drained" => figure.beside("direct starts before and after", rate / direct_rate),
            "CPU while it was drained" => figure.beside("direct starts before and after", cpu / direct_cpu),
            _ => figure,
        });
    }
    let lost = burst.started - burst.ended.min(burst.started);
    report.add(Figure::new(&variant, "lost", lost as f64, "executions").at_most(0.0));
    Ok(())
}

/// The process that this row starts.
pub(crate) async fn child(name: &str, arguments: &[String]) -> Option<Result<(), Error>> {
    match name {
        BURST => Some(burst(arguments).await),
        _ => None,
    }
}

/// What those that start executions share.
#[derive(Clone)]
struct Load {
    engine: Engine,
    numbers: Numbers,
    finished: Arc<AtomicU64>,
}

impl Load {
    fn started(&self) -> u64 {
        self.numbers.load(Ordering::Relaxed)
    }

    fn ended(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    fn backlog(&self) -> u64 {
        self.started().saturating_sub(self.ended())
    }

    /// As many executions as can be done for long, each started by itself.
    async fn start_directly(&self, length: Duration) -> Result<Slice, Error> {
        let engine = self.engine.clone();
        let execution = move |number| {
            let engine = engine.clone();
            async move {
                let execution = engine.start::<Work>(format!("e-{number}"), Accepted { number }).await?;
                let WorkOutcome::Finished(Finished { sum }) = execution.outcome().await?;
                match sum == number + 45 {
                    true => Ok(()),
                    false => Err(Error::msg(format!("the sum of {number} is {sum}"))),
                }
            }
        };
        slice(100, length, &self.numbers, execution).await
    }

    /// Starts executions at `rate`, or as fast as the engine takes them, while `on`.
    async fn start_all(&self, rate: f64, on: impl Fn() -> bool + Clone + Send + 'static) -> Result<(), Error> {
        let begun = Instant::now();
        let pace = Duration::from_secs_f64((CALLERS * IN_ONE_CALL) as f64 / rate);
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (load, on) = (self.clone(), on.clone());
                tokio::spawn(async move {
                    let mut calls = 0;
                    while on() {
                        let first = load.numbers.fetch_add(IN_ONE_CALL, Ordering::Relaxed);
                        let numbers = first..first + IN_ONE_CALL;
                        let executions = numbers.map(|number| (format!("e-{number}"), Accepted { number }));
                        load.engine.start_all::<Work, _>(executions).await?;
                        calls += 1;
                        // Whoever is behind does not wait.
                        tokio::time::sleep_until((begun + pace * calls).into()).await;
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for caller in callers {
            caller.await??;
        }
        Ok(())
    }
}

/// Looks at the memory of this process until it is told to stop.
struct Watch {
    on: Arc<AtomicBool>,
    most: Arc<Mutex<f64>>,
}

impl Watch {
    fn begin() -> Self {
        let (on, most) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(0.0)));
        let (still_on, seen) = (Arc::clone(&on), Arc::clone(&most));
        thread::spawn(move || {
            while still_on.load(Ordering::Relaxed) {
                let now = memory().unwrap_or(f64::NAN);
                let mut most = seen.lock().unwrap_or_else(PoisonError::into_inner);
                *most = f64::max(*most, now);
                drop(most);
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self { on, most }
    }

    fn end(self) -> f64 {
        self.on.store(false, Ordering::Relaxed);
        *self.most.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn burst(arguments: &[String]) -> Result<(), Error> {
    let length = Duration::from_millis(argument(arguments, 1)?.parse()?);
    let finished = Arc::default();
    let work = Work { finished: Arc::clone(&finished) };
    let engine = Engine::sqlite(argument(arguments, 0)?).workflow(work).start().await?;
    let load = Load { engine, numbers: Numbers::default(), finished };
    load.start_directly(length / 10).await?;
    let mut direct = Slices::default();
    direct.push(load.start_directly(length / 5).await?);
    let sustainable = direct.rate();
    let memory_before = memory()?;

    let (watch, before, begun) = (Watch::begin(), load.started(), Instant::now());
    load.start_all(10.0 * sustainable, move || begun.elapsed() < length).await?;
    let accepted = (load.started() - before) as f64 / begun.elapsed().as_secs_f64();
    let backlog = load.backlog();
    let (drain, cpu, ended_before) = (Instant::now(), ProcessTime::now(), load.ended());
    // As good as drained: what is left is what the easy load has going.
    let (easy, enough) = (sustainable / 2.0, (sustainable / 10.0) as u64 + 2 * CALLERS * IN_ONE_CALL);
    let looking = load.clone();
    // A machine that has got slower meanwhile may find it hard all the same.
    load.start_all(easy, move || looking.backlog() > enough && drain.elapsed() < 30 * length).await?;
    let (drained, cpu, ended) = (drain.elapsed(), cpu.elapsed(), (load.ended() - ended_before) as f64);
    // There may have been nothing to drain.
    let draining = [ended / drained.as_secs_f64(), cpu.as_secs_f64() / ended.max(1.0)];
    let memory_at_most = watch.end();

    let mut ended = 0;
    let patience = Instant::now();
    while ended < load.started() && patience.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let counts = load.engine.counts::<Work>().await?;
        ended = counts.iter().filter(|count| count.status == Status::Ended).map(|count| count.count).sum();
    }
    let started = load.started();
    direct.push(load.start_directly(length / 5).await?);
    load.engine.shutdown().await?;
    child::say(&Burst {
        sustainable,
        offered: 10.0 * sustainable,
        accepted,
        backlog,
        memory_before,
        memory_at_most,
        drained,
        direct: [direct.rate(), direct.cpu()],
        draining,
        started,
        ended,
    })
}
