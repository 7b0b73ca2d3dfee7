//! A call of a parallel function: its place in the journal, and what is recorded there.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use super::ParallelTimedOut;
use crate::base::{Error, Name};
use crate::kernel::JoinRule;
use crate::machine::digest::Digest;
use crate::machine::{Cx, Failure};
use crate::record::{
    BranchRecord, ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json, ParallelEnd, ParallelRecord,
};

/// How a parallel function is run: what its `#[parallel(…)]` says.
#[derive(Debug, Clone, Copy)]
pub struct ParallelPolicy {
    pub(in crate::machine) name: &'static str,
    /// The names of its branches, where each is written on its own.
    pub(in crate::machine) branches: &'static [&'static str],
    pub(in crate::machine) timeout: Option<Duration>,
    pub(in crate::machine) limit: usize,
    /// Whether there is a branch for each item of a list.
    pub(in crate::machine) each: bool,
    pub(in crate::machine) join: JoinRule,
}

impl ParallelPolicy {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, branches: &[], timeout: None, limit: usize::MAX, each: false, join: JoinRule::All }
    }

    #[must_use]
    pub const fn branches(mut self, branches: &'static [&'static str]) -> Self {
        self.branches = branches;
        self
    }

    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    #[must_use]
    pub const fn each(mut self, limit: usize, join: JoinRule) -> Self {
        self.limit = limit;
        self.join = join;
        self.each = true;
        self
    }

    pub(super) const fn some(name: &'static str, join: JoinRule) -> Self {
        let mut policy = Self::new(name);
        policy.join = join;
        policy
    }
}

/// What can be done with the values and errors of branches.
pub struct Judge<T, E> {
    pub describe: fn(&E) -> ErrorRecord,
    pub cut: fn(Error) -> Result<E, Error>,
    pub encode: fn(&T) -> Option<Json>,
    pub decode: fn(&Json) -> Option<T>,
}

impl<T, E> fmt::Debug for Judge<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Judge")
    }
}

/// One call: its place in the journal is taken when this is made.
#[derive(Debug)]
pub struct ParallelCall {
    /// Of what is called beside the branches.
    cx: Cx,
    pub(super) policy: ParallelPolicy,
    pub(super) key: Name,
}

impl ParallelCall {
    /// Takes the place in the journal of a call with these arguments.
    #[must_use]
    pub fn new(cx: &Cx, policy: ParallelPolicy, arguments: &Digest) -> Self {
        let key = cx.turn().claim(&[cx.caller(), policy.name, arguments.hex().text()]);
        Self { cx: cx.in_branch(&key), policy, key }
    }

    /// The context of what is called beside the branches.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        &self.cx
    }

    /// The workflow whose handler runs, if it is this one, for branches that run on their own.
    #[must_use]
    pub fn shared<W: Send + Sync + 'static>(&self, workflow: &W) -> Option<Arc<W>> {
        self.cx.shared(workflow)
    }

    /// The context of a branch.
    #[must_use]
    pub fn branch(&self, name: &str) -> Cx {
        self.cx.in_branch(&self.branch_key(name))
    }

    /// Notes that a branch failed whose failure the function has as a value.
    pub fn failed(&self, branch: &str, error: Option<ErrorRecord>) {
        if error.is_some() {
            self.branch_ended(&self.branch_key(branch), BranchRecord { error, ..BranchRecord::default() });
        }
    }

    pub(super) fn branch_key(&self, name: &str) -> Name {
        format!("{}:{name}", self.key).into()
    }

    /// What is recorded of the call; it is, from now on.
    pub(super) fn begin(&self, of: Option<u64>) -> ParallelRecord {
        if let Some(JournalResult::Parallel(record)) = self.cx.turn().recorded(&self.key).map(|entry| entry.result) {
            return record;
        }
        let record = ParallelRecord {
            name: Name::constant(self.policy.name),
            branches: self.policy.branches.iter().map(|branch| Name::constant(branch)).collect(),
            of,
            due: self.policy.timeout.map(|timeout| self.cx.turn().scope.services.clock.now() + timeout),
            end: None,
        };
        self.record(record.clone(), false);
        record
    }

    /// Records how the call ended. A result that the branches alone do not tell comes before anything that depends on it.
    pub(super) fn end(&self, begun: &ParallelRecord, of: Option<u64>, end: ParallelEnd) {
        if begun.end.is_none() {
            let decisive = begun.due.is_some() || !end.by().is_empty() || end == ParallelEnd::TimedOut;
            self.record(ParallelRecord { of: of.or(begun.of), end: Some(end), ..begun.clone() }, decisive);
        }
    }

    /// Records that a branch has ended, for people; and what it came to, if that is not found in its steps.
    pub(super) fn branch_ended(&self, key: &Name, branch: BranchRecord) {
        let turn = self.cx.turn();
        if turn.recorded(key).is_none() {
            turn.record_aside(JournalEntry::new(key, 0, JournalResult::Branch(branch)));
        }
    }

    fn record(&self, record: ParallelRecord, decisive: bool) {
        let entry = JournalEntry::new(self.key.clone(), 0, JournalResult::Parallel(record));
        match decisive {
            true => self.cx.turn().record(entry),
            false => self.cx.turn().record_aside(entry),
        }
    }

    pub(super) fn timed_out(&self) -> Error {
        let timeout = self.policy.timeout.unwrap_or_default();
        let timeout_millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        ParallelTimedOut { call: self.policy.name.to_owned(), timeout_millis }.into()
    }

    /// The error of the function's type that stands for `cut`; where there is none, ends the handler with it.
    pub(super) async fn cut<E>(&self, cut: Error, to_error: fn(Error) -> Result<E, Error>) -> E {
        match to_error(cut) {
            Ok(error) => error,
            Err(cut) => self.fail(Failure::failed(cut)).await,
        }
    }

    /// Ends the handler, as a panic in it would.
    pub(super) async fn panicked<T>(&self, branch: &str, message: &str) -> T {
        let text = format!("the branch `{branch}` of `{}` panicked: {message}", self.policy.name);
        self.fail(Failure { kind: ErrorKind::Panicked, error: Error::msg(text) }).await
    }

    async fn fail<T>(&self, failure: Failure) -> T {
        self.cx.turn().fail(failure);
        pending().await
    }
}
