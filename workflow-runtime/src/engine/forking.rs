//! Executions that begin where another one was.

use std::cmp::Ordering;
use std::fmt;

use super::registry::Versions;
use super::{Engine, EngineError, Execution};
use crate::base::{ExecutionId, Timestamp};
use crate::kernel::Kernel;
use crate::machine::Workflow;
use crate::record::{ExecutionKey, ForkRecord, JsonError, KeptState};
use crate::store::{Change, Commit, Store, StoreError, one_of_many};

/// How many rows of history are read at once.
const PAGE: usize = 256;

/// How many times that many are read to say what can be forked, at most.
const MOST_PAGES: usize = 100;

/// Why an execution was not forked. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkRefused {
    /// It has not had so many visits, or none is asked for.
    #[error("visits are counted from 1, and it has had {last} so far; {forkable}")]
    NoSuchVisit {
        /// Its present visit.
        last: u64,
        /// Those that can be.
        forkable: ForkableVisits,
    },
    /// The history has no data of that visit.
    #[error("the data of its states was not kept then, which takes engines with `.keep_state_data(true)`; {forkable}")]
    NotKept {
        /// Those that can be.
        forkable: ForkableVisits,
    },
    /// The rows of that visit were dropped from the history.
    #[error(
        "that visit is not in its history any more, of which `.keep_history(…)` keeps the last rows alone: have it keep more from now on; {forkable}"
    )]
    Trimmed {
        /// Those that can be.
        forkable: ForkableVisits,
    },
    /// Nothing goes on from there.
    #[error("`{state}` is an end state, and nothing goes on from there; {forkable}")]
    EndState {
        /// The state.
        state: String,
        /// The visits that can be forked.
        forkable: ForkableVisits,
    },
    /// The code has no such state.
    #[error(
        "this code has no state `{state}`: give the state that replaces it `was = \"{state}\"`, or fork with the code that has it"
    )]
    UnknownState {
        /// The persisted name of the state.
        state: String,
    },
    /// The data does not have the shape that the code expects.
    #[error(
        "the data of `{state}` cannot be read by this code: {reason}; mend the type, or fork with the code that wrote it"
    )]
    Unreadable {
        /// The persisted name of the state.
        state: String,
        /// Why.
        reason: String,
    },
    /// The state is one of another version of the workflow, and there is no way from there.
    #[error(
        "its state `{state}` was one of version {version} of the workflow, and this code is of version {known}: {reason}; fork with code that has that version"
    )]
    OtherVersion {
        /// The persisted name of the state.
        state: String,
        /// The version that it was of.
        version: u32,
        /// The version of the code.
        known: u32,
        /// Why there is no way.
        reason: String,
    },
    /// What is stored of it cannot be believed.
    #[error("what is stored of that visit is damaged: {reason}; fork another visit, or take the store from a backup")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// The id of the new execution is taken.
    #[error("the id `{id}` is that of another execution, which is no fork of this visit: choose another id")]
    IdTaken {
        /// The id.
        id: ExecutionId,
    },
}

/// The visits of an execution that can be forked, with this code: those whose data is kept, and the last one unless that is an
/// end state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForkableVisits {
    /// The first and the last of some that follow each other.
    ranges: Vec<(u64, u64)>,
    /// Whether there may be others.
    is_cut: bool,
}

impl ForkableVisits {
    /// Whether this one is among them.
    #[must_use]
    pub fn contains(&self, visit: u64) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&visit))
    }

    /// Adds one that is no earlier than those before.
    fn add(&mut self, visit: u64) {
        match self.ranges.last_mut() {
            Some((_, last)) if visit <= last.saturating_add(1) => *last = visit.max(*last),
            _ => self.ranges.push((visit, visit)),
        }
    }
}

impl fmt::Display for ForkableVisits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many are named.
        const NAMED: usize = 8;

        if self.ranges.is_empty() && !self.is_cut {
            return formatter.write_str("none of its visits can be forked, so start a new execution");
        }
        formatter.write_str("these of its visits can be forked: ")?;
        for (place, (first, last)) in self.ranges.iter().take(NAMED).enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            match first == last {
                true => write!(formatter, "{comma}{first}")?,
                false => write!(formatter, "{comma}{first} to {last}")?,
            }
        }
        match (self.ranges.is_empty(), self.is_cut || self.ranges.len() > NAMED) {
            (true, _) => formatter.write_str("perhaps some"),
            (false, true) => formatter.write_str(" and perhaps others"),
            (false, false) => Ok(()),
        }
    }
}

