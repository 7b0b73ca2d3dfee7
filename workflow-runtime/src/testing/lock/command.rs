//! The command that holds workflows to their locks: what [`lock_command!`](crate::lock_command) makes a program of.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};

use super::error::missing;
use super::several::{Checked, folder, strangers, verify_all};
use super::verify::Advice;
use super::{Code, LockError, Mode, Verified, told};

/// The exit code where something does not fit.
const UNFIT: u8 = 1;

/// The exit code where that could not be found out.
const FAILED: u8 = 2;

/// The command: the workflows that it is about. [`lock_command!`](crate::lock_command) writes the whole program.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # #[state] pub struct Asked;
/// # #[state(end)] pub struct Answered;
/// # #[event] pub struct Answer;
/// # pub struct Question;
/// # #[workflow(start = Asked)]
/// # impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
/// use workflow_runtime::testing::lock::{Code, LockCommand};
///
/// let command = LockCommand::default().of(Code::of::<Question>());
/// let (mut output, mut errors) = (Vec::new(), Vec::new());
/// assert_eq!(command.run_with(["show".into()], &mut output, &mut errors), 0);
/// assert!(String::from_utf8(output).unwrap().contains("\nworkflow Question\n"));
/// ```
#[derive(Debug, Default)]
pub struct LockCommand {
    package: Option<&'static str>,
    codes: Vec<Code>,
}

/// What the command is asked for.
#[derive(Debug)]
struct Asked {
    what: What,
    workflows: Vec<String>,
    folder: Option<PathBuf>,
}

#[derive(Debug)]
enum What {
    Help,
    Show,
    Verify(Mode),
}

/// What the command has to say.
#[derive(Debug, Default)]
struct Told {
    code: u8,
    output: String,
    error: String,
}

impl LockCommand {
    /// For the locks beside the `Cargo.toml` in this folder, where cargo does not run the program.
    #[must_use]
    pub fn beside(mut self, package: Option<&'static str>) -> Self {
        self.package = package;
        self
    }

    /// With the code of one workflow.
    #[must_use]
    pub fn of(mut self, code: Code) -> Self {
        self.codes.push(code);
        self
    }

    /// Does what the arguments of the program say, and gives the exit code.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.run_with(env::args_os().skip(1), &mut io::stdout(), &mut io::stderr()).into()
    }

    /// Does what these arguments say. What it finds goes to `output`, and what is wrong with the arguments to `errors`. Gives the
    /// exit code.
    #[must_use]
    pub fn run_with(
        self,
        arguments: impl IntoIterator<Item = OsString>,
        output: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> u8 {
        let Told { code, output: text, error } = match read(Parser::from_args(arguments)) {
            Ok(asked) => self.carry_out(&asked),
            Err(error) => wrong(&error.to_string()),
        };
        // There is nowhere else to say that this cannot be written.
        let _ = errors.write_all(error.as_bytes()).and_then(|()| errors.flush());
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let _ = writeln!(errors, "cannot write what was found: {error}");
                FAILED
            }
            _ => code,
        }
    }

    fn carry_out(self, asked: &Asked) -> Told {
        let names: BTreeSet<&str> = self.codes.iter().map(|code| code.workflow).collect();
        let all = names.iter().copied().collect::<Vec<_>>().join(", ");
        if names.is_empty() && !matches!(asked.what, What::Help) {
            // That nothing was wrong with none would pass for an answer.
            return wrong("this program knows no workflow: give it the code of each, `.of(Code::of::<Fulfilment>())`");
        }
        if let Some(unknown) = asked.workflows.iter().find(|name| !names.contains(name.as_str())) {
            return wrong(&format!("there is no workflow `{unknown}` here; there is {all}"));
        }
        let wanted = |name: &str| asked.workflows.is_empty() || asked.workflows.iter().any(|wanted| wanted == name);
        let mode = match asked.what {
            What::Help => return Told { output: usage(&all), ..Told::default() },
            What::Show => {
                let locks = self.codes.into_iter().filter(|code| wanted(code.workflow));
                let locks: Vec<_> = locks.map(|code| code.lock().to_string()).collect();
                return Told { output: locks.join("\n"), ..Told::default() };
            }
            What::Verify(mode) => mode,
        };
        let folder = match asked.folder.clone().map_or_else(|| folder(self.package), Ok) {
            Ok(folder) => folder,
            Err(_) => {
                return wrong(
                    "it is not known where the locks are: let cargo run this program, or write `--dir` and their folder",
                );
            }
        };
        let orphans = strangers(&folder, &names);
        let program = invocation();
        let advice = |name: &str| {
            let rest = match &asked.folder {
                Some(folder) => format!("{name} --dir {}", quoted(folder)),
                None => name.to_owned(),
            };
            Advice { record: format!("Run `{program} record {rest}`"), accept: format!("`{program} accept {rest}`") }
        };
        let checked = verify_all(self.codes, &folder, mode, wanted, advice);
        let code = checked.iter().map(exit_code).max().unwrap_or_default();
        let orphans = if asked.workflows.is_empty() { orphans } else { Vec::new() };
        Told { code, output: report(&checked, &orphans), error: String::new() }
    }
}

