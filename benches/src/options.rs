//! What a run is asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt as _;
use workflow_runtime::Error;

use crate::rows::ROWS;

pub(crate) const HELP: &str = "\
Runs the benchmarks and shows a table.

usage: workflow-benches [ROW]... [options]

rows (all by default):
{rows}
options:
  --quick       small sizes: some seconds a row
  --smoke       tiny sizes, to see that everything works
  --json FILE   where the figures go as JSON (default: benches/figures.json in the target directory)
  --disk DIR    a directory on a disk (default: benches/ in the target directory)
  --memory DIR  a directory on a memory-backed file system (default: /dev/shm)
  --peers       build and run the peers too; they run anyway if they have been built
  --no-peers    leave the peers out
";

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    Quick,
    Smoke,
}

impl Size {
    /// One of three.
    pub(crate) fn pick<T>(self, full: T, quick: T, smoke: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
            Self::Smoke => smoke,
        }
    }
}

/// Whether the peers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peers {
    Build,
    IfBuilt,
    No,
}

/// What the command line says.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Run(Options),
    /// A part of a row that needs a process of its own.
    Child {
        name: String,
        arguments: Vec<String>,
    },
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) rows: Vec<String>,
    pub(crate) size: Size,
    pub(crate) json: Option<PathBuf>,
    pub(crate) disk: Option<PathBuf>,
    pub(crate) memory: Option<PathBuf>,
    pub(crate) peers: Peers,
}

impl Command {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options =
            Options { rows: Vec::new(), size: Size::Full, json: None, disk: None, memory: None, peers: Peers::IfBuilt };
        while let Some(argument) = parser.next()? {
            match argument {
                Value(row) => options.rows.push(known(row.string()?)?),
                Long("quick") => options.size = Size::Quick,
                Long("smoke") => options.size = Size::Smoke,
                Long("json") => options.json = Some(parser.value()?.into()),
                Long("disk") => options.disk = Some(parser.value()?.into()),
                Long("memory") => options.memory = Some(parser.value()?.into()),
                Long("peers") => options.peers = Peers::Build,
                Long("no-peers") => options.peers = Peers::No,
                Long("child") => {
                    let name = parser.value()?.string()?;
                    let arguments = parser.raw_args()?.map(lexopt::ValueExt::string).collect::<Result<_, _>>()?;
                    return Ok(Self::Child { name, arguments });
                }
                Short('h') | Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Self::Run(options))
    }
}

fn known(row: String) -> Result<String, Error> {
    if ROWS.iter().any(|(name, _)| *name == row) {
        return Ok(row);
    }
    let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
    Err(Error::msg(format!("there is no row `{row}`; there are {}", names.join(", "))))
}
