//! The command that looks after a store, in the user's own program: it alone knows the workflows.

mod arguments;
mod migrate;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};

use self::arguments::{Asked, read, usage};
use super::forking::Fork;
use super::registry::{Registry, Versions};
use super::{EngineBuilder, EngineError, block_on, schedule};
use crate::base::ExecutionId;
use crate::record::ExecutionKey;
use crate::store::{Commit, Committed, Refused};

/// The exit code where something does not fit, or was refused.
const UNFIT: u8 = 1;

/// The exit code where the command could not be carried out, or was written wrongly.
const FAILED: u8 = 2;

/// What the command has to say.
struct Told {
    code: u8,
    output: String,
    error: String,
}

/// How far a long command is, for people.
struct Progress(Sender<String>);

impl Progress {
    fn say(&self, text: String) {
        // Whoever listens does so to the end.
        let _ = self.0.send(text);
    }
}

impl EngineBuilder {
    /// Has the program's arguments say what to do with the store, without starting an engine, and gives the exit code.
    /// `--help` says what there is:
    ///
    /// ```text
    /// check [--store FILE] [--json]
    /// migrate [--workflow NAME] [--dry-run] [--store FILE] [--json]
    /// fork FROM VISIT NEW_ID [--workflow NAME] [--store FILE]
    /// ```
    ///
    /// It is the whole of a program of its own, such as `src/bin/sales-store.rs`:
    ///
    /// ```no_run
    /// # use workflow_runtime::prelude::*;
    /// # #[state] pub struct Draft;
    /// # #[state(end)] pub struct Published;
    /// # pub struct Sale;
    /// # #[workflow(start = Draft)]
    /// # impl Sale { #[state] fn publish(&self, _: Draft) -> Published { Published } }
    /// use std::process::ExitCode;
    /// use workflow_runtime::Engine;
    ///
    /// fn main() -> ExitCode {
    ///     Engine::sqlite("sales.db").workflow(Sale).command()
    /// }
    /// ```
    ///
    /// so that a deployment begins with `sales-store check --store /var/lib/sales.db`. No handler runs, so the clients of the
    /// workflows need not reach anything.
    #[must_use]
    pub fn command(self) -> ExitCode {
        let mut arguments = std::env::args_os();
        let program = arguments.next();
        let program = program.as_deref().and_then(|program| Path::new(program).file_stem()?.to_str());
        // Not locked: what a migration prints is printed by another thread.
        self.run_as(program, arguments, &mut io::stdout(), &mut io::stderr()).into()
    }

