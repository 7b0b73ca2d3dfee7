//! The rows of the table, one file each.

mod burst;
mod compile;
mod parallel;
mod recovery;
mod steps;
mod transitions;
mod visits;
mod waiting;

use workflow_runtime::Error;

use crate::figures::Report;
use crate::options::{Peers, Size};
use crate::places::Places;

/// The names of the rows, and what they are about.
pub(crate) const ROWS: [(&str, &str); 8] = [
    ("steps", "ten durable steps in sequence"),
    ("transitions", "pure transitions"),
    ("parallel", "what branches cost that run at once"),
    ("recovery", "executions of ten steps, killed half-way"),
    ("visits", "one execution with very many visits"),
    ("waiting", "very many executions that wait"),
    ("burst", "ten times as much as can be done, for a while"),
    ("compile", "what a large machine costs its developer"),
];

/// What every row is given.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) size: Size,
    pub(crate) places: Places,
    pub(crate) peers: Peers,
}

/// Runs one row.
pub(crate) async fn run(row: &str, setting: &Setting, report: &mut Report) -> Result<(), Error> {
    report.begin(row);
    match row {
        "steps" => steps::run(setting, report).await,
        "transitions" => transitions::run(setting, report).await,
        "parallel" => parallel::run(setting, report).await,
        "recovery" => recovery::run(setting, report).await,
        "visits" => visits::run(setting, report).await,
        "waiting" => waiting::run(setting, report).await,
        "burst" => burst::run(setting, report).await,
        "compile" => compile::run(setting, report),
        other => Err(Error::msg(format!("there is no row `{other}`"))),
    }
}

/// Runs a part of a row, in a process of its own.
pub(crate) async fn child(name: &str, arguments: &[String]) -> Result<(), Error> {
    if let Some(done) = recovery::child(name, arguments).await {
        return done;
    }
    if let Some(done) = waiting::child(name, arguments).await {
        return done;
    }
    if let Some(done) = burst::child(name, arguments).await {
        return done;
    }
    Err(Error::msg(format!("there is no child `{name}`")))
}
