//! How far it is, while it runs.

use std::convert::Infallible;
use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use workflow_runtime::store::StateCount;
use workflow_runtime::{Engine, EngineError};

use crate::workflow::Ingest;

/// Shows how many executions are in each state, as a bar on a terminal and as lines elsewhere, until it is dropped.
///
/// # Errors
/// That of the store.
pub async fn show(engine: &Engine) -> Result<Infallible, EngineError> {
    if stderr().is_terminal() { draw_bar(engine).await } else { print_lines(engine).await }
}

async fn draw_bar(engine: &Engine) -> Result<Infallible, EngineError> {
    let bar = ProgressBar::no_length().with_finish(ProgressFinish::AndClear);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}\n{wide_msg}") {
        bar.set_style(style);
    }
    loop {
        let counts = engine.counts::<Ingest>().await?;
        bar.set_length(counts.iter().map(|row| row.count).sum());
        bar.set_position(counts.iter().filter(|row| is_end(&row.state)).map(|row| row.count).sum());
        bar.set_message(by_state(&counts));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[allow(clippy::print_stderr, reason = "it is what this is for")]
async fn print_lines(engine: &Engine) -> Result<Infallible, EngineError> {
    let mut last = String::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let line = by_state(&engine.counts::<Ingest>().await?);
        if line != last {
            eprintln!("{line}");
            last = line;
        }
    }
}

/// The counts in the order of the workflow's states: `received 12 · validated 3 · …`.
#[must_use]
pub fn by_state(counts: &[StateCount]) -> String {
    let in_state = |name: &str| counts.iter().filter(|row| row.state == name).map(|row| row.count).sum::<u64>();
    let states = Ingest::GRAPH.states.iter().map(|state| format!("{} {}", state.name, in_state(state.name)));
    states.collect::<Vec<_>>().join(" · ")
}

fn is_end(name: &str) -> bool {
    Ingest::GRAPH.states.iter().any(|state| state.end && state.name == name)
}
