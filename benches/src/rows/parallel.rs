//! What branches cost that run at once, beside the plain futures and tasks that they stand for.

use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::task::JoinSet;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Engine, MemoryStore, SqliteStore};

use super::Setting;
use crate::figures::{Figure, Report};
use crate::measure::{median, micros};

/// What is to be measured.
#[state]
struct Fanning {
    what: What,
    items: u64,
}

/// It was measured.
#[state(end)]
struct Fanned;

/// A kind of branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum What {
    Two,
    Ten,
    TenSteps,
    TenInSequence,
    Each,
    EachStep,
}

/// What one call has taken.
#[derive(Debug, Clone, Copy)]
struct Taken {
    wall: Duration,
    cpu: Duration,
}

/// Makes parallel calls, and notes what they take.
struct Fan {
    taken: Arc<Mutex<Vec<Taken>>>,
}

#[workflow(start = Fanning, allow(small_machine, fragile_step, ambient_time))]
impl Fan {
    #[state]
    async fn fanning(&self, cx: &Cx, fanning: Fanning) -> Result<Fanned> {
        let items = 0..fanning.items;
        let begun = (Instant::now(), ProcessTime::now());
        let sum = match fanning.what {
            What::Two => self.two(cx).await?,
            What::Ten => self.ten(cx).await?,
            What::TenSteps => self.ten_steps(cx).await?,
            What::TenInSequence => {
                let mut sum = 0;
                for number in 0..10 {
                    sum += self.step(cx, number).await?;
                }
                sum
            }
            What::Each => self.each(cx, items).await?.into_iter().sum(),
            What::EachStep => self.each_step(cx, items).await?.into_iter().sum(),
        };
        black_box(sum);
        let taken = Taken { wall: begun.0.elapsed(), cpu: begun.1.elapsed() };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
        Ok(Fanned)
    }

    #[parallel]
    async fn two(&self, _: &Cx) -> Result<u64> {
        let a = number(1).await?;
        let b = number(2).await?;
        Ok(a + b)
    }

    #[parallel]
    async fn ten(&self, _: &Cx) -> Result<u64> {
        let a = number(1).await?;
        let b = number(2).await?;
        let c = number(3).await?;
        let d = number(4).await?;
        let e = number(5).await?;
        let f = number(6).await?;
        let g = number(7).await?;
        let h = number(8).await?;
        let i = number(9).await?;
        let j = number(10).await?;
        Ok(a + b + c + d + e + f + g + h + i + j)
    }

    #[parallel]
    async fn ten_steps(&self, cx: &Cx) -> Result<u64> {
        let a = self.step(cx, 1).await?;
        let b = self.step(cx, 2).await?;
        let c = self.step(cx, 3).await?;
        let d = self.step(cx, 4).await?;
        let e = self.step(cx, 5).await?;
        let f = self.step(cx, 6).await?;
        let g = self.step(cx, 7).await?;
        let h = self.step(cx, 8).await?;
        let i = self.step(cx, 9).await?;
        let j = self.step(cx, 10).await?;
        Ok(a + b + c + d + e + f + g + h + i + j)
    }

    #[parallel]
    async fn each(&self, _: &Cx, #[each] item: u64) -> Result<u64> {
        number(item).await
    }

    #[parallel]
    async fn each_step(&self, cx: &Cx, #[each] item: u64) -> Result<u64> {
        self.step(cx, item).await
    }

    #[step]
    async fn step(&self, _: &Cx, number: u64) -> Result<u64> {
        Ok(number)
    }
}

async fn number(number: u64) -> Result<u64> {
    Ok(black_box(number))
}

/// An engine that makes one call after the other.
struct Caller {
    engine: Engine,
    taken: Arc<Mutex<Vec<Taken>>>,
    calls: u64,
}

/// The medians of some calls.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

impl Caller {
    async fn new(store: Arc<dyn Store>) -> Result<Self, Error> {
        let taken = Arc::default();
        let engine = Engine::on(store).workflow(Fan { taken: Arc::clone(&taken) }).start().await?;
        Ok(Self { engine, taken, calls: 0 })
    }

    async fn cost(&mut self, what: What, items: u64, times: u64) -> Result<Cost, Error> {
        for _ in 0..times {
            self.calls += 1;
            let call = self.engine.start::<Fan>(format!("f-{}", self.calls), Fanning { what, items }).await?;
            call.outcome().await?;
        }
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(cost(&taken))
    }
}

