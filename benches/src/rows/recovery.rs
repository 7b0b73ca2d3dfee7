//! Executions that are killed half-way, until all are done.

use std::ffi::OsStr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, Status};

use super::Setting;
use crate::child::{self, argument, now};
use crate::effects::{self, Audit, Effects};
use crate::figures::{Figure, Report};
use crate::measure::millis;
use crate::places::Place;

const STEPS: u64 = 10;
const BEGIN: &str = "recovery-begin";
const GO_ON: &str = "recovery-go-on";

/// Where [`Noting`] begins.
#[state]
struct Noted {
    number: u64,
}

/// Where it ends.
#[state(end)]
struct AllNoted;

/// Ten steps, whose effects are counted.
struct Noting {
    effects: Effects,
    /// No step before this begins.
    begun: watch::Receiver<bool>,
    /// No step after this one ends.
    last: u64,
}

#[workflow(start = Noted, allow(small_machine, fragile_step))]
impl Noting {
    #[state]
    async fn noted(&self, cx: &Cx, noted: Noted) -> Result<AllNoted> {
        for step in 0..STEPS {
            self.note(cx, noted.number, step).await?;
        }
        Ok(AllNoted)
    }

    #[step]
    async fn note(&self, _: &Cx, execution: u64, step: u64) -> Result<()> {
        self.begun.clone().wait_for(|begun| *begun).await?;
        if step > self.last {
            std::future::pending::<()>().await;
        }
        Ok(self.effects.note(execution, step)?)
    }
}

/// How the executions stand when they are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    /// When half of all steps have been done.
    Anywhere,
    /// When each has done half of its own.
    EachHalfWay,
}

pub(crate) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let (few, many) = setting.size.pick((1_000, 100_000), (1_000, 10_000), (20, 50));
    for place in setting.places.all() {
        one(report, place, few, Killed::Anywhere)?;
        one(report, place, few, Killed::EachHalfWay)?;
    }
    one(report, setting.places.fastest(), many, Killed::Anywhere)
}

/// What a process that goes on says.
#[derive(Serialize, Deserialize)]
struct WentOn {
    engine_begun: Duration,
    all_done: Duration,
    ended: u64,
}

fn one(report: &mut Report, place: &Place, executions: u64, killed: Killed) -> Result<(), Error> {
    let scratch = place.scratch()?;
    let (store, effects) = (scratch.path().join("store.db"), scratch.path().join("effects"));
    let last = if killed == Killed::EachHalfWay { STEPS / 2 - 1 } else { STEPS };
    let [number, last] = [executions, last].map(|number| number.to_string());
    let arguments: [&OsStr; 4] = [store.as_ref(), effects.as_ref(), number.as_ref(), last.as_ref()];

    let mut child = child::spawn(BEGIN, &arguments)?;
    let patience = Instant::now();
    while effects::count(&effects) < executions * STEPS / 2 {
        if child.try_wait()?.is_some() || patience.elapsed() > Duration::from_secs(300) {
            return Err(Error::msg("the process that was to be killed is gone, or hangs"));
        }
        sleep(Duration::from_micros(200));
    }
    // A process cannot prepare for this.
    child.kill()?;
    child.wait()?;
    let before = effects::read(&effects)?;

    let begun = now();
    let went_on: WentOn = child::said(child::spawn(GO_ON, &arguments)?)?;
    let all = effects::read(&effects)?;
    let after = all.get(before.len()..).unwrap_or_default();
    let first = after.iter().map(|effect| effect.at).min().unwrap_or(went_on.all_done);
    let audit = Audit::new(&before, after);

    let how = if killed == Killed::EachHalfWay { ", each half-way" } else { "" };
    let variant = format!("SQLite {}, {executions} executions{how}", place.name);
    let add = |what: &str, value: f64, unit| Figure::new(&variant, what, value, unit);
    let since = |time: Duration| millis(time.saturating_sub(begun));
    let (first, all_done) = (since(first), since(went_on.all_done));
    let figures = [
        add("done when killed", before.len() as f64 / (executions * STEPS) as f64, "of all steps"),
        add("first progress, from the start of the process", first, "ms"),
        add("of that, to the start of the engine", since(went_on.engine_begun), "ms"),
        add("all done, from the start of the process", all_done, "ms"),
        add("executions lost", (executions - went_on.ended.min(executions)) as f64, "").at_most(0.0),
        add("steps lost", (executions * STEPS).saturating_sub(audit.done) as f64, "").at_most(0.0),
        add("steps run twice", audit.repeated as f64, ""),
        add("of these, not in flight when killed", audit.repeated_without_need as f64, "").at_most(0.0),
    ];
    for figure in figures {
        report.add(match (executions, figure.what()) {
            (1_000, what) if what.starts_with("first progress") => figure.at_most(20.0),
            (1_000, what) if what.starts_with("all done") => figure.at_most(200.0),
            _ => figure,
        });
    }
    Ok(())
}

/// The processes that this row starts.
pub(crate) async fn child(name: &str, arguments: &[String]) -> Option<Result<(), Error>> {
    match name {
        BEGIN => Some(begin(arguments).await),
        GO_ON => Some(go_on(arguments).await),
        _ => None,
    }
}

async fn begin(arguments: &[String]) -> Result<(), Error> {
    let executions: u64 = argument(arguments, 2)?.parse()?;
    let last = argument(arguments, 3)?.parse()?;
    let (open, begun) = watch::channel(false);
    let workflow = Noting { effects: Effects::open(Path::new(argument(arguments, 1)?))?, begun, last };
    let mut engine = Engine::sqlite(argument(arguments, 0)?).workflow(workflow);
    if last < STEPS {
        engine = engine.max_active(usize::try_from(executions)?);
    }
    let engine = engine.start().await?;
    engine.start_all::<Noting, _>((0..executions).map(|number| (format!("e-{number}"), Noted { number }))).await?;
    open.send(true)?;
    // Until this process is killed.
    std::future::pending().await
}

async fn go_on(arguments: &[String]) -> Result<(), Error> {
    let engine_begun = now();
    let executions = argument(arguments, 2)?.parse()?;
    let (_open, begun) = watch::channel(true);
    let effects = Effects::open(Path::new(argument(arguments, 1)?))?;
    let workflow = Noting { effects, begun, last: STEPS };
    let engine = Engine::sqlite(argument(arguments, 0)?).workflow(workflow).start().await?;
    let mut ended = 0;
    let patience = Instant::now();
    while ended < executions && patience.elapsed() < Duration::from_secs(300) {
        // Asking the store while it is busy would take its time.
        tokio::time::sleep(Duration::from_millis(1)).await;
        if engine.active() == 0 {
            let counts = engine.counts::<Noting>().await?;
            ended = counts.iter().filter(|count| count.status == Status::Ended).map(|count| count.count).sum();
        }
    }
    child::say(&WentOn { engine_begun, all_done: now(), ended })?;
    Ok(engine.shutdown().await?)
}