impl Engine {
    /// Begins a new execution of `W`, with the id `new_id`, in the state that the execution `from` was in at its visit `visit`,
    /// with the data of it: to try again what came after, with other code, or to look into it. Visits are counted from 1;
    /// the rows of the [history](Execution::history) have them.
    ///
    /// The data is what the state had last in that visit. For the present visit, it is that of the execution; for an earlier
    /// one, it is in the history if that [keeps it](super::EngineBuilder::keep_state_data). The execution `from` is not touched; it may
    /// be running, parked or over.
    ///
    /// The new execution enters the state as any execution enters it: its timers begin anew, and it has no events. **It has
    /// done nothing yet:** there is no journal, so steps run that the other has done, with idempotency keys of their own; and there
    /// is nothing to undo, so unwinding it undoes what it does itself. It has no parent.
    ///
    /// If there is an execution of the id `new_id` that is this fork already, it is left as it is and given back: a fork can be
    /// repeated safely.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::Engine;
    /// # #[state] pub struct Draft { text: String }
    /// # #[state] pub struct Review { text: String }
    /// # #[state(end)] pub struct Published;
    /// # #[event] pub struct Approved;
    /// # pub struct Article;
    /// # #[workflow(start = Draft, allow(endless_wait))]
    /// # impl Article {
    /// #     #[state] fn written(&self, draft: Draft) -> Review { Review { text: draft.text } }
    /// #     #[on] fn approved(&self, _: Review, _: Approved) -> Published { Published }
    /// # }
    /// # workflow_runtime::block_on(async {
    /// let engine = Engine::in_memory().workflow(Article).keep_state_data(true).start().await?;
    /// let article = engine.start::<Article>("first", Draft { text: "so it begins".into() }).await?;
    /// article.send(Approved).await?;
    /// article.outcome().await?;
    /// // Its second visit was that of `Review`.
    /// let again = engine.fork::<Article>("first", 2, "first-again").await?;
    /// assert!(matches!(again.state().await?, ArticleState::Review(review) if review.text == "so it begins"));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`EngineError::CannotFork`] says why, [`EngineError::UnknownExecution`], [`EngineError::InvalidId`],
    /// [`EngineError::UnknownWorkflow`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn fork<W: Workflow>(
        &self,
        from: impl AsRef<str>,
        visit: u64,
        new_id: impl AsRef<str>,
    ) -> Result<Execution<W>, EngineError> {
        let from = self.execution::<W>(from)?;
        let execution = self.execution::<W>(new_id)?;
        let (core, to) = (&self.core, execution.key());
        let (_, versions) = core.registry.get(W::NAME).ok_or_else(|| unknown_workflow::<W>())?;
        let fork = Fork { store: &**core.store(), versions, from: from.key(), visit, to };
        let is_new = match fork.prepare(core.now(), core.keep_state_data).await? {
            // Unless somebody was quicker.
            Some(commit) => core.start_all(vec![commit]).await? > 0 || !fork.is_done().await?,
            None => false,
        };
        Ok(execution.begun(is_new))
    }
}

/// A fork that is to be made.
pub(super) struct Fork<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) versions: &'a Versions,
    pub(super) from: &'a ExecutionKey,
    pub(super) visit: u64,
    pub(super) to: &'a ExecutionKey,
}

