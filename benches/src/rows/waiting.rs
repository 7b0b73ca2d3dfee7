//! Very many executions that wait for an event or for a time.

use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use workflow_runtime::prelude::*;
use workflow_runtime::{Clock as _, Engine, SystemClock, Timestamp};

use super::Setting;
use crate::child::{self, argument, now};
use crate::figures::{Figure, Report};
use crate::measure::{Percentiles, memory, micros, millis, size_on_disk};
use crate::places::Place;

const FILL: &str = "waiting-fill";
const SERVE: &str = "waiting-serve";

/// Waits for an event, however long that takes.
#[state]
struct Listening {
    number: u64,
}

/// The event.
#[event]
struct Called {
    by: u64,
}

/// It came.
#[state(end)]
struct Answered {
    by: u64,
}

/// Waits for an event.
struct Listener;

#[workflow(start = Listening, allow(endless_wait))]
impl Listener {
    #[on]
    fn called(&self, _: Listening, called: Called) -> Answered {
        Answered { by: called.by }
    }
}

/// Waits for a time.
#[state]
struct Asleep {
    number: u64,
    until: Timestamp,
}

/// The time has come.
#[state(end)]
struct Awake;

/// Waits for a time, and counts those for which it has come.
struct Sleeper {
    awake: Arc<AtomicU64>,
}

#[workflow(start = Asleep)]
impl Sleeper {
    #[at(until)]
    fn wake(&self, _: Asleep) -> Awake {
        self.awake.fetch_add(1, Ordering::Relaxed);
        Awake
    }
}

/// What the process says that starts them.
#[derive(Serialize, Deserialize)]
struct Filled {
    memory_before: f64,
    memory_after: f64,
    /// Until the last start was on disk, and until all of them wait.
    started: Duration,
    settled: Duration,
    /// The bytes of the states' data.
    data: u64,
}

/// What the process says that goes on with them.
#[derive(Serialize, Deserialize)]
struct Served {
    begun: Duration,
    /// When the engine had been started, and when it had answered one event.
    engine_started: Duration,
    first_answer: Duration,
    cpu_of_start: Duration,
    memory: f64,
    sent: [Duration; 2],
    answered: [Duration; 2],
    woken: u64,
    /// From the time at which they are due to the last of them.
    woke: Duration,
    cpu_of_waking: Duration,
    /// The same while somebody counts all executions again and again, and somebody else asks for each outcome.
    woke_watched: Duration,
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let (waiting, woken) = setting.size.pick((1_000_000, 10_000), (20_000, 1_000), (200, 20));
    let place = setting.places.fastest();
    // What a process has with next to nothing waiting.
    let few = serve(place, (waiting / 1_000).max(20), 1)?.1;
    let scratch = place.scratch()?;
    let store = scratch.path().join("store.db");
    let filled = fill(&store, waiting)?;
    let disk = size_on_disk(&store)?;
    let served = serve_store(&store, waiting, woken)?;
    let variant = format!("SQLite {}, {waiting} waiting", place.name);
    let add = |what: &str, value: f64, unit| Figure::new(&variant, what, value, unit);
    let each = |bytes: f64| bytes / waiting as f64;
    let since = |time: Duration| millis(time.saturating_sub(served.begun));
    let figures = [
        add("started", waiting as f64 / filled.started.as_secs_f64(), "a second"),
        add("until all wait", filled.settled.as_secs_f64(), "s"),
        add("memory, in the process that started them", each(filled.memory_after - filled.memory_before), "bytes each"),
        add("memory, after a restart", each(served.memory - few.memory), "bytes each"),
        add("disk beyond the data of the states", each(disk - filled.data as f64), "bytes each"),
        add("start of the engine, from the start of the process", since(served.engine_started), "ms"),
        add("first event answered, from the start of the process", since(served.first_answer), "ms"),
        add("CPU until then", millis(served.cpu_of_start), "ms"),
        add("event on disk, p50", micros(served.sent[0]), "µs"),
        add("event on disk, p99", micros(served.sent[1]), "µs"),
        add("event to outcome, p50", micros(served.answered[0]), "µs"),
        add("event to outcome, p99", micros(served.answered[1]), "µs"),
        add("due at one second", served.woken as f64, "executions"),
        add("until all of these have ended", millis(served.woke), "ms"),
        add("the same while somebody counts and asks for each", millis(served.woke_watched), "ms"),
        add("CPU for that", micros(served.cpu_of_waking) / served.woken as f64, "µs each"),
    ];
    for figure in figures {
        report.add(match figure.what() {
            // With few, what an engine has anyway would be shared out among them.
            _ if waiting < 1_000_000 => figure,
            what if what.starts_with("memory") => figure.at_most(50.0),
            what if what.starts_with("disk") => figure.at_most(400.0),
            what if what.starts_with("first event answered") => figure.at_most(1_000.0),
            _ => figure,
        });
    }
    Ok(())
}

