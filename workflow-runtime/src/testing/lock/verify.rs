//! A lock file, read, held to the code and written.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, io};

use super::compare::Difference;
use super::judge::{Judgement, Kept, accepted, judge};
use super::parse::parse;
use super::print::print;
use super::section::Kind;
use super::{Lock, LockError};

/// What may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// What fits is recorded, and a lock that is missing is made.
    #[default]
    Record,
    /// Nothing: the lock has to be there and up to date.
    Check,
    /// What does not fit, too: nothing of it is stored, or it does not matter any more.
    Accept,
}

impl Mode {
    /// What the environment asks for: `WORKFLOW_LOCK=accept` or `WORKFLOW_LOCK=check`; else nothing is written where `CI` is
    /// set.
    ///
    /// # Errors
    /// [`LockError::UnknownMode`].
    pub fn from_env() -> Result<Self, LockError> {
        let value = |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self::of(value("WORKFLOW_LOCK").as_deref(), value("CI").as_deref())
    }

    fn of(lock: Option<&str>, ci: Option<&str>) -> Result<Self, LockError> {
        match (lock.unwrap_or_default(), ci.unwrap_or_default()) {
            ("accept", _) => Ok(Self::Accept),
            ("check", _) => Ok(Self::Check),
            ("", "" | "0" | "false") => Ok(Self::Record),
            ("", _) => Ok(Self::Check),
            (value, _) => Err(LockError::UnknownMode { value: value.to_owned() }),
        }
    }
}

/// What is said of how to go on, by who checks.
#[derive(Debug, Clone)]
pub(super) struct Advice {
    /// How what fits is recorded: the beginning of a sentence.
    pub(super) record: String,
    /// How what does not fit is recorded, as a command.
    pub(super) accept: String,
}

impl Advice {
    /// Where a test checks.
    pub(super) fn of_test() -> Self {
        Self {
            record: "Run `cargo test` with neither CI nor WORKFLOW_LOCK set".to_owned(),
            accept: "`WORKFLOW_LOCK=accept cargo test`".to_owned(),
        }
    }
}

/// What was done with a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verified {
    /// The code is as it is recorded.
    Same,
    /// There was no lock, and now there is.
    Made,
    /// The lock was brought up to date. What was different, a line for each.
    Recorded(String),
}

impl Lock {
    /// The lock in a file; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is not as it was written.
    pub fn read(path: &Path) -> Result<Option<Self>, LockError> {
        Ok(read(path)?.map(|(lock, _)| lock))
    }
}

fn read(path: &Path) -> Result<Option<(Lock, String)>, LockError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LockError::Io { path: path.to_owned(), source }),
    };
    // What is no text is found with its line. A checkout may have ends of lines of its own, and an editor a mark at the beginning.
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let text = text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text);
    match parse(&text) {
        Ok(lock) => Ok(Some((lock, text))),
        Err(source) => Err(LockError::Unreadable { path: path.to_owned(), source }),
    }
}

pub(super) fn verify(
    path: &Path,
    mode: Mode,
    code: &Lock,
    kept: &Kept,
    advice: &Advice,
) -> Result<Verified, LockError> {
    let Some((recorded, text)) = read(path)? else {
        if mode == Mode::Check {
            let (workflow, record) = (code.workflow.clone(), advice.record.clone());
            return Err(LockError::Missing { workflow, path: path.to_owned(), record });
        }
        write(path, &print(code))?;
        return Ok(Verified::Made);
    };
    if recorded.workflow != code.workflow {
        let (found, workflow) = (recorded.workflow, code.workflow.clone());
        return Err(LockError::Foreign { path: path.to_owned(), found, workflow });
    }
    let mut judgement = judge(&recorded, code, kept);
    if judgement.breaks() {
        if mode != Mode::Accept {
            return Err(LockError::Broken { report: report(path, &recorded, code, &judgement, advice) });
        }
        judgement.lock = accepted(recorded, code, kept.this);
    } else if judgement.lock == recorded && mode == Mode::Check {
        return Ok(Verified::Same);
    }
    let changes = listed(&judgement, |_| true);
    let new = print(&judgement.lock);
    if new == text {
        return Ok(Verified::Same);
    }
    if mode == Mode::Check {
        return Err(LockError::Stale { path: path.to_owned(), changes, record: advice.record.clone() });
    }
    write(path, &new)?;
    Ok(Verified::Recorded(changes))
}