impl Fork<'_> {
    /// The commit that makes it; `None` if it is made.
    pub(super) async fn prepare(&self, now: Timestamp, keeps: bool) -> Result<Option<Commit>, EngineError> {
        if self.is_done().await? {
            return Ok(None);
        }
        let kept = self.find().await?;
        let kept = match self.fit(kept) {
            Err(ForkRefused::EndState { state, .. }) => {
                Err(self.refused(ForkRefused::EndState { state, forkable: self.forkable().await? }))
            }
            fit => fit.map_err(|why| self.refused(why)),
        }?;
        let plan = self.versions.of_version(kept.version).plan();
        let new = Kernel::fork(kept, &self.from.id, plan, now).keeping_state_data(keeps);
        let change = Change::Create { record: Box::new(new.record), history: vec![new.history] };
        Ok(Some(Commit { key: self.to.clone(), change }))
    }

    /// Whether there is this fork already.
    pub(super) async fn is_done(&self) -> Result<bool, EngineError> {
        let forked_from = ForkRecord { id: self.from.id.to_string(), visit: self.visit };
        match self.store.load(self.to).await? {
            None => Ok(false),
            Some(stored) if stored.record.forked_from == Some(forked_from) => Ok(true),
            Some(_) => Err(self.refused(ForkRefused::IdTaken { id: self.to.id.clone() })),
        }
    }

    fn refused(&self, why: ForkRefused) -> EngineError {
        EngineError::CannotFork { from: self.from.clone(), visit: self.visit, why }
    }

    fn damaged(&self, error: &StoreError) -> EngineError {
        self.refused(ForkRefused::Damaged { reason: error.to_string() })
    }

    /// The state of the visit, from the record or the history.
    async fn find(&self) -> Result<KeptState, EngineError> {
        let stored = match self.store.load(self.from).await {
            Ok(stored) => stored.ok_or_else(|| EngineError::UnknownExecution { key: self.from.clone() })?,
            // Its history may be whole.
            Err(StoreError::Corrupt { .. }) => return self.look_back(None).await,
            Err(error) => return Err(error.into()),
        };
        let last = stored.record.visit;
        match self.visit {
            visit if visit == last => Ok(KeptState::of(&stored.record)),
            visit if visit == 0 || visit > last => {
                Err(self.refused(ForkRefused::NoSuchVisit { last, forkable: self.forkable().await? }))
            }
            _ => self.look_back(Some(last)).await,
        }
    }

    /// The state of the visit, from the history. `last` is the present visit, if it is known.
    async fn look_back(&self, last: Option<u64>) -> Result<KeptState, EngineError> {
        let mut found = None;
        let mut damaged: Option<StoreError> = None;
        let mut damaged_rows = 0;
        let mut limit = PAGE;
        // Each visit has a row at least, so this one's are no earlier than that.
        let mut after = self.visit.saturating_sub(1);
        'pages: loop {
            let rows = match self.store.history(self.from, after, limit).await {
                Ok(rows) => rows,
                // What is damaged is passed over, row by row: it may be one of another visit.
                Err(StoreError::Corrupt { .. }) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                Err(error @ StoreError::Corrupt { .. }) => {
                    damaged = Some(error);
                    damaged_rows += 1;
                    after += 1;
                    // There may be no end to it, where the file itself cannot be read.
                    if damaged_rows > PAGE {
                        break;
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(end) = rows.last().map(|row| row.seq) else { break };
            for row in rows {
                if row.record.visit > self.visit {
                    break 'pages;
                }
                let is_of_visit = |kept: &KeptState| kept.visit == self.visit;
                found = row.record.kept.map(|kept| *kept).filter(is_of_visit).or(found);
            }
            after = end;
        }
        match (found, damaged) {
            (Some(kept), _) => Ok(kept),
            (None, Some(error)) => Err(self.damaged(&error)),
            (None, None) => Err(self.refused(self.missing(last).await?)),
        }
    }

    /// Why the history does not have the data of the visit.
    async fn missing(&self, last: Option<u64>) -> Result<ForkRefused, EngineError> {
        let oldest = self.store.history(self.from, 0, 1).await.map_err(|error| self.damaged(&error))?;
        let Some(oldest) = oldest.into_iter().next() else {
            return Err(EngineError::UnknownExecution { key: self.from.clone() });
        };
        Ok(match last {
            // The row that begins a visit is the last one of the visit before.
            _ if oldest.seq > 1 && oldest.record.visit >= self.visit => {
                ForkRefused::Trimmed { forkable: self.forkable().await? }
            }
            Some(_) => ForkRefused::NotKept { forkable: self.forkable().await? },
            None => ForkRefused::Damaged { reason: "its record, and the history has no data of that visit".to_owned() },
        })
    }

    /// What can be forked in place of what was asked for.
    async fn forkable(&self) -> Result<ForkableVisits, EngineError> {
        let mut forkable = ForkableVisits::default();
        let mut after = 0;
        for page in 0..=MOST_PAGES {
            let rows = match self.store.history(self.from, after, PAGE).await {
                Ok(rows) if page < MOST_PAGES => rows,
                Ok(rows) => {
                    forkable.is_cut = !rows.is_empty();
                    break;
                }
                Err(StoreError::Corrupt { .. }) => {
                    forkable.is_cut = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(end) = rows.last().map(|row| row.seq) else { break };
            for kept in rows.into_iter().filter_map(|row| row.record.kept) {
                let visit = kept.visit;
                if !forkable.contains(visit) && self.fit(*kept).is_ok() {
                    forkable.add(visit);
                }
            }
            after = end;
        }
        let stored = one_of_many(self.store.load(self.from).await)?.ok().flatten();
        // One that was cancelled or terminated is in the state that it was in.
        if let Some(record) = stored.map(|stored| stored.record)
            && self.fit(KeptState::of(&record)).is_ok()
        {
            forkable.add(record.visit);
        }
        Ok(forkable)
    }

    /// What an execution can begin with: the state as the code has it that goes on with its version, or the present code.
    fn fit(&self, kept: KeptState) -> Result<KeptState, ForkRefused> {
        let machine = self.versions.of_version(kept.version);
        let (version, known) = (kept.version, machine.plan().version());
        let state = kept.state.to_string();
        let other_version = |reason| ForkRefused::OtherVersion { state: state.clone(), version, known, reason };
        let kept = match version.cmp(&known) {
            Ordering::Equal => kept,
            Ordering::Greater => return Err(other_version("that is newer".to_owned())),
            Ordering::Less => {
                let migrated = machine.plan().migrate(version, &kept.state, &kept.data);
                let migrated = migrated.map_err(|error| other_version(error.to_string()))?;
                KeptState { state: migrated.state, data: migrated.data, version: known, ..kept }
            }
        };
        let state = kept.state.to_string();
        match machine.check_state(&kept.state, &kept.data) {
            None => Err(ForkRefused::UnknownState { state }),
            Some(Err(error)) => Err(ForkRefused::Unreadable { state, reason: why(&error) }),
            Some(Ok(())) if machine.plan().state(&kept.state).is_some_and(|plan| plan.end) => {
                Err(ForkRefused::EndState { state, forkable: ForkableVisits::default() })
            }
            Some(Ok(())) => Ok(kept),
        }
    }
}

fn unknown_workflow<W: Workflow>() -> EngineError {
    EngineError::UnknownWorkflow { workflow: W::NAME.to_owned() }
}

/// What is wrong with data, in the words of what has read it.
fn why(error: &JsonError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
