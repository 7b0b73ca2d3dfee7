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
use crate::store::{Change, Commit, Committed, Epoch, Loaded, Refused, Store, StoreError, StoreFuture, Stored};
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
        self.looked(read, |_, _| {})
    }

    fn looked<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> StoreFuture<T>,
        found: impl FnOnce(&Tape, &T) + Send + 'static,
    ) -> StoreFuture<T> {
        if self.fuse.is_dead(self.process) {
            return self.nothing();
        }
        self.heard(read(&*self.store), found)
    }

    /// Hands commits to the store, and tells the tape and the observer which are on disk, whoever else hears of it.
    fn written(&self, given: Vec<Option<u64>>, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        let (observer, tape) = (self.observer.clone(), Arc::clone(&self.tape));
        let glances = if observer.is_some() { Glance::at(&commits) } else { Vec::new() };
        let keys: Vec<_> = commits.iter().map(|commit| commit.key.clone()).collect();
        let answer = self.store.commit(commits);
        Box::pin(async move {
            let outcomes = answer.await?;
            for ((key, given), outcome) in keys.iter().zip(given).zip(&outcomes) {
                if let Some(number) = given {
                    tape.answered(key, number, outcome.is_ok());
                }
            }
            for (glance, outcome) in glances.into_iter().zip(&outcomes) {
                if let (Some(observer), Some(glance), Ok(_)) = (&observer, glance, outcome) {
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
        let given = self.tape.given(self.process, &commits[..written]);
        if fate != Fate::Written {
            self.tape.crashed(describe(&commits));
        }
        match fate {
            Fate::Written => {
                let results: Vec<_> = commits.iter().map(results_of).collect();
                self.heard(self.written(given, commits), move |tape, outcomes| {
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
                self.heard(self.written(given, commits), |_, _| {})
            }
            Fate::Unanswered => self.heard(self.written(given, commits), |_, _| {}),
        }
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        let (process, of) = (self.process, key.clone());
        self.looked(|store| store.load(key), move |tape, stored| tape.found(process, &of, stored.as_ref()))
    }

    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        let (process, of) = (self.process, keys.to_vec());
        let found = move |tape: &Tape, loaded: &Vec<Loaded>| {
            let read = of.iter().zip(loaded).filter_map(|(key, loaded)| Some((key, loaded.as_ref().ok()?)));
            read.for_each(|(key, stored)| tape.found(process, key, stored.as_ref()));
        };
        self.looked(|store| store.load_many(keys), found)
    }

    forward_reads!(others);
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
