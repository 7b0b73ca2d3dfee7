//! How far the parallel calls of a visit are, read off the journal: no code is run for it.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::record::{ErrorRecord, JournalEntry, JournalResult, ParallelEnd, ParallelRecord};

/// How far one call of a `#[parallel]` function is, as of the last commit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ParallelProgress {
    /// The function's name; of [`Cx::race`](crate::Cx::race) and its kin, theirs.
    pub name: String,
    /// The key of the call in the journal. That of a call in a branch of another begins with the other's.
    pub key: String,
    /// How many branches there are; `None` of a list whose length is not known before its end.
    pub of: Option<u64>,
    /// How many of them have succeeded.
    pub done: u64,
    /// How many have failed.
    pub failed: u64,
    /// How many wait for the next attempt of a step.
    pub retrying: u64,
    /// The branches: all, where each has a name of its own; of a list, those that have failed or are retrying.
    pub branches: Vec<BranchProgress>,
    /// What the call came to, once it has ended.
    pub end: Option<ParallelEnd>,
}

impl ParallelProgress {
    /// How many branches have not ended: those that run, and those that are still to begin. `None` if the number of all is
    /// not known.
    #[must_use]
    pub fn open(&self) -> Option<u64> {
        Some(self.of?.saturating_sub(self.done + self.failed))
    }
}

/// How far one branch is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BranchProgress {
    /// The binding of the branch; of a list, the item as a short text, or else what its results are found by.
    pub name: String,
    /// How it stands.
    pub status: BranchStatus,
}

/// How a branch stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BranchStatus {
    /// It has not ended: it runs, or waits for other branches.
    Open,
    /// A step of it has failed and is tried again.
    Retrying {
        /// Why the last attempt failed.
        error: ErrorRecord,
        /// When the next attempt is due.
        due: Timestamp,
    },
    /// It has succeeded.
    Done,
    /// It has failed.
    Failed {
        /// Why.
        error: ErrorRecord,
    },
}

/// The parallel calls in a journal, by their keys.
#[must_use]
pub(crate) fn progress(journal: &[JournalEntry]) -> Vec<ParallelProgress> {
    let mut calls: BTreeMap<&str, Call<'_>> = BTreeMap::new();
    for entry in journal {
        if let JournalResult::Parallel(record) = &entry.result {
            calls.insert(&entry.key, Call { record, branches: BTreeMap::new() });
        }
    }
    for entry in journal {
        let branch = match &entry.result {
            JournalResult::Branch(branch) => match &branch.error {
                Some(error) => (BranchStatus::Failed { error: error.clone() }, branch.label.as_deref()),
                None => (BranchStatus::Done, None),
            },
            JournalResult::Retrying { error, due } => {
                (BranchStatus::Retrying { error: error.clone(), due: *due }, None)
            }
            _ => continue,
        };
        // It counts for all the calls that it is inside of; that a branch has ended, only for its own.
        let has_ended = !matches!(branch.0, BranchStatus::Retrying { .. });
        for (end, _) in entry.key.rmatch_indices(':') {
            let (Some(outer), Some(rest)) = (entry.key.get(..end), entry.key.get(end + 1..)) else { continue };
            let Some(call) = calls.get_mut(outer) else { continue };
            let name = if has_ended { rest } else { branch_in(rest) };
            let known = call.branches.entry(name).or_insert((BranchStatus::Open, None));
            if has_ended || matches!(known.0, BranchStatus::Open) {
                *known = branch.clone();
            }
            if has_ended {
                break;
            }
        }
    }
    calls.into_iter().map(|(key, call)| call.into_progress(key)).collect()
}

/// The branch that something is inside of: a name, or the digest of an item and its number.
fn branch_in(rest: &str) -> &str {
    let mut ends = rest.match_indices(':').map(|(end, _)| end);
    let first = ends.next().unwrap_or(rest.len());
    let is_digest = first == 32 && rest.bytes().take(first).all(|byte| byte.is_ascii_hexdigit());
    let end = if is_digest { ends.next().unwrap_or(rest.len()) } else { first };
    rest.get(..end).unwrap_or(rest)
}

struct Call<'a> {
    record: &'a ParallelRecord,
    /// How those stand of which anything is known, and what they are called for people.
    branches: BTreeMap<&'a str, (BranchStatus, Option<&'a str>)>,
}

