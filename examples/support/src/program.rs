//! A program around a workflow: its command line, its engine, its exit code.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};
use serde::de::DeserializeOwned;
use workflow_runtime::{Context as _, Engine, EngineBuilder, EngineError, Error, Result};

/// What is said of a program.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name, after which its folder of data is called.
    pub name: &'static str,
    /// What `--help` prints, besides `--data` and `--help`.
    pub usage: &'static str,
}

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    /// Where everything is kept that is to outlive the program.
    pub data: PathBuf,
    /// What is there besides.
    pub words: Vec<String>,
}

impl Args {
    /// A file in the folder of data.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }
}

enum Request {
    Run(Args),
    Help,
}

impl Program {
    /// Runs `work` with what the command line says, and makes an exit code of what comes of it: 0 if it says that all is
    /// well, 1 if it does not or fails, 2 if the command line makes no sense, 130 if the engine was told to stop.
    #[allow(clippy::print_stderr, reason = "a program that talks to its user")]
    pub async fn run(self, work: impl AsyncFnOnce(Args) -> Result<bool>) -> ExitCode {
        let args = match self.parse(Parser::from_env()) {
            Ok(Request::Run(args)) => args,
            Ok(Request::Help) => {
                say(self.help());
                return ExitCode::SUCCESS;
            }
            Err(error) => {
                eprintln!("{error}\n\n{}", self.help());
                return ExitCode::from(2);
            }
        };
        let done = match fs::create_dir_all(&args.data) {
            Ok(()) => work(args).await,
            Err(error) => Err(Error::from(error).context(format!("cannot use the folder {}", args.data.display()))),
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) if matches!(error.downcast_ref(), Some(EngineError::ShuttingDown)) => {
                say("stopped; nothing is lost: the same command goes on from here");
                ExitCode::from(130)
            }
            Err(error) => {
                eprintln!("{error:?}");
                ExitCode::FAILURE
            }
        }
    }

    fn parse(self, mut parser: Parser) -> Result<Request, lexopt::Error> {
        let mut args = Args { data: format!("{}-data", self.name).into(), words: Vec::new() };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("data") => args.data = parser.value()?.into(),
                Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
                Arg::Value(word) => args.words.push(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Request::Run(args))
    }

    fn help(self) -> String {
        let Self { name, usage } = self;
        format!("{usage}\n\n  --data FOLDER   what outlives the program ({name}-data)\n  --help          print this")
    }
}

/// Starts the engine, has `work` done with it, and shuts it down.
///
/// # Errors
/// That of the engine, or of `work`.
pub async fn with_engine<T>(builder: EngineBuilder, work: impl AsyncFnOnce(&Engine) -> Result<T>) -> Result<T> {
    let engine = builder.shutdown_on_ctrl_c().start().await?;
    let done = work(&engine).await;
    let stopped = engine.shutdown().await;
    let done = done?;
    stopped?;
    Ok(done)
}

/// Prints a line.
pub fn say(line: impl AsRef<str>) {
    // The work is to be done whether or not somebody still reads.
    let _ = writeln!(io::stdout(), "{}", line.as_ref());
}

/// Reads a file of JSON.
///
/// # Errors
/// If it cannot be read, or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not what it is to be", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program { name: "tea", usage: "Makes tea." };

    fn parse(arguments: &[&str]) -> Result<Option<Args>, lexopt::Error> {
        match PROGRAM.parse(Parser::from_args(arguments))? {
            Request::Run(args) => Ok(Some(args)),
            Request::Help => Ok(None),
        }
    }

    #[test]
    fn words_and_the_folder_are_told_apart() {
        let args = parse(&["pour", "--data", "pot", "two cups"]).unwrap().unwrap();
        assert_eq!(args, Args { data: "pot".into(), words: vec!["pour".into(), "two cups".into()] });
        assert_eq!(parse(&[]).unwrap().unwrap().data, Path::new("tea-data"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(parse(&["--dtaa", "pot"]).is_err());
        assert!(parse(&["--data"]).is_err());
        assert_eq!(parse(&["-h"]).unwrap(), None);
    }
}