fn cost(taken: &[Taken]) -> Cost {
    Cost {
        wall: median(taken.iter().map(|taken| micros(taken.wall)).collect()),
        cpu: median(taken.iter().map(|taken| micros(taken.cpu)).collect()),
    }
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    on_store(setting, report, "memory store", Arc::new(MemoryStore::new())).await?;
    let place = setting.places.fastest();
    let scratch = place.scratch()?;
    let store = Arc::new(SqliteStore::open(scratch.path().join("store.db"))?);
    on_store(setting, report, &format!("SQLite {}", place.name), store).await
}

async fn on_store(setting: &Setting, report: &mut Report, name: &str, store: Arc<dyn Store>) -> Result<(), Error> {
    let (calls, items) = setting.size.pick((2_000, 10_000), (300, 10_000), (3, 100));
    let (plain_two, plain_ten) = plain_joins().await?;
    let mut caller = Caller::new(store).await?;
    for (what, branches, plain) in [(What::Two, 2, plain_two), (What::Ten, 10, plain_ten)] {
        let cost = caller.cost(what, 0, calls).await?;
        let variant = format!("{name}, {branches} branches without steps");
        let branches = f64::from(branches);
        let wall = Figure::new(&variant, "wall", cost.wall / branches, "µs a branch");
        report.add(wall.beside("tokio::join!", cost.wall / plain));
        report.add(Figure::new(&variant, "CPU", cost.cpu / branches, "µs a branch"));
    }
    let in_sequence = caller.cost(What::TenInSequence, 0, calls).await?;
    let at_once = caller.cost(What::TenSteps, 0, calls).await?;
    let variant = format!("{name}, 10 branches with a step each");
    let wall = Figure::new(&variant, "wall", at_once.wall / 10.0, "µs a branch");
    report.add(wall.beside("ten steps in sequence", at_once.wall / in_sequence.wall));
    let cpu = Figure::new(&variant, "CPU", at_once.cpu / 10.0, "µs a branch");
    report.add(cpu.beside("ten steps in sequence", at_once.cpu / in_sequence.cpu));

    let times = setting.size.pick(10, 3, 1);
    let plain = plain_tasks(items, times).await?;
    for (what, with) in [(What::Each, "without steps"), (What::EachStep, "with a step each")] {
        let cost = caller.cost(what, items, times).await?;
        let variant = format!("{name}, #[each] of {items} {with}");
        report.add(Figure::new(&variant, "wall", cost.wall / 1e3, "ms").beside("JoinSet", cost.wall / plain.wall));
        let cpu = Figure::new(&variant, "CPU", cost.cpu / items as f64, "µs an item");
        report.add(cpu.beside("JoinSet", cost.cpu / plain.cpu));
    }
    Ok(caller.engine.shutdown().await?)
}

/// What two and ten futures cost that are joined, in µs.
async fn plain_joins() -> Result<(f64, f64), Error> {
    const TIMES: u32 = 10_000;
    let two = Instant::now();
    for _ in 0..TIMES {
        let (a, b) = tokio::join!(number(1), number(2));
        black_box(a? + b?);
    }
    let (two, ten) = (two.elapsed(), Instant::now());
    for _ in 0..TIMES {
        let (a, b, c, d, e, f, g, h, i, j) = tokio::join!(
            number(1),
            number(2),
            number(3),
            number(4),
            number(5),
            number(6),
            number(7),
            number(8),
            number(9),
            number(10)
        );
        black_box(a? + b? + c? + d? + e? + f? + g? + h? + i? + j?);
    }
    Ok((micros(two / TIMES), micros(ten.elapsed() / TIMES)))
}

/// What so many tasks cost.
async fn plain_tasks(items: u64, times: u64) -> Result<Cost, Error> {
    let mut taken = Vec::new();
    for _ in 0..times {
        let begun = (Instant::now(), ProcessTime::now());
        let mut tasks: JoinSet<_> = (0..items).map(number).collect();
        while let Some(done) = tasks.join_next().await {
            black_box(done??);
        }
        taken.push(Taken { wall: begun.0.elapsed(), cpu: begun.1.elapsed() });
    }
    Ok(cost(&taken))
}
