//! Pure transitions: of a generated machine by itself, beside other ways to write one, and through the engine.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, io};

use cpu_time::ProcessTime;
use workflow_runtime::prelude::{Error, Result};

use super::Setting;
use crate::child::{cargo, said};
use crate::figures::{Figure, Report};
use crate::measure::{median, micros};
use crate::options::Size;
use crate::turnstile::{
    BOXED, BY_HAND, BY_HAND_BY_CHANCE, ENGINE, GENERATED, GENERATED_BY_CHANCE, STATIG, TYPED, drive_boxed,
    drive_by_hand, drive_by_hand_by_chance, drive_generated, drive_generated_by_chance, drive_statig, drive_typed,
    through_the_engine,
};

/// Turns of each way. They are short, so that whatever else the machine does falls on all alike.
const TURNS: usize = 101;
const ROUNDS: usize = 5;
const COUNTER: &str = "workflow-bench-allocations";

pub(super) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let transitions = setting.size.pick(1_000_000, 100_000, 100);
    let mut nanos: [Vec<f64>; 7] = Default::default();
    for _ in 0..TURNS {
        let [by_hand, generated, by_hand_by_chance, generated_by_chance, typed, statig, boxed] = &mut nanos;
        let time = |into: &mut Vec<f64>, drive: fn(u64) -> u64| {
            let begin = Instant::now();
            black_box(drive(black_box(transitions)));
            into.push(begin.elapsed().as_secs_f64() * 1e9 / transitions as f64);
        };
        time(by_hand, drive_by_hand);
        time(generated, drive_generated);
        time(by_hand_by_chance, drive_by_hand_by_chance);
        time(generated_by_chance, drive_generated_by_chance);
        time(typed, drive_typed);
        time(statig, drive_statig);
        time(boxed, drive_boxed);
    }
    let [by_hand, generated, by_hand_by_chance, generated_by_chance, typed, statig, boxed] = nanos.map(median);
    for (by_hand, generated, hand_nanos, nanos) in [
        (BY_HAND, GENERATED, by_hand, generated),
        (BY_HAND_BY_CHANCE, GENERATED_BY_CHANCE, by_hand_by_chance, generated_by_chance),
    ] {
        report.add(Figure::new(by_hand, "a transition", hand_nanos, "ns"));
        let figure = Figure::new(generated, "a transition", nanos, "ns");
        report.add(figure.beside(by_hand, nanos / hand_nanos).ratio_at_most(1.1));
    }
    report.add(Figure::new(TYPED, "a transition", typed, "ns"));
    report.add(Figure::new(STATIG, "a transition", statig, "ns").beside(BY_HAND, statig / by_hand));
    report.add(Figure::new(BOXED, "a transition", boxed, "ns").beside(BY_HAND, boxed / by_hand));
    let transitions = setting.size.pick(1_000_000, 200_000, 1_000);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = ProcessTime::now();
        wall.push(micros(through_the_engine(transitions).await?));
        cpu.push(micros(before.elapsed()) / transitions as f64);
    }
    // One execution is one task, so this is what it takes where nobody else wants the core.
    report.add(Figure::new(ENGINE, "CPU a transition", median(cpu), "µs").at_most(1.0));
    report.add(Figure::new(ENGINE, "a transition", median(wall), "µs"));
    for (way, count) in allocations(setting.size)? {
        let figure = Figure::new(&way, "allocations", count, "a transition");
        let is_ours = way == GENERATED || way == GENERATED_BY_CHANCE;
        report.add(if is_ours { figure.at_most(0.0) } else { figure });
    }
    Ok(())
}

/// What the program says that counts them, for each way.
fn allocations(size: Size) -> Result<BTreeMap<String, f64>, Error> {
    let this = env::current_exe()?;
    let directory = this.parent().ok_or_else(|| io::Error::other("this program is in no directory"))?;
    // A test has built it already.
    if size != Size::Smoke {
        build(directory)?;
    }
    let program = directory.join(COUNTER).with_extension(env::consts::EXE_EXTENSION);
    said(Command::new(program).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// It shares this program's crates and target directory.
fn build(directory: &Path) -> Result<(), Error> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let target = directory.parent().unwrap_or(directory);
    let profile = if directory.ends_with("release") { "release" } else { "dev" };
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--bin", COUNTER, "--profile", profile, "--manifest-path"]).arg(manifest);
    let status = cargo.arg("--target-dir").arg(target).stdin(Stdio::null()).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::msg(format!("the program that counts allocations cannot be built: {status}"))),
    }
}