/// Writes the whole file or nothing of it, as another test may read it at this moment, or write it.
fn write(path: &Path, text: &str) -> Result<(), LockError> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let new =
            path.with_extension(format!("lock.new-{}-{}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed)));
        fs::write(&new, text).and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
    };
    write().map_err(|source| LockError::Io { path: path.to_owned(), source })
}

/// The differences, a line for each.
fn listed(judgement: &Judgement, wanted: impl Fn(&Difference) -> bool) -> String {
    let wanted = judgement.differences.iter().filter(|(_, difference)| wanted(difference));
    let mut text = String::new();
    for (version, Difference { breaks, text: difference, .. }) in wanted {
        let mark = if *breaks { '!' } else { '+' };
        let _ = writeln!(text, "  {mark} version {version}: {difference}");
    }
    text
}

fn report(path: &Path, recorded: &Lock, code: &Lock, judgement: &Judgement, advice: &Advice) -> String {
    let workflow = &recorded.workflow;
    let (breaks, fits) =
        (listed(judgement, |difference| difference.breaks), listed(judgement, |difference| !difference.breaks));
    let newest = recorded.newest();
    let next = code.newest().max(newest + 1);
    let mut text = format!(
        "the code of `{workflow}` cannot read what executions were saved as. Against {}:\n\n{breaks}",
        path.display()
    );
    if !fits.is_empty() {
        let _ = write!(text, "\nThese are different, too, and fit:\n\n{fits}");
    }
    if code.newest() < newest {
        let _ = write!(
            text,
            "\nThe lock is of version {newest}, and this code is of version {}: build the newer code, or take the lock back to what it was\nwith this one.\n",
            code.newest()
        );
        return text;
    }
    let broken = || judgement.differences.iter().filter(|(_, difference)| difference.breaks);
    let frozen: BTreeSet<_> = broken().map(|(version, _)| *version).filter(|version| *version < newest).collect();
    for version in &frozen {
        let _ = write!(
            text,
            "\nThe types of version {version} stay as they were, as executions of it are stored: put them back. One that the present version has,
too, and that is to change there, is copied into `mod v{version}` as it was; and the enum in `from({version} = …)` has all states of
that version in it, those that did not change as well.\n"
        );
    }
    if broken().all(|(version, _)| frozen.contains(version)) {
        return text;
    }
    // What is different in no type has its way out in its line.
    if broken().any(|(_, difference)| difference.kind.is_some()) {
        write_ways(&mut text, workflow, (newest, next), broken().map(|(_, difference)| difference.kind));
    }
    let _ = writeln!(text, "\nIf no execution of it is stored anywhere, {} records it as it is.", advice.accept);
    text
}

/// The two ways out of what is broken in these kinds of types.
fn write_ways(
    text: &mut String,
    workflow: &str,
    (newest, next): (u32, u32),
    mut kinds: impl Iterator<Item = Option<Kind>> + Clone,
) {
    text.push_str(
        "
There are two ways out:

  1. Make it compatible, so that old data can be read: put back what is gone, let what is new be missing (`Option`,
     `#[serde(default)]`), and give names as the lines say.
",
    );
    let is_other = |kind: Option<Kind>| kind.is_some_and(|kind| kind != Kind::State);
    if kinds.clone().all(is_other) {
        text.push_str(
            "  2. Events and steps have no migrations: give what is new another name, and leave the old one as long as it\n     may be stored.\n",
        );
    } else {
        let _ = write!(
            text,
            "  2. Make it a new version, with migrations. Keep the old types of the states in a module, together in an enum, and say
     what becomes of each:

         mod v{newest} {{ … #[state(group)] pub enum States {{ … }} }}

         #[workflow(…, version = {next}, from({newest} = v{newest}::States))]
         impl {workflow} {{
             #[migrate(from = {newest})] fn …(old: v{newest}::…) -> … {{ … }}
"
        );
        if kinds.any(is_other) {
            text.push_str(
                "\n     Events and steps have no migrations: give what is new another name, and leave the old one as long as it\n     may be stored.\n",
            );
        }
    }
}

#[cfg(test)]
mod tests;
