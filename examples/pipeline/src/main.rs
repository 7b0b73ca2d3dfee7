//! `cargo run --release -p pipeline [-- READINGS] [--data FOLDER]`

use std::path::Path;
use std::process::ExitCode;

use example_support::{Program, with_engine};
use pipeline::plant::Plant;
use pipeline::run::{MAX_ACTIVE, run};
use pipeline::source::Load;
use pipeline::workflow::Pipeline;
use workflow_runtime::{Context as _, Engine};

const PROGRAM: Program = Program {
    name: "pipeline",
    usage: "\
Takes readings of sensors into a table, under a burst. Stop it at any moment and run it again: it goes on.

Usage: pipeline [READINGS] [--data FOLDER]

  READINGS        how many the sensors send in all (10000)",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM
        .run(async |args| {
            let readings = args.words.first().map_or("10000", String::as_str);
            let readings = readings.parse().with_context(|| format!("`{readings}` is no number of readings"))?;
            let sensors = Path::new(env!("CARGO_MANIFEST_DIR")).join("sensors.json");
            let plant = Plant::open(&sensors, &args.file("readings.db"))?;
            let engine = Engine::sqlite(args.file("executions.db"))
                .workflow(Pipeline { plant: plant.clone() })
                .max_active(MAX_ACTIVE);
            with_engine(engine, async |engine| run(engine, &plant, Load { readings, quiet: 4 }).await).await
        })
        .await
}
