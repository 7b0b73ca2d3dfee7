//! The command line.

use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt as _};

/// What `--help` prints.
pub const USAGE: &str = "\
Reads a directory into a table, file by file. Stop it at any moment and run it again: it goes on.

Usage: ingest [PATH] [--store FILE] [--results FILE]

  PATH            the directory (the repository, unless given)
  --store FILE    where executions are kept (ingest.db)
  --results FILE  where the table is (ingest-results.db)
  --help          print this";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To ingest.
    Ingest(Args),
    /// To say how it is used.
    Help,
}

/// What to ingest, and into what.
#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    /// The directory.
    pub root: PathBuf,
    /// Where executions are kept.
    pub store: PathBuf,
    /// Where the table is.
    pub results: PathBuf,
}

/// Reads the command line.
///
/// # Errors
/// If it makes no sense.
pub fn parse(mut parser: Parser) -> Result<Request, lexopt::Error> {
    let mut root = None;
    let mut store = PathBuf::from("ingest.db");
    let mut results = PathBuf::from("ingest-results.db");
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("store") => store = parser.value()?.into(),
            Arg::Long("results") => results = parser.value()?.into(),
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Value(path) if root.is_none() => root = Some(path.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Request::Ingest(Args { root: root.unwrap_or_else(repository), store, results }))
}

/// The repository that this program was built in.
fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, lexopt::Error> {
        super::parse(Parser::from_args(arguments))
    }

    #[test]
    fn everything_has_a_default() {
        let Ok(Request::Ingest(args)) = parse(&[]) else { panic!("no request") };
        assert!(args.root.join("examples/ingest/Cargo.toml").is_file());
        assert_eq!(args.store, Path::new("ingest.db"));
        assert_eq!(args.results, Path::new("ingest-results.db"));
    }

    #[test]
    fn everything_can_be_given() {
        let given = parse(&["--store", "s", "/data", "--results=r"]).unwrap();
        assert_eq!(given, Request::Ingest(Args { root: "/data".into(), store: "s".into(), results: "r".into() }));
        assert_eq!(parse(&["--help"]).unwrap(), Request::Help);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [&["--stroe", "x"][..], &["a", "b"], &["--store"]] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
