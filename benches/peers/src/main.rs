//! Ten durable steps in sequence, done by duroxide on SQLite: what it takes is printed as JSON.
//!
//! `workflow-bench-peers FILE AT_ONCE EXECUTIONS`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus};
use serde::Serialize;

const STEPS: u64 = 10;

/// Longer than any execution that goes on at all.
const PATIENCE: Duration = Duration::from_secs(120);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What was measured.
#[derive(Serialize)]
struct Measured {
    steps_per_second: f64,
    cpu_micros_per_step: f64,
    p50_millis: f64,
    p99_millis: f64,
}

/// As in the program whose figures stand beside these.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().ok_or("usage: workflow-bench-peers FILE AT_ONCE EXECUTIONS");
    let (file, at_once, executions) = (argument()?, argument()?.parse()?, argument()?.parse()?);
    let measured = duroxide(&file, at_once, executions).await?;
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn duroxide(file: &str, at_once: u64, executions: u64) -> Result<Measured> {
    let store = Arc::new(SqliteProvider::new(&format!("sqlite:{file}?mode=rwc"), None).await?);
    let activities = ActivityRegistry::builder().register("Add", add).build();
    let orchestrations = OrchestrationRegistry::builder().register("TenSteps", ten_steps).build();
    // The default of 100 ms would measure nothing but that.
    let options = RuntimeOptions { dispatcher_min_poll_interval: Duration::from_millis(1), ..RuntimeOptions::default() };
    let runtime = Runtime::start_with_options(store.clone(), activities, orchestrations, options).await;
    let client = Arc::new(Client::new(store));

    let numbers = Arc::new(AtomicU64::new(0));
    let (cpu, begun) = (ProcessTime::now(), Instant::now());
    let callers: Vec<_> =
        (0..at_once).map(|_| tokio::spawn(call(Arc::clone(&client), Arc::clone(&numbers), executions))).collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await??);
    }
    let (wall, cpu) = (begun.elapsed(), cpu.elapsed());
    runtime.shutdown(None).await;

    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
    let millis = |percent| at(percent).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let steps = (executions * STEPS) as f64;
    Ok(Measured {
        steps_per_second: steps / wall.as_secs_f64(),
        cpu_micros_per_step: cpu.as_secs_f64() * 1e6 / steps,
        p50_millis: millis(50),
        p99_millis: millis(99),
    })
}

async fn call(client: Arc<Client>, numbers: Arc<AtomicU64>, executions: u64) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        if number >= executions {
            return Ok(times);
        }
        let (instance, begun) = (format!("e-{number}"), Instant::now());
        client.start_orchestration(&instance, "TenSteps", number.to_string()).await?;
        match client.wait_for_orchestration(&instance, PATIENCE).await? {
            OrchestrationStatus::Completed { output, .. } if output == (number + 45).to_string() => {}
            other => return Err(format!("execution {number} came to {other:?}").into()),
        }
        times.push(begun.elapsed());
    }
}

async fn ten_steps(context: OrchestrationContext, first: String) -> std::result::Result<String, String> {
    let mut sum = first;
    for number in 0..STEPS {
        sum = context.schedule_activity("Add", format!("{sum} {number}")).await?;
    }
    Ok(sum)
}

async fn add(_: ActivityContext, numbers: String) -> std::result::Result<String, String> {
    let numbers = numbers.split(' ').map(str::parse::<u64>);
    let sum: std::result::Result<u64, _> = numbers.sum();
    sum.map(|sum| sum.to_string()).map_err(|error| error.to_string())
}
