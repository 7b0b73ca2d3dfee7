//! The command line.

use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt as _};

/// What `--help` prints.
pub const USAGE: &str = "\
Reads a directory into a table, file by file. Stop it at any moment and run it again: it goes on.

Usage: ingest [PATH] [--store FILE] [--results FILE]

  PATH            the directory (the repository, unless given)
  --store FILE    where executions are kept (ingest.db; for a PATH, ingest-NAME.db)
  --results FILE  where the table is (likewise, ingest-results.db)
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
    let mut root: Option<PathBuf> = None;
    let (mut store, mut results) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("store") => store = Some(parser.value()?.into()),
            Arg::Long("results") => results = Some(parser.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Value(path) if root.is_none() => root = Some(path.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    let name = root.as_deref().map(suffix).unwrap_or_default();
    Ok(Request::Ingest(Args {
        store: store.unwrap_or_else(|| format!("ingest{name}.db").into()),
        results: results.unwrap_or_else(|| format!("ingest{name}-results.db").into()),
        root: root.unwrap_or_else(repository),
    }))
}

/// What tells the files of one directory from those of another.
fn suffix(root: &Path) -> String {
    let name = root.canonicalize().ok().and_then(|root| Some(root.file_name()?.to_string_lossy().into_owned()));
    name.map(|name| format!("-{name}")).unwrap_or_default()
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