fn fill(store: &Path, waiting: u64) -> Result<Filled, Error> {
    let number = waiting.to_string();
    let arguments: [&OsStr; 2] = [store.as_ref(), number.as_ref()];
    child::said(child::spawn(FILL, &arguments)?)
}

fn serve_store(store: &Path, waiting: u64, woken: u64) -> Result<Served, Error> {
    let (begun, waiting, woken) = (now().as_nanos().to_string(), waiting.to_string(), woken.to_string());
    let arguments: [&OsStr; 4] = [store.as_ref(), waiting.as_ref(), woken.as_ref(), begun.as_ref()];
    child::said(child::spawn(SERVE, &arguments)?)
}

fn serve(place: &Place, waiting: u64, woken: u64) -> Result<(Filled, Served), Error> {
    let scratch = place.scratch()?;
    let store = scratch.path().join("store.db");
    Ok((fill(&store, waiting)?, serve_store(&store, waiting, woken)?))
}

/// The processes that this row starts.
pub(crate) async fn child(name: &str, arguments: &[String]) -> Option<Result<(), Error>> {
    match name {
        FILL => Some(fill_store(arguments).await),
        SERVE => Some(go_on(arguments).await),
        _ => None,
    }
}

async fn start(store: &str, awake: &Arc<AtomicU64>) -> Result<Engine, Error> {
    let sleeper = Sleeper { awake: Arc::clone(awake) };
    Ok(Engine::sqlite(store).workflow(Listener).workflow(sleeper).start().await?)
}

