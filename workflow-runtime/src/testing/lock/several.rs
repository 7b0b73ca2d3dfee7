//! Several workflows, held to the locks of one folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::judge::Kept;
use super::verify::{Advice, verify};
use super::{Code, Lock, LockError, Mode, Verified};

/// What the name of a lock file ends with.
pub(super) const EXTENSION: &str = "lock";

/// The folder of the locks: `workflows` beside the `Cargo.toml` of the package that cargo runs a program of, or else of the one
/// that it was compiled in, if that is still there.
pub(super) fn folder(compiled_in: Option<&str>) -> Result<PathBuf, LockError> {
    let run = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let compiled = || compiled_in.map(PathBuf::from).filter(|package| package.is_dir());
    Ok(run.or_else(compiled).ok_or(LockError::NoDirectory)?.join("workflows"))
}

/// One workflow, and what holding it to its lock came to.
#[derive(Debug)]
pub(super) struct Checked {
    /// Its persisted name; with the version, if there are several of that name.
    pub(super) label: String,
    pub(super) path: PathBuf,
    /// What is written where a lock is: what of it cannot be looked into.
    pub(super) note: String,
    pub(super) verified: Result<Verified, LockError>,
}

/// The code of one workflow, among that of all.
#[derive(Debug)]
struct Known {
    name: &'static str,
    version: u32,
    kept: bool,
    ty: &'static str,
}

/// Holds each of them to its lock in the folder, as `mode` allows. `advice` is how to go on with a workflow of that name.
pub(super) fn verify_all(
    codes: Vec<Code>,
    folder: &Path,
    mode: Mode,
    wanted: impl Fn(&str) -> bool,
    advice: impl Fn(&str) -> Advice,
) -> Vec<Checked> {
    let known: Vec<Known> = codes
        .iter()
        .map(|code| Known { name: code.workflow, version: code.version, kept: code.kept, ty: code.ty })
        .collect();
    // What is made now is not to be taken for what was there.
    let strangers = strangers(folder, &known.iter().map(|known| known.name).collect());
    let named = codes.into_iter().enumerate().filter(|(_, code)| wanted(code.workflow));
    let checked = named.map(|(place, code)| {
        let (name, path) = (code.workflow, code.path_in(folder));
        let has_namesake = known.iter().filter(|other| other.name == name).count() > 1;
        let label = if has_namesake { format!("{name} (version {})", code.version) } else { name.to_owned() };
        let advice = advice(name);
        let older = known.iter().filter(|other| other.name == name && other.kept && other.version < code.version);
        let kept = Kept { this: code.kept, older: older.map(|other| other.version).collect() };
        let lock = code.lock();
        let note = opaque_note(&lock);
        let verified = ambiguity(&known, place).and_then(|()| {
            if mode != Mode::Accept && !path.exists() {
                check_name(&lock, &path, &strangers, &advice)?;
            }
            verify(&path, mode, &lock, &kept, &advice)
        });
        Checked { label, path, note, verified }
    });
    checked.collect()
}

/// Names what the lock says to be opaque, as a line of its own; nothing if all of it was looked into.
fn opaque_note(lock: &Lock) -> String {
    let text = lock.to_string();
    let facts = text.lines().filter_map(|line| {
        let (_digits, fact) = line.split_once(' ')?;
        let (_version, fact) = fact.split_once(' ')?;
        let (name, shape) = fact.split_once(": ")?;
        let name = name.strip_prefix("type ").unwrap_or(name);
        shape.contains("opaque \"").then(|| format!("`{name}`"))
    });
    let names: BTreeSet<String> = facts.collect();
    if names.is_empty() {
        return String::new();
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    format!("  ? what changes inside of {names} is not noticed: serde does not tell what such a type reads\n")
}

/// Whether there is another one of the same name, for which the lock of that name would be.
fn ambiguity(known: &[Known], place: usize) -> Result<(), LockError> {
    let Some(Known { name, version, kept, ty }) = known.get(place) else { return Ok(()) };
    let told = |what| Err(LockError::Ambiguous { what });
    let mut others = known.iter().enumerate().filter(|(other, code)| *other != place && code.name == *name);
    if let Some((_, first)) = others.clone().find(|(other, code)| *other < place && code.version == *version) {
        if first.ty == *ty {
            return told(format!("`{ty}` is named twice: take one of the two out"));
        }
        return told(format!(
            "`{}` and `{ty}` are both saved as `{name}`, so they would have one lock, and no engine takes both. Give one a name of its own, `name = \"…\"` in its `#[workflow(…)]`; if they are one workflow with other type parameters, take one of the two out here",
            first.ty
        ));
    }
    match others.find(|(_, code)| code.version > *version) {
        Some((_, newer)) if !kept => told(format!(
            "`{ty}` is version {version} of `{name}`, and is not kept beside version {}, `{}`: write `keep` in its `#[workflow(…)]`, or take it out here, as the states of an older version are in the lock by `from({version} = …)`",
            newer.version, newer.ty
        )),
        _ => Ok(()),
    }
}

/// The lock files in the folder that are of none of these workflows, in order.
pub(super) fn strangers(folder: &Path, known: &BTreeSet<&str>) -> Vec<PathBuf> {
    // A folder that is not there has none; one that cannot be read is told of with the locks in it.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_stranger = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == EXTENSION)
            && path.file_stem().is_some_and(|stem| stem.to_str().is_none_or(|stem| !known.contains(stem)))
    };
    let mut found: Vec<_> = entries.filter(is_stranger).collect();
    found.sort();
    found
}

/// A workflow without a lock may be one with another name than it had: then what is stored under that would not be found.
fn check_name(code: &Lock, path: &Path, strangers: &[PathBuf], advice: &Advice) -> Result<(), LockError> {
    for stranger in strangers {
        // One that cannot be read is told of where it belongs.
        let Ok(Some(other)) = Lock::read(stranger) else { continue };
        if other.is_like(code) {
            return Err(LockError::Renamed {
                workflow: code.workflow.clone(),
                path: stranger.clone(),
                was: other.workflow,
                made: path.to_owned(),
                accept: advice.accept.clone(),
            });
        }
    }
    Ok(())
}

impl Lock {
    /// Whether nearly all that it has names of is in this code, too. Two names are those of any function with a start and an
    /// end.
    fn is_like(&self, code: &Self) -> bool {
        let (Some(own), Some(present)) = (self.versions.get(&self.newest()), code.versions.get(&code.newest())) else {
            return false;
        };
        let shared = own.roots.keys().filter(|(kind, name)| present.find(*kind, name).is_some()).count();
        shared > 2 && shared * 4 > own.roots.len() * 3
    }
}
