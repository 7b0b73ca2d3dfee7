//! Layer 3: where executions live — the contract that every store keeps.
//!
//! A store holds, for each execution, its [record](ExecutionRecord), the journal of its visit, what is to be undone of
//! earlier ones, its inbox and its history. It decides nothing: it applies what it is handed, all or nothing, and refuses what is out of date.
//!
//! # What holds
//!
//! * **Atomic.** Each [`Commit`] is applied whole or not at all, also over a crash in the middle.
//! * **Durable.** When [`Store::commit`] has answered, what it accepted survives the loss of the process and of power.
//!   (The memory store says in its docs that it does not.)
//! * **In order.** Commits of one call are applied in their order; a call that is made after another was answered is
//!   applied after it. Calls under way at once are applied in some order.
//! * **Fenced.** An [`Advance`](Change::Advance) is refused unless its [`Fence`] is that of the execution: its visit, and
//!   the epoch of the youngest [`Store::acquire`]. A worker that was thought dead can write nothing.
//! * **Poisoned after a failed flush.** Once a write may or may not have reached the disk, every further call answers
//!   [`StoreError::Poisoned`] until the store is opened anew, which shows what did reach it.

mod error;
mod query;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use crate::kernel::Advance;
pub use error::StoreError;
pub use query::{ExecutionSummary, HistoryRow, Page, Query, StateCount};

use crate::base::Timestamp;
use crate::record::{
    Answer, ErrorRecord, EventRecord, ExecutionKey, ExecutionRecord, HistoryRecord, JournalEntry, NewEvent,
    ParentRecord, UndoPlace, UndoRecord,
};