impl Call<'_> {
    fn into_progress(self, key: &str) -> ParallelProgress {
        let Self { record, branches } = self;
        let count = |is: fn(&BranchStatus) -> bool| branches.values().filter(|(status, _)| is(status)).count() as u64;
        let (done, failed, retrying) = (
            count(|status| *status == BranchStatus::Done),
            count(|status| matches!(status, BranchStatus::Failed { .. })),
            count(|status| matches!(status, BranchStatus::Retrying { .. })),
        );
        let named = record.branches.iter().map(|name| {
            let status = branches.get(name.as_str()).map_or(BranchStatus::Open, |(status, _)| status.clone());
            BranchProgress { name: name.to_string(), status }
        });
        let listed = branches.iter().filter(|_| record.branches.is_empty());
        let listed = listed.filter(|(_, (status, _))| !matches!(status, BranchStatus::Done | BranchStatus::Open));
        let listed = listed.map(|(name, (status, label))| BranchProgress {
            name: label.unwrap_or(name).to_owned(),
            status: status.clone(),
        });
        ParallelProgress {
            name: record.name.to_string(),
            key: key.to_owned(),
            of: record.of,
            done,
            failed,
            retrying,
            branches: named.chain(listed).collect(),
            end: record.end.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BranchRecord, ErrorKind};

    fn error(message: &str) -> ErrorRecord {
        ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: Vec::new() }
    }

    fn call(key: &str, name: &str, branches: &[&str], of: Option<u64>) -> JournalEntry {
        let branches = branches.iter().map(|name| (*name).into()).collect();
        let record = ParallelRecord { name: name.into(), branches, of, due: None, end: None };
        JournalEntry::new(key, 0, JournalResult::Parallel(record))
    }

    fn ended(key: &str, error: Option<ErrorRecord>, label: Option<&str>) -> JournalEntry {
        let label = label.map(str::to_owned);
        JournalEntry::new(key, 0, JournalResult::Branch(BranchRecord { label, error, value: None }))
    }

    fn retrying(key: &str) -> JournalEntry {
        let due = Timestamp::from_millis(9);
        JournalEntry::new(key, 1, JournalResult::Retrying { error: error("busy"), due })
    }

    #[test]
    fn named_branches_are_all_there() {
        let journal = [
            call("run:checks:ab:0", "checks", &["fraud", "stock", "address"], Some(3)),
            ended("run:checks:ab:0:fraud", None, None),
            retrying("run:checks:ab:0:stock:reserve:cd:0"),
        ];
        let [checks] = progress(&journal).try_into().unwrap();
        assert_eq!((checks.name.as_str(), checks.of, checks.open()), ("checks", Some(3), Some(2)));
        assert_eq!((checks.done, checks.failed, checks.retrying), (1, 0, 1));
        let retrying = BranchStatus::Retrying { error: error("busy"), due: Timestamp::from_millis(9) };
        let branches: Vec<_> = checks.branches.into_iter().map(|branch| (branch.name, branch.status)).collect();
        let expected = [("fraud", BranchStatus::Done), ("stock", retrying), ("address", BranchStatus::Open)];
        assert_eq!(branches, expected.map(|(name, status)| (name.to_owned(), status)));
    }

    #[test]
    fn of_a_list_those_are_told_that_somebody_may_have_to_look_at() {
        let [one, two, three] = ["1", "2", "3"].map(|digit| format!("run:load:ab:0:{}:0", digit.repeat(32)));
        let journal = [
            call("run:load:ab:0", "load", &[], Some(10_000)),
            ended(&one, None, None),
            ended(&two, Some(error("gone")), Some("\"b.csv\"")),
            retrying(&format!("{three}:fetch:cd:0")),
        ];
        let [load] = progress(&journal).try_into().unwrap();
        assert_eq!((load.done, load.failed, load.retrying, load.open()), (1, 1, 1, Some(9_998)));
        let names: Vec<_> = load.branches.iter().map(|branch| branch.name.as_str()).collect();
        assert_eq!(names, ["\"b.csv\"", &format!("{}:0", "3".repeat(32))]);
    }

    #[test]
    fn a_branch_is_retrying_if_a_call_inside_of_it_is() {
        let journal = [
            call("run:outer:ab:0", "outer", &["left", "right"], Some(2)),
            call("run:outer:ab:0:left:inner:cd:0", "inner", &["one"], Some(1)),
            ended("run:outer:ab:0:left:inner:cd:0:one", None, None),
            retrying("run:outer:ab:0:right:ask:ef:0"),
        ];
        let [outer, inner] = progress(&journal).try_into().unwrap();
        assert_eq!((outer.done, outer.retrying, inner.done), (0, 1, 1));
        assert_eq!(outer.branches[0].status, BranchStatus::Open);
    }
}
