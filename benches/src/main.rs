//! Benchmarks of the workflow engine: one command, a table, and a JSON file.

mod steps;
mod workloads;

use std::path::PathBuf;

use workflow_runtime::Error;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().filter(|place| place != "memory").map(PathBuf::from);
    let at_once = arguments.next().map_or(Ok(100), |number| number.parse())?;
    let executions = arguments.next().map_or(Ok(10_000), |number| number.parse())?;
    let figures = steps::run(place.as_deref(), at_once, executions).await?;
    #[expect(clippy::print_stdout, reason = "it is what the program is for")]
    {
        println!("{figures}");
    }
    Ok(())
}