/// What a store answers, some time later. It borrows nothing, and dropping it does not undo the call.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Where executions live. See the [module](self) for what every store keeps to.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Takes the store over: the answer is a new epoch, and every [`Advance`](Change::Advance) of an earlier one is
    /// refused from then on. After a crash the next epoch is a later one still.
    fn acquire(&self) -> StoreFuture<Epoch>;

    /// Applies each commit, and says for each what became of it. Refusals concern one commit; the others are applied.
    ///
    /// # Errors
    /// If nothing of the call was applied, or nobody can tell ([`StoreError::Poisoned`] from then on).
    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>>;

    /// All that is needed to go on with an execution; `None` if there is none of this key.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if what is stored of it cannot be believed: the others are not concerned.
    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>>;

    /// All that is needed to go on with each of these executions, in their order: of each what [`load`](Self::load) would
    /// say. One whose error is [`StoreError::Corrupt`] has that in its place, and hides none of the others. Each is answered
    /// as it stood at some time after the call was made, and not all at the same time.
    ///
    /// What waits for a place is read so. A store that reads many at less than they cost one by one has a method of
    /// its own; this one loads them one by one.
    ///
    /// # Errors
    /// Any other error of one of them, as it is one of the store.
    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        // Every call is made before one is waited for.
        let loads: Vec<_> = keys.iter().map(|key| self.load(key)).collect();
        Box::pin(async move {
            let mut all = Vec::with_capacity(loads.len());
            for load in loads {
                all.push(one_of_many(load.await)?);
            }
            Ok(all)
        })
    }

    /// The events that wait to be consumed and have a place after `after`, in order of arrival: those that have come since
    /// somebody read the inbox up to there. None if there is no such execution.
    ///
    /// A store that can read them alone has a method of its own; this one loads all of the execution.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if one of them cannot be believed.
    fn inbox(&self, key: &ExecutionKey, after: u64) -> StoreFuture<Vec<EventRecord>> {
        let load = self.load(key);
        Box::pin(async move {
            let inbox = load.await?.map(|stored| stored.inbox).unwrap_or_default();
            Ok(inbox.into_iter().filter(|event| event.seq > after).collect())
        })
    }

    /// The newest of what an execution that unwinds has left to undo, the newest last; `count` are left in all. It is what
    /// [`load`](Self::load) would say of them, and nothing if there is no such execution.
    ///
    /// A store that can read them alone has a method of its own; this one loads all of the execution.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if one of them cannot be believed, or is missing.
    fn undo(&self, key: &ExecutionKey, count: u64) -> StoreFuture<Vec<UndoRecord>> {
        // The record says it to the load.
        let _ = count;
        let load = self.load(key);
        Box::pin(async move { Ok(load.await?.map(|stored| stored.undo).unwrap_or_default()) })
    }

    /// The newest of what stands before `before` on the stack of an execution, the newest last: none if nothing does, and some
    /// dozens at the most. `None` if the store cannot read it. Unlike a load, it does not count what is missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if one of them cannot be believed.
    fn undo_before(&self, key: &ExecutionKey, before: UndoPlace) -> StoreFuture<Option<Vec<UndoRecord>>> {
        let _ = (key, before);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Who started this execution, as far as that can be made out: also where what is stored of it is damaged, so nothing of
    /// it is checked. It is there to tell whoever waits for the execution of that damage, and for nothing else. `None` if
    /// nobody did, or it cannot be made out.
    ///
    /// A store that can look past some damage has a method of its own; this one loads the execution.
    ///
    /// # Errors
    /// Those of the store; none for a damage.
    fn parent(&self, key: &ExecutionKey) -> StoreFuture<Option<ParentRecord>> {
        let load = self.load(key);
        Box::pin(async move { Ok(one_of_many(load.await)?.ok().flatten().and_then(|stored| stored.record.parent)) })
    }

    /// What is known of the event with this id that was delivered to an execution; `None` if there was none. Answers, too,
    /// are kept for good.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if its answer cannot be believed.
    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>>;

    /// The executions of these workflows that are due at `now`, the longest overdue first, at most `limit`; and when the
    /// first one after these is due, which is in the past if `limit` cut the answer short. Those of a newer version than the one
    /// that is asked for are passed over, however many they are.
    ///
    /// An execution is due at its record's [`wake_at`](ExecutionRecord::wake_at), and at once (which counts as its entry
    /// time) while its inbox holds an event past its [`inbox_seen`](ExecutionRecord::inbox_seen), unless it is parked or
    /// has ended. A [control event](NewEvent::control) in the inbox makes it due at once whether it is parked or not, unless
    /// it was quarantined after that event. It stays due until a commit changes that, so who works on some already asks for that many more.
    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due>;

    /// The executions that `query` asks for, in the order of workflow and id, a page at a time. Damaged ones are listed
    /// too.
    fn list(&self, query: &Query) -> StoreFuture<Page>;

    /// How many executions are in each state, by workflow, state and status, in that order.
    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>>;

    /// The history of an execution, oldest first, from the row after `after` (0 for the first), at most `limit` rows;
    /// empty if there is no such execution. Rows that were [dropped](Advance::keep_history) are passed over.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a row cannot be believed.
    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>>;
}

/// A workflow that is known, and up to which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownWorkflow {
    /// Its persisted name.
    pub name: Arc<str>,
    /// The newest version of it that is known.
    pub version: u32,
}

/// What [`Store::load_many`] says of one execution: the error concerns it alone.
pub type Loaded = Result<Option<Stored>, StoreError>;

/// An error that concerns one execution stays with it; any other is one of them all.
pub(crate) fn one_of_many(loaded: Loaded) -> Result<Loaded, StoreError> {
    match loaded {
        Err(error @ StoreError::Corrupt { .. }) => Ok(Err(error)),
        Err(error) => Err(error),
        Ok(stored) => Ok(Ok(stored)),
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn acquire(&self) -> StoreFuture<Epoch> {
        (**self).acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        (**self).commit(commits)
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        (**self).load(key)
    }

    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        (**self).load_many(keys)
    }

    fn inbox(&self, key: &ExecutionKey, after: u64) -> StoreFuture<Vec<EventRecord>> {
        (**self).inbox(key, after)
    }

    fn undo(&self, key: &ExecutionKey, count: u64) -> StoreFuture<Vec<UndoRecord>> {
        (**self).undo(key, count)
    }

    fn undo_before(&self, key: &ExecutionKey, before: UndoPlace) -> StoreFuture<Option<Vec<UndoRecord>>> {
        (**self).undo_before(key, before)
    }

    fn parent(&self, key: &ExecutionKey) -> StoreFuture<Option<ParentRecord>> {
        (**self).parent(key)
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        (**self).event(key, event_id)
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        (**self).due(workflows, now, limit)
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        (**self).list(query)
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        (**self).counts(workflow)
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        (**self).history(key, after, limit)
    }
}

