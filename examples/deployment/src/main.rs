//! `cargo run --release -p deployment [-- RELEASES] [--data FOLDER]`

use std::path::Path;
use std::process::ExitCode;

use deployment::cluster::Cluster;
use deployment::report::{releases, roll_out};
use deployment::workflow::Rollout;
use example_support::{Program, with_engine};
use workflow_runtime::Engine;

const PROGRAM: Program = Program {
    name: "deployment",
    usage: "\
Takes releases from dev over staging to production. Stop it at any moment and run it again: it goes on.

Usage: deployment [RELEASES] [--data FOLDER]

  RELEASES        a folder of releases (releases of this example)",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM
        .run(async |args| {
            let given = args.words.first().map(Path::new);
            let releases = releases(given.unwrap_or(&Path::new(env!("CARGO_MANIFEST_DIR")).join("releases")))?;
            let cluster = Cluster::open(&args.file("cluster.db"))?;
            let rollout = Rollout { cluster: cluster.clone() };
            let engine = Engine::sqlite(args.file("executions.db")).workflow(rollout);
            with_engine(engine, async |engine| roll_out(engine, &cluster, &releases).await).await
        })
        .await
}