fn wrong(what: &str) -> Told {
    Told { code: FAILED, output: String::new(), error: format!("{what}\n`--help` says what there is\n") }
}

fn usage(workflows: &str) -> String {
    format!(
        "\
Holds the code of workflows to their locks: the files that say what executions are saved as.

Usage: [check | record | accept | show] [WORKFLOW]... [--dir DIR]

  check      compares, and writes nothing; the same without a word
  record     writes what is different and fits what is stored, and makes locks that are missing
  accept     writes what is different and does not fit, too: right if nothing of it is stored anywhere
  show       prints the locks that the code would have, and reads no file

  WORKFLOW   only these; without, all that this program knows: {workflows}
  --dir DIR  the folder of the locks; without, `workflows` beside the Cargo.toml of the package
  --help     this text

Exit code: 0 if all fit, 1 if something does not, 2 if the arguments are wrong or a file cannot be read or written.
WORKFLOW_LOCK and CI mean something to `cargo test` alone.
"
    )
}

/// Reads the arguments, the name of the program not among them.
fn read(mut parser: Parser) -> Result<Asked, lexopt::Error> {
    let mut folder = None;
    let mut words: Vec<String> = Vec::new();
    let mut help = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => help = true,
            Arg::Long("dir") => match PathBuf::from(parser.value()?) {
                path if path.as_os_str().is_empty() => {
                    return Err("`--dir` is followed by the folder of the locks".into());
                }
                path => folder = Some(path),
            },
            Arg::Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let mut words = words.into_iter();
    let what = match words.next().as_deref() {
        _ if help => What::Help,
        Some("help") => What::Help,
        None | Some("check") => What::Verify(Mode::Check),
        Some("record") => What::Verify(Mode::Record),
        Some("accept") => What::Verify(Mode::Accept),
        Some("show") => What::Show,
        Some(word) => {
            return Err(format!(
                "there is no command `{word}`: write `check`, `record`, `accept` or `show`, and then which workflows, if not all"
            )
            .into());
        }
    };
    let workflows = if matches!(what, What::Help) { Vec::new() } else { words.collect() };
    Ok(Asked { what, workflows, folder })
}

/// How this program is run, as one would type it.
fn invocation() -> String {
    let program = env::current_exe().unwrap_or_default();
    let is_example = program.parent().and_then(Path::file_name).is_some_and(|folder| folder == "examples");
    match (env::var("CARGO_PKG_NAME"), program.file_stem()) {
        (Ok(package), Some(name)) if is_example => {
            format!("cargo run -p {package} --example {} --", name.display())
        }
        _ => quoted(Path::new(&env::args_os().next().unwrap_or_else(|| "lock".into()))),
    }
}

/// A path, so that it is one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) { format!("'{text}'") } else { text }
}

fn exit_code(checked: &Checked) -> u8 {
    match checked.verified {
        Ok(_) => 0,
        Err(LockError::Io { .. }) => FAILED,
        Err(_) => UNFIT,
    }
}

/// A line for each workflow, and then what more is to be said of those that do not fit.
fn report(checked: &[Checked], orphans: &[PathBuf]) -> String {
    let mut text = String::new();
    for Checked { label, path, note, verified } in checked {
        // Writing to a text does not fail.
        let _ = match verified {
            Ok(Verified::Same) => writeln!(text, "{label}: fits"),
            Ok(Verified::Made) => write!(text, "{label}: made {}: commit it\n{note}", path.display()),
            Ok(Verified::Recorded(changes)) => {
                write!(text, "{label}: wrote {}: commit it\n{changes}{note}", path.display())
            }
            Err(LockError::Missing { path, record, .. }) => {
                writeln!(text, "{label}: has no lock: {}", missing(path, record))
            }
            Err(error) => writeln!(text, "{label}: {}", in_short(error)),
        };
    }
    for orphan in orphans {
        let _ = writeln!(
            text,
            "{}: belongs to none of these. If a workflow was renamed, keep the name that it is stored by, with `name = \"…\"`; if it is gone and nothing of it is stored, delete the file",
            orphan.display()
        );
    }
    // Of a lock that is missing, the line says all.
    let has_more = |error: &&LockError| !matches!(error, LockError::Missing { .. });
    for error in checked.iter().filter_map(|checked| checked.verified.as_ref().err()).filter(has_more) {
        let _ = write!(text, "\n{}\n", told(error).trim_end());
    }
    text
}

fn in_short(error: &LockError) -> &'static str {
    match error {
        LockError::Broken { .. } => "does not fit",
        LockError::Missing { .. } => "has no lock",
        LockError::Renamed { .. } => "has no lock, and may have been renamed",
        LockError::Stale { .. } => "fits, and its lock is out of date",
        LockError::Unreadable { .. } => "its lock is not as it was written",
        LockError::Foreign { .. } => "its lock is that of another workflow",
        LockError::Ambiguous { .. } => "is named beside another one of that name",
        LockError::Io { .. } => "its lock cannot be read or written",
        LockError::UnknownMode { .. } | LockError::NoDirectory => "could not be looked at",
    }
}