/// Counts the takings-over of a store; the highest is the one that may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// What a worker must hold to write on behalf of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The visit that the worker believes the execution to be in, before the commit.
    pub visit: u64,
    /// The epoch that the worker acquired.
    pub epoch: Epoch,
}

/// A change to one execution, applied whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Which execution.
    pub key: ExecutionKey,
    /// What changes.
    pub change: Change,
}

/// An event that was delivered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KnownEvent {
    /// Its answer, if it has one.
    pub answer: Option<Answer>,
}

impl Stored {
    /// An execution in whose visit nothing has happened yet.
    #[must_use]
    pub fn new(record: ExecutionRecord) -> Self {
        Self { record, journal: Vec::new(), inbox: Vec::new(), undo: Vec::new() }
    }
}

impl KnownEvent {
    /// An event with this answer.
    #[must_use]
    pub fn new(answer: Option<Answer>) -> Self {
        Self { answer }
    }
}

/// What a [`Commit`] changes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Begins the execution, unless there is one of this key, ended or not: then nothing changes.
    Create {
        /// The new execution.
        record: Box<ExecutionRecord>,
        /// The first rows of its history.
        history: Vec<HistoryRecord>,
    },
    /// Puts an event into the inbox, unless one with its id was put there before, consumed or not: then nothing changes.
    /// It is not fenced, as its sender need not know the visit. It is refused at an end state, unless it is
    /// a repetition.
    Deliver {
        /// The event.
        event: NewEvent,
    },
    /// Takes the execution forward. It is refused if its fence is not that of the execution, or the execution has ended.
    ///
    /// Of the journal, first all is dropped that `drop_journal` says, then what `forget` says, then `journal` is added. Of
    /// what is to be undone it is the same, with `drop_undo`, `forget_undo` and `undo`, also at an end.
    /// If the record is one of an end state, the journal and the inbox go with it; an event that is
    /// in the inbox then and that `consumed` does not name, such as one that arrived just before, leaves a row
    /// [`EventLeft`](crate::record::HistoryKind::EventLeft) at the end of the history, so that none is lost silently.
    /// What `keep_history` says is done last, and costs no more than the rows that it drops.
    Advance {
        /// What the worker must still hold.
        fence: Fence,
        /// What changes.
        advance: Box<Advance>,
    },
    /// Marks a damaged execution as parked, and leaves what is stored of it as it is, for a person to look at. It counts as
    /// parked, also when it is loaded again after it was mended, until an [`Advance`](Self::Advance) brings a new record.
    /// It is refused at an end state.
    Quarantine {
        /// Why it cannot go on.
        error: ErrorRecord,
        /// When that was found.
        at: Timestamp,
    },
}

/// What became of a commit that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Committed {
    /// It was applied.
    Applied,
    /// An execution of this key, or an event of this id, was there already; nothing changed.
    Existed,
}

/// Why a commit was refused; nothing of it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The execution has moved on, or the store was taken over.
    #[error("the write is out of date: the execution has moved on, or another engine has taken the store over")]
    Fenced,
    /// There is no execution of this key.
    #[error("there is no such execution")]
    Unknown,
    /// The execution has ended.
    #[error("the execution has ended")]
    Ended,
}

/// All that is needed to go on with an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The execution.
    pub record: ExecutionRecord,
    /// The journal of its visit, in no particular order.
    pub journal: Vec<JournalEntry>,
    /// The events that wait to be consumed, in order of arrival.
    pub inbox: Vec<EventRecord>,
    /// The newest of what is to be undone, the newest last: all of it, or as many as the record
    /// [wants](ExecutionRecord::undo_wanted).
    pub undo: Vec<UndoRecord>,
}

/// What [`Store::due`] answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Due {
    /// What is due, the longest overdue first.
    pub ready: Vec<ExecutionKey>,
    /// When the first execution after these is due, if it has a time.
    pub next: Option<Timestamp>,
    /// The first newer version of each workflow of which executions wait for a time: who asked is too old for them.
    pub newer: Vec<KnownWorkflow>,
}