    /// As [`command`](Self::command), with these arguments, for a program that has others of its own. What it says goes to
    /// `output`, and what is wrong to `errors`. Gives the exit code.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[state] pub struct Draft;
    /// # #[state(end)] pub struct Published;
    /// # pub struct Sale;
    /// # #[workflow(start = Draft)]
    /// # impl Sale { #[state] fn publish(&self, _: Draft) -> Published { Published } }
    /// use workflow_runtime::Engine;
    ///
    /// let (mut output, mut errors) = (Vec::new(), Vec::new());
    /// let code = Engine::in_memory().workflow(Sale).run_command(["check".into()], &mut output, &mut errors);
    /// assert_eq!((code, errors.len()), (0, 0));
    /// assert!(output.starts_with(b"0 of 0 executions go on with this code"));
    /// ```
    #[must_use]
    pub fn run_command(
        self,
        arguments: impl IntoIterator<Item = OsString>,
        output: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> u8 {
        self.run_as(None, arguments, output, errors)
    }

    fn run_as(
        self,
        program: Option<&str>,
        arguments: impl IntoIterator<Item = OsString>,
        output: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> u8 {
        let Told { code, output: text, error } = match read(arguments) {
            Ok(Asked::Help) => Told { code: 0, output: usage(program), error: String::new() },
            Ok(asked) => self.carry_out(asked, errors),
            Err(wrong) => {
                let help = program.map_or_else(|| "--help".to_owned(), |program| format!("{program} --help"));
                Told { code: FAILED, output: String::new(), error: format!("{wrong}\n`{help}` says what there is\n") }
            }
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

    fn carry_out(self, asked: Asked, errors: &mut dyn Write) -> Told {
        let (progress, said) = channel();
        let progress = Progress(progress);
        let run = move || match asked {
            Asked::Help => Told { code: 0, output: usage(None), error: String::new() },
            Asked::Check { store, json } => told(self.at(store).and_then(|builder| builder.run_check(json))),
            Asked::Fork { store, workflow, from, visit, to } => {
                told(self.at(store).and_then(|builder| builder.run_fork(workflow.as_deref(), &from, visit, &to)))
            }
            Asked::Migrate { store, asked } => {
                told(self.at(store).and_then(|builder| builder.run_migrate(&asked, &progress)))
            }
        };
        // In a runtime, a thread may not be blocked, and another one may.
        std::thread::scope(|scope| {
            let run = scope.spawn(run);
            for text in said {
                // It is not what was asked for, so nothing is lost with it.
                let _ = errors.write_all(text.as_bytes()).and_then(|()| errors.flush());
            }
            match run.join() {
                Ok(told) => told,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn at(self, store: Option<PathBuf>) -> Result<Self, Told> {
        match store {
            None => Ok(self),
            #[cfg(feature = "sqlite")]
            Some(path) => Ok(self.in_file(path)),
            #[cfg(not(feature = "sqlite"))]
            Some(_) => {
                Err(failed("`--store` names an SQLite file, and this program was built without the feature `sqlite`"))
            }
        }
    }

    fn run_check(self, json: bool) -> Result<Told, Told> {
        let report = block_on(self.check()).map_err(|error| self.error(&error))?;
        let output = match json {
            true => serde_json::to_string_pretty(&report).map_err(|error| failed(&error.to_string()))? + "\n",
            false => report.to_string(),
        };
        Ok(Told { code: if report.is_fit() { 0 } else { UNFIT }, output, error: String::new() })
    }

    fn run_fork(self, workflow: Option<&str>, from: &str, visit: u64, to: &str) -> Result<Told, Told> {
        let registry = self.registry().map_err(|error| self.error(&error))?;
        let (name, versions) = named(&registry, workflow)?;
        let id = |id: &str| ExecutionId::new(id).map_err(|error| failed(&format!("`{id}` is no id: {error}")));
        let key = |id| ExecutionKey { workflow: name.into(), id };
        let (from, to) = (key(id(from)?), key(id(to)?));
        let store = self.store_to_write().map_err(|error| self.error(&error.into()))?;
        let (now, keeps, _) = self.history_settings();
        let fork = Fork { store: &*store, versions, from: &from, visit, to: &to };
        let forked = block_on(async {
            let Some(commit) = fork.prepare(now, keeps).await? else { return Ok(false) };
            let key = commit.key.clone();
            let done = store.commit(vec![Commit { ..commit }]).await?.pop().unwrap_or(Err(Refused::Unknown));
            match done {
                Ok(Committed::Applied) => Ok(true),
                // Somebody has taken the id meanwhile: that is a fork of the same, or in the way.
                Ok(Committed::Existed) => fork.is_done().await.map(|_| false),
                Err(refused) => Err(EngineError::refused(refused, &key)),
            }
        });
        let forked = forked.map_err(|error| self.error(&error))?;
        let how = if forked { "is" } else { "is already" };
        Ok(Told {
            code: 0,
            output: format!("{to} {how} a fork of {from} at its visit {visit}\n"),
            error: String::new(),
        })
    }

    /// What an error comes to: one that is about what was asked for, or one that kept it from being found out.
    fn error(&self, error: &EngineError) -> Told {
        let is_refusal = matches!(error, EngineError::CannotFork { .. } | EngineError::UnknownExecution { .. });
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            // Writing to a text does not fail.
            let _ = write!(text, ": {error}");
            source = error.source();
        }
        if let Some(file) = self.file().map(|path| path.display().to_string()).filter(|file| !text.contains(file)) {
            text = format!("{file}: {text}");
        }
        Told { code: if is_refusal { UNFIT } else { FAILED }, ..failed(&text) }
    }
}

/// Whether these are arguments of the command.
///
/// # Errors
/// With what is wrong with them.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn reads_command(arguments: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    read(arguments).map(|_| ())
}

fn failed(text: &str) -> Told {
    Told { code: FAILED, output: String::new(), error: format!("{text}\n") }
}

fn told(done: Result<Told, Told>) -> Told {
    done.unwrap_or_else(|failed| failed)
}

/// The workflow of this name, or the only one that the program has.
fn named<'a>(registry: &'a Registry, workflow: Option<&'a str>) -> Result<(&'a str, &'a Versions), Told> {
    let (names, built_in) = (registry.names(), schedule::built_in().name());
    let own: Vec<&str> = names.iter().map(|name| &**name).filter(|name| *name != built_in).collect();
    let name = match (workflow, own.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => return Err(failed(&format!("name one of the workflows with `--workflow`: {}", own.join(", ")))),
    };
    match registry.get(name) {
        Some((name, versions)) => Ok((name, versions)),
        None => Err(failed(&format!("the program has no workflow `{name}`; it has {}", own.join(", ")))),
    }
}
