use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, Schedule};

#[workflow]
async fn backup(_: &Cx) -> Result<u32> {
    Ok(1)
}

#[workflow_runtime::main]
async fn main() -> Result<()> {
    let engine = Engine::in_memory().workflow(Backup).start().await?;
    engine.schedule("nightly", Schedule::cron("0 2 * * *")).await?;
    Ok(())
}
