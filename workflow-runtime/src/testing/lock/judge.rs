//! The code as it is beside the lock as it was recorded: what fits, what does not, and what the lock becomes.

use std::collections::{BTreeMap, BTreeSet};

use super::Lock;
use super::compare::{Difference, compare};
use super::section::{Kind, Section};

/// What came of holding the code to a lock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    /// The lock that the code would have.
    pub(super) lock: Lock,
    /// What is different, each with the version that it is different in: first what does not fit.
    pub(super) differences: Vec<(u32, Difference)>,
}

/// Which code is kept for the executions of its version, once there is a newer one.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// Whether the code that is judged is.
    pub(super) this: bool,
    /// The older versions whose code is known to be.
    pub(super) older: BTreeSet<u32>,
}

impl Judgement {
    pub(super) fn breaks(&self) -> bool {
        self.differences.iter().any(|(_, difference)| difference.breaks)
    }
}

/// Holds the code to what was recorded of it.
///
/// | the version of the code | is held to |
/// |---|---|
/// | the newest recorded one | all of its section, which it then replaces |
/// | a newer one | the steps and events of the newest section, as there are no migrations for these; a section is added |
/// | older ones that it names | the states of their sections, which stay as they are |
/// | an older one that is `kept` beside a newer one | all of its section, and nothing else |
///
/// A newer version has to say what becomes of executions of the recorded one, if the code of that is not kept.
pub(super) fn judge(recorded: &Lock, code: &Lock, kept: &Kept) -> Judgement {
    let mut lock = recorded.clone();
    let mut differences = Vec::new();
    let newest = recorded.newest();
    for (version, section) in &code.versions {
        let is_present = *version == code.newest();
        let found = match recorded.versions.get(version) {
            Some(old) if is_present => {
                lock.versions.insert(*version, section.clone());
                compare(old, section)
            }
            Some(old) => compare(&states(old), section).into_iter().filter(|difference| difference.breaks).collect(),
            None => {
                lock.versions.insert(*version, section.clone());
                Vec::new()
            }
        };
        differences.extend(found.into_iter().map(|difference| (*version, difference)));
    }
    if code.newest() < newest && !kept.this {
        let text = format!(
            "the lock has version {newest}, and the code says that it is of version {}: a version never goes back",
            code.newest()
        );
        differences.push((newest, Difference { breaks: true, kind: None, text }));
    }
    if let (true, Some(old), Some(new)) =
        (code.newest() > newest, recorded.versions.get(&newest), code.versions.get(&code.newest()))
    {
        let broken = compare(&common(old, new), new).into_iter().filter(|difference| difference.breaks);
        differences.extend(broken.map(|difference| (newest, difference)));
        if !code.versions.contains_key(&newest) && !kept.older.contains(&newest) {
            let text = format!(
                "executions may be of version {newest}, and the code of version {} has no way from there: write `from({newest} = …)` and migrations, or `keep` the code of version {newest} beside it and name both here",
                code.newest()
            );
            differences.push((newest, Difference { breaks: true, kind: None, text }));
        }
        let text = format!("version {} is new", code.newest());
        differences.push((code.newest(), Difference { breaks: false, kind: None, text }));
    }
    differences.sort_by_key(|(_, difference)| !difference.breaks);
    Judgement { lock, differences }
}

/// The lock that is recorded whatever does not fit: what the code says, beside the older versions that it does not speak of, or
/// that it can read.
pub(super) fn accepted(mut recorded: Lock, code: &Lock, kept: bool) -> Lock {
    let newest = code.newest();
    recorded.versions.retain(|version, _| kept || *version <= newest);
    for (version, section) in &code.versions {
        let is_read = recorded.versions.get(version).is_some_and(|old| {
            *version < newest && compare(&states(old), section).iter().all(|difference| !difference.breaks)
        });
        if !is_read {
            recorded.versions.insert(*version, section.clone());
        }
    }
    recorded
}

/// The states alone.
fn states(section: &Section) -> Section {
    let roots = section.roots.iter().filter(|((kind, _), _)| *kind == Kind::State);
    Section {
        roots: roots.map(|(key, root)| (key.clone(), root.clone())).collect(),
        edges: Default::default(),
        types: section.types.clone(),
    }
}

/// What has no migrations and is there in both.
fn common(old: &Section, new: &Section) -> Section {
    let roots = old.roots.iter().filter(|((kind, name), _)| *kind != Kind::State && new.find(*kind, name).is_some());
    Section {
        roots: roots.map(|(key, root)| (key.clone(), root.clone())).collect::<BTreeMap<_, _>>(),
        edges: Default::default(),
        types: old.types.clone(),
    }
}

#[cfg(test)]
mod tests;