/// Nothing runs any more; the time is when that began.
async fn settled(engine: &Engine) -> Instant {
    const LOOKS: u32 = 5;
    loop {
        let begun = Instant::now();
        let mut looks = 0;
        while engine.active() == 0 && looks < LOOKS {
            looks += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if looks == LOOKS {
            return begun;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn fill_store(arguments: &[String]) -> Result<(), Error> {
    const DAY: Duration = Duration::from_secs(86_400);
    let waiting: u64 = argument(arguments, 1)?.parse()?;
    let engine = start(argument(arguments, 0)?, &Arc::default()).await?;
    settled(&engine).await;
    let memory_before = memory()?;
    let begun = Instant::now();
    let far = SystemClock.now() + 30 * DAY;
    let listening = |number| Listening { number };
    let asleep = |number: u64| Asleep { number, until: far + Duration::from_secs(number % 86_400) };
    let half = waiting / 2;
    engine.start_all::<Listener, _>((0..half).map(|number| (format!("l-{number}"), listening(number)))).await?;
    engine.start_all::<Sleeper, _>((half..waiting).map(|number| (format!("s-{number}"), asleep(number)))).await?;
    let started = begun.elapsed();
    let settled = settled(&engine).await.duration_since(begun);
    // What is still on its way back to the system.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let memory_after = memory()?;
    let listening = (0..half).map(|number| serde_json::to_string(&listening(number)));
    let asleep = (half..waiting).map(|number| serde_json::to_string(&asleep(number)));
    let data = listening.chain(asleep).map(|data| data.map(|data| data.len() as u64)).sum::<Result<_, _>>()?;
    engine.shutdown().await?;
    child::say(&Filled { memory_before, memory_after, started, settled, data })
}

async fn go_on(arguments: &[String]) -> Result<(), Error> {
    let waiting: u64 = argument(arguments, 1)?.parse()?;
    let woken = argument(arguments, 2)?.parse()?;
    let begun = Duration::from_nanos(argument(arguments, 3)?.parse()?);
    let awake = Arc::default();
    let engine = start(argument(arguments, 0)?, &awake).await?;
    let engine_started = now();
    let mut latencies = Latencies::default();
    latencies.call(&engine, 0).await?;
    let first_answer = now();
    let cpu_of_start = ProcessTime::try_now()?.as_duration();
    settled(&engine).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let memory = memory()?;
    let mut latencies = Latencies::default();
    for number in 1..(waiting / 4).clamp(2, 1_000) {
        // From everywhere in the store.
        latencies.call(&engine, number.wrapping_mul(7_919) % (waiting / 2 - 1) + 1).await?;
    }
    let [sent, answered] = [latencies.sent, latencies.answered].map(Percentiles::of);
    let (woke, cpu_of_waking) = wake(&engine, &awake, 0..woken).await?;
    let (woke_watched, _) = {
        let _watching = watch(&engine, woken..2 * woken);
        wake(&engine, &awake, woken..2 * woken).await?
    };
    engine.shutdown().await?;
    child::say(&Served {
        begun,
        engine_started,
        first_answer,
        cpu_of_start,
        memory,
        sent: [sent.p50, sent.p99],
        answered: [answered.p50, answered.p99],
        woken,
        woke,
        cpu_of_waking,
        woke_watched,
    })
}

/// How long it takes until an event is on disk, and until its execution has ended.
#[derive(Default)]
struct Latencies {
    sent: Vec<Duration>,
    answered: Vec<Duration>,
}

impl Latencies {
    async fn call(&mut self, engine: &Engine, number: u64) -> Result<(), Error> {
        let begun = Instant::now();
        let listener = engine.execution::<Listener>(format!("l-{number}"))?;
        if !matches!(listener.state().await?, ListenerState::Listening(_)) {
            return Ok(());
        }
        listener.send(Called { by: number }).await?;
        self.sent.push(begun.elapsed());
        let ListenerOutcome::Answered(Answered { by }) = listener.outcome().await?;
        if by != number {
            return Err(Error::msg(format!("listener {number} was called by {by}")));
        }
        self.answered.push(begun.elapsed());
        Ok(())
    }
}

/// Counts all executions again and again, and asks for the outcome of each of these, until it is dropped.
fn watch(engine: &Engine, executions: Range<u64>) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    let counting = engine.clone();
    watching.spawn(async move { while counting.counts::<Sleeper>().await.is_ok() {} });
    let asking = engine.clone();
    watching.spawn(async move {
        let mut outcomes = JoinSet::new();
        for number in executions {
            let engine = asking.clone();
            outcomes.spawn(async move {
                let Ok(sleeper) = engine.execution::<Sleeper>(format!("w-{number}")) else { return };
                // It may not have been started yet.
                while sleeper.outcome().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        outcomes.join_all().await;
    });
    watching
}

/// Has so many executions be due at one time, and says how long it takes from then until the last has ended.
async fn wake(engine: &Engine, awake: &AtomicU64, executions: Range<u64>) -> Result<(Duration, Duration), Error> {
    let (clock, number) = (SystemClock, u32::try_from(executions.end - executions.start)?);
    let until = clock.now() + Duration::from_millis(500) + Duration::from_micros(200) * number;
    let asleep = executions.clone().map(|number| (format!("w-{number}"), Asleep { number, until }));
    engine.start_all::<Sleeper, _>(asleep).await?;
    settled(engine).await;
    if clock.now() >= until {
        return Err(Error::msg("it took too long to start those that were to be woken"));
    }
    clock.sleep_until(until).await;
    let (cpu, begun) = (ProcessTime::now(), Instant::now());
    while awake.load(Ordering::Relaxed) < executions.end || engine.active() > 0 {
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    let (woke, cpu) = (begun.elapsed(), cpu.elapsed());
    for number in executions {
        engine.execution::<Sleeper>(format!("w-{number}"))?.outcome().await?;
    }
    Ok((woke, cpu))
}
