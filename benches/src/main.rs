//! Benchmarks of the workflow engine: one command, a table, and a JSON file.

mod child;
mod compile;
mod effects;
mod figures;
mod limit;
mod measure;
mod options;
mod peers;
mod places;
mod probe;
mod rows;
mod slices;
mod table;
mod turnstile;
mod workloads;

use std::fs;
use std::path::{Path, PathBuf};

use workflow_runtime::Error;

use self::figures::Report;
use self::options::{Command, HELP, Options};
use self::places::{Places, target};
use self::rows::{ROWS, Setting};

/// What runs at once frees memory on other threads than those that it came from, which costs the allocator of the system a
/// lock each time. The peers are measured with the same one.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    match Command::parse(std::env::args_os().skip(1))? {
        Command::Help => {
            let rows: Vec<_> = ROWS.iter().map(|(name, title)| format!("  {name:<13} {title}\n")).collect();
            print(&HELP.replace("{rows}", &rows.concat()));
            Ok(())
        }
        Command::Child { name, arguments } => rows::child(&name, &arguments).await,
        Command::Run(options) => run(options).await,
    }
}

async fn run(options: Options) -> Result<(), Error> {
    let places = Places::new(&options)?;
    print(&format!("{}\nallocator: {}\n", places.describe(), allocator()));
    let setting = Setting { size: options.size, places, peers: options.peers };
    let mut report = Report::default();
    for (row, title) in ROWS {
        if options.rows.is_empty() || options.rows.iter().any(|asked| asked == row) {
            rows::run(row, &setting, &mut report).await?;
            print(&table::table(&report, row, title));
        }
    }
    let json = options.json.unwrap_or_else(|| target().join("figures.json"));
    write(&json, &report)?;
    let (met, bars) = report.bars();
    print(&format!("\n{met} of {bars} bars met; figures in {}\n", json.display()));
    Ok(())
}

fn allocator() -> &'static str {
    match cfg!(feature = "mimalloc") {
        true => "mimalloc",
        false => "that of the system",
    }
}

fn write(path: &PathBuf, report: &Report) -> Result<(), Error> {
    if let Some(directory) = path.parent().filter(|directory| *directory != Path::new("")) {
        fs::create_dir_all(directory)?;
    }
    Ok(fs::write(path, serde_json::to_vec_pretty(report)?)?)
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn print(text: &str) {
    print!("{text}");
}
