//! The line between a process and its store: it is cut when the process dies.

use std::fmt;
use std::sync::Arc;

use super::fuse::{Fate, Fuse};
use super::seed::chosen;
use super::tape::Tape;
use super::told::describe;
use super::watchdog::Watchdog;
use crate::base::Name;
use crate::kernel::Advance;
use crate::record::{ExecutionKey, JournalResult};
use crate::store::{Change, Commit, Committed, Epoch, Refused, Store, StoreError, StoreFuture};
use crate::testing::coverage::{Glance, Observer};
use crate::testing::reads::forward_reads;

/// An answer takes up to this many turns of the others, as the seed has it.
const MOST_TURNS: u64 = 4;

/// The store as one process sees it.
pub(super) struct Line {
    pub(super) store: Arc<dyn Store>,
    pub(super) process: u64,
    /// Whether a failure of the store is the end of the process.
    pub(super) supervised: bool,
    pub(super) seed: u64,
    pub(super) fuse: Arc<Fuse>,
    pub(super) tape: Arc<Tape>,
    pub(super) watchdog: Arc<Watchdog>,
    pub(super) observer: Option<Arc<Observer>>,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("store", &self.store)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// What an acknowledged commit says of the results of steps.
struct Results {
    key: ExecutionKey,
    saved: Vec<Name>,
    /// Whether what the handler has done is part of the past.
    is_over: bool,
}

impl Line {
    /// What a process hears of a call: nothing, if it is dead by then.
    fn heard<T: Send + 'static>(
        &self,
        answer: StoreFuture<T>,
        acknowledge: impl FnOnce(&Tape, &T) + Send + 'static,
    ) -> StoreFuture<T> {
        let turns = chosen(self.seed, u128::from(self.watchdog.call())) % MOST_TURNS;
        let (fuse, tape, process) = (Arc::clone(&self.fuse), Arc::clone(&self.tape), self.process);
        let supervised = self.supervised;
        Box::pin(async move {
            let answer = answer.await;
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            match &answer {
                Err(error) if supervised && !matches!(error, StoreError::Corrupt { .. }) => fuse.fail(process, error),
                _ => {}
            }
            if fuse.is_dead(process) {
                fuse.buried(process).await;
                return Err(died());
            }
            if let Ok(answer) = &answer {
                acknowledge(&tape, answer);
            }
            answer
        })
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&dyn Store) -> StoreFuture<T>) -> StoreFuture<T> {
        if self.fuse.is_dead(self.process) {
            return self.nothing();
        }
        self.heard(read(&*self.store), |_, _| {})
    }

    /// Hands commits to the store, and tells the observer of those that are on disk, whoever else hears of it.
    fn written(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        let Some(observer) = self.observer.clone() else { return self.store.commit(commits) };
        let glances = Glance::at(&commits);
        let answer = self.store.commit(commits);
        Box::pin(async move {
            let outcomes = answer.await?;
            for (glance, outcome) in glances.into_iter().zip(&outcomes) {
                if let (Some(glance), Ok(_)) = (glance, outcome) {
                    observer.committed(glance);
                }
            }
            Ok(outcomes)
        })
    }

    /// Nothing is heard, until nobody listens.
    fn nothing<T: Send + 'static>(&self) -> StoreFuture<T> {
        let buried = self.fuse.buried(self.process);
        Box::pin(async move {
            buried.await;
            Err(died())
        })
    }
}

fn died() -> StoreError {
    StoreError::Poisoned { reason: "the simulated process has died".to_owned() }
}

impl Store for Line {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.read(|store| store.acquire())
    }

    fn commit(&self, mut commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        if self.fuse.is_dead(self.process) {
            return self.nothing();
        }
        self.watchdog.wrote();
        let fate = self.fuse.write(commits.len());
        let written = match fate {
            Fate::Lost => 0,
            Fate::Torn => commits.len() / 2,
            Fate::Written | Fate::Unanswered => commits.len(),
        };
        for commit in &commits[..written] {
            self.tape.written(commit);
        }
        if fate != Fate::Written {
            self.tape.crashed(describe(&commits));
        }
        match fate {
            Fate::Written => {
                let results: Vec<_> = commits.iter().map(results_of).collect();
                self.heard(self.written(commits), move |tape, outcomes| {
                    for (results, outcome) in results.into_iter().zip(outcomes) {
                        if outcome.is_ok() {
                            results.saved.iter().for_each(|call| tape.saved(&results.key, call));
                            if results.is_over {
                                tape.over(&results.key);
                            }
                        }
                    }
                })
            }
            Fate::Lost => self.nothing(),
            Fate::Torn => {
                commits.truncate(written);
                self.heard(self.written(commits), |_, _| {})
            }
            Fate::Unanswered => self.heard(self.written(commits), |_, _| {}),
        }
    }

    forward_reads!();
}

fn results_of(commit: &Commit) -> Results {
    let mut results = Results { key: commit.key.clone(), saved: Vec::new(), is_over: false };
    if let Change::Advance { advance, .. } = &commit.change {
        let Advance { journal, drop_journal, .. } = &**advance;
        results.is_over = *drop_journal;
        let is_result =
            |result: &JournalResult| matches!(result, JournalResult::Done(_) | JournalResult::Failed { .. });
        results.saved =
            journal.iter().filter(|entry| is_result(&entry.result)).map(|entry| entry.key.clone()).collect();
    }
    results
}
