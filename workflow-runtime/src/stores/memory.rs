//! A store that forgets.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rules::{Head, Pending, event_left};
use crate::base::{Name, Quick, Timestamp};
use crate::kernel::Advance;
use crate::record::{
    Answer, AttributeValue, EventRecord, ExecutionKey, ExecutionRecord, HistoryRecord, JournalEntry, NewEvent,
    ParkedRecord, ReplyRecord, Status, UNDO_AT_ONCE, UndoPlace, UndoRecord,
};
use crate::store::{
    Change, Commit, Committed, Due, Epoch, ExecutionSummary, Fence, HistoryRow, KnownEvent, KnownWorkflow, Loaded,
    Page, Query, Refused, StateCount, Store, StoreFuture, Stored,
};

/// A store in the memory of the process: for tests, and for work that may be lost.
///
/// It keeps the whole contract of [`Store`] but one point: **nothing survives the end of the process.** Clones share one
/// store, so that a second engine on a clone finds what the first one left, as after a restart.
///
/// ```
/// let store = workflow_runtime::MemoryStore::new();
/// let same_store = store.clone();
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    // Held only to read or change plain data, never over an await.
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    epoch: u64,
    executions: HashMap<ExecutionKey, Kept, Quick>,
    /// Their keys, for those who look through them in order.
    keys: BTreeSet<ExecutionKey>,
    /// What is due, by version: those that a build is too old for are not in its way.
    due: BTreeMap<u32, BTreeSet<(Timestamp, ExecutionKey)>>,
}

struct Kept {
    record: ExecutionRecord,
    quarantine: Option<ParkedRecord>,
    journal: HashMap<Name, JournalEntry, Quick>,
    undo: BTreeMap<UndoPlace, UndoRecord>,
    inbox: BTreeMap<u64, NewEvent>,
    event_ids: HashSet<String>,
    replies: BTreeMap<String, Answer>,
    last_event: u64,
    last_control: u64,
    history: VecDeque<HistoryRecord>,
    /// How many rows were dropped from the front of the history.
    history_dropped: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing below panics half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        formatter.debug_struct("MemoryStore").field("executions", &shared.executions.len()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn acquire(&self) -> StoreFuture<Epoch> {
        let mut shared = self.lock();
        shared.epoch += 1;
        ready(Epoch(shared.epoch))
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        let mut shared = self.lock();
        ready(commits.into_iter().map(|commit| shared.apply(commit)).collect())
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        ready(self.lock().executions.get(key).map(Kept::stored))
    }

    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        let shared = self.lock();
        ready(keys.iter().map(|key| Ok(shared.executions.get(key).map(Kept::stored))).collect())
    }

    fn inbox(&self, key: &ExecutionKey, after: u64) -> StoreFuture<Vec<EventRecord>> {
        ready(self.lock().executions.get(key).map(|kept| kept.inbox_after(after)).unwrap_or_default())
    }

    fn undo(&self, key: &ExecutionKey, _: u64) -> StoreFuture<Vec<UndoRecord>> {
        ready(self.lock().executions.get(key).map(|kept| kept.newest_undo(UNDO_AT_ONCE)).unwrap_or_default())
    }

    fn undo_before(&self, key: &ExecutionKey, before: UndoPlace) -> StoreFuture<Option<Vec<UndoRecord>>> {
        ready(Some(self.lock().executions.get(key).map(|kept| kept.undo_before(before)).unwrap_or_default()))
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        let shared = self.lock();
        let known = shared.executions.get(key).filter(|kept| kept.event_ids.contains(event_id));
        ready(known.map(|kept| KnownEvent::new(kept.replies.get(event_id).cloned())))
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        let shared = self.lock();
        let newest = workflows.iter().map(|known| known.version).max().unwrap_or(0);
        let mut first = Vec::new();
        for (version, waiting) in shared.due.range(..=newest) {
            let is_known = |key: &ExecutionKey| {
                workflows.iter().any(|known| known.name == key.workflow && *version <= known.version)
            };
            let known = waiting.iter().filter(|(_, key)| is_known(key)).take(limit.saturating_add(1));
            // Those that are due, and the one after them.
            for waiting in known {
                first.push(waiting);
                if waiting.0 > now {
                    break;
                }
            }
        }
        first.sort();
        let mut due = Due::default();
        for known in workflows {
            let mut newer = shared.due.range((Bound::Excluded(known.version), Bound::Unbounded));
            let newer = newer.find(|(_, waiting)| waiting.iter().any(|(_, key)| key.workflow == known.name));
            due.newer
                .extend(newer.map(|(version, _)| KnownWorkflow { name: Arc::clone(&known.name), version: *version }));
        }
        for (wake_at, key) in first {
            if *wake_at > now || due.ready.len() == limit {
                due.next = Some(*wake_at);
                break;
            }
            due.ready.push(key.clone());
        }
        ready(due)
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        let shared = self.lock();
        let mut page = Page::default();
        let after = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let keys = shared.keys.range((after, Bound::Unbounded));
        for (key, kept) in keys.filter_map(|key| Some((key, shared.executions.get(key)?))) {
            if !kept.is_asked_for(key, query) {
                continue;
            }
            if page.executions.len() == query.limit {
                page.next = page.executions.last().map(ExecutionSummary::key);
                break;
            }
            page.executions.push(kept.summary(key));
        }
        ready(page)
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        let shared = self.lock();
        let mut counts = BTreeMap::new();
        for (key, kept) in &shared.executions {
            if workflow.is_none_or(|workflow| workflow == &*key.workflow) {
                let place = (Arc::clone(&key.workflow), kept.record.state.clone(), kept.head().status);
                *counts.entry(place).or_insert(0) += 1;
            }
        }
        let count = |((workflow, state, status), count): ((_, Name, _), _)| StateCount {
            workflow,
            state: state.into(),
            status,
            count,
        };
        ready(counts.into_iter().map(count).collect())
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        let shared = self.lock();
        ready(shared.executions.get(key).map(|kept| kept.history_after(after, limit)).unwrap_or_default())
    }
}

fn ready<T: Send + 'static>(answer: T) -> StoreFuture<T> {
    Box::pin(std::future::ready(Ok(answer)))
}

impl Shared {
    fn apply(&mut self, commit: Commit) -> Result<Committed, Refused> {
        let Commit { key, change } = commit;
        let Change::Create { record, history } = change else {
            let kept = self.executions.get_mut(&key).ok_or(Refused::Unknown)?;
            if is_of_journal_alone(&change) {
                return kept.apply(change, Epoch(self.epoch));
            }
            let due_before = kept.due();
            let committed = kept.apply(change, Epoch(self.epoch))?;
            let due = kept.due();
            self.reschedule(key, due_before, due);
            return Ok(committed);
        };
        if self.executions.contains_key(&key) {
            return Ok(Committed::Existed);
        }
        let kept = Kept::new(*record, history);
        let due = kept.due();
        self.executions.insert(key.clone(), kept);
        self.keys.insert(key.clone());
        self.reschedule(key, None, due);
        Ok(Committed::Applied)
    }

    fn reschedule(&mut self, key: ExecutionKey, before: Option<DueAt>, after: Option<DueAt>) {
        if before == after {
            return;
        }
        if let Some(DueAt { version, wake_at }) = before
            && let Some(waiting) = self.due.get_mut(&version)
        {
            waiting.remove(&(wake_at, key.clone()));
        }
        if let Some(DueAt { version, wake_at }) = after {
            self.due.entry(version).or_default().insert((wake_at, key));
        }
    }
}

/// Where an execution stands among those that are due some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DueAt {
    version: u32,
    wake_at: Timestamp,
}

/// Whether a change leaves everything as it is that an execution can be due for.
fn is_of_journal_alone(change: &Change) -> bool {
    matches!(change, Change::Advance { advance, .. } if advance.record.is_none() && advance.consumed.is_empty())
}

impl Kept {
    fn new(record: ExecutionRecord, history: Vec<HistoryRecord>) -> Self {
        Self {
            record,
            quarantine: None,
            journal: HashMap::default(),
            undo: BTreeMap::new(),
            inbox: BTreeMap::new(),
            event_ids: HashSet::new(),
            replies: BTreeMap::new(),
            last_event: 0,
            last_control: 0,
            history: history.into(),
            history_dropped: 0,
        }
    }

    fn head(&self) -> Head {
        let mut head = Head::of(&self.record);
        if self.quarantine.is_some() {
            head.status = Status::Parked;
        }
        head
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let last = self.inbox.last_key_value().map_or(0, |(seq, _)| *seq);
        self.head().wake_at(Pending { last, last_control: self.last_control })
    }

    fn due(&self) -> Option<DueAt> {
        Some(DueAt { version: self.record.version, wake_at: self.wake_at()? })
    }

    fn apply(&mut self, change: Change, epoch: Epoch) -> Result<Committed, Refused> {
        match change {
            Change::Create { .. } => Ok(Committed::Existed),
            Change::Deliver { event } => self.deliver(event),
            Change::Advance { fence, advance } => self.advance(fence, epoch, *advance),
            Change::Quarantine { error, at } => {
                self.head().admit_unless_ended()?;
                self.quarantine = Some(ParkedRecord { at, error });
                self.last_control = 0;
                Ok(Committed::Applied)
            }
        }
    }

    fn deliver(&mut self, event: NewEvent) -> Result<Committed, Refused> {
        if self.event_ids.contains(&event.event_id) {
            return Ok(Committed::Existed);
        }
        self.head().admit_unless_ended()?;
        self.event_ids.insert(event.event_id.clone());
        self.last_event += 1;
        if event.control().is_some() {
            self.last_control = self.last_event;
        }
        self.inbox.insert(self.last_event, event);
        Ok(Committed::Applied)
    }

    fn advance(&mut self, fence: Fence, epoch: Epoch, mut advance: Advance) -> Result<Committed, Refused> {
        self.head().admit_advance(fence, epoch)?;
        advance.apply_undo(&mut self.undo);
        if advance.drop_journal {
            self.journal.clear();
        }
        for key in &advance.forget {
            self.journal.remove(key);
        }
        self.journal.extend(advance.journal.into_iter().map(|entry| (entry.key.clone(), entry)));
        for seq in &advance.consumed {
            self.inbox.remove(seq);
        }
        if advance.consumed.contains(&self.last_control) {
            self.last_control = 0;
        }
        self.history.extend(advance.history);
        for ReplyRecord { event_id, answer } in advance.replies {
            self.replies.entry(event_id).or_insert(answer);
        }
        if let Some(record) = advance.record {
            self.record = record;
            self.quarantine = None;
            if self.record.status().is_over() {
                self.end();
            }
        }
        if let Some(keep) = advance.keep_history {
            self.trim_history(keep);
        }
        Ok(Committed::Applied)
    }

    fn trim_history(&mut self, keep: u64) {
        let keep = usize::try_from(keep.max(1)).unwrap_or(usize::MAX);
        let too_many = self.history.len().saturating_sub(keep);
        self.history.drain(..too_many);
        self.history_dropped += too_many as u64;
    }

    fn history_after(&self, after: u64, limit: usize) -> Vec<HistoryRow> {
        let skipped = usize::try_from(after.saturating_sub(self.history_dropped)).unwrap_or(usize::MAX);
        let numbered = (self.history_dropped + 1..).zip(&self.history);
        let row = |(seq, record): (u64, &HistoryRecord)| HistoryRow { seq, record: record.clone() };
        numbered.skip(skipped).take(limit).map(row).collect()
    }

    fn end(&mut self) {
        let head = self.head();
        let left = std::mem::take(&mut self.inbox).into_values();
        self.history.extend(left.map(|event| event_left(&head, event)));
        self.journal = HashMap::default();
    }

    fn inbox_after(&self, after: u64) -> Vec<EventRecord> {
        let event = |(seq, event): (&u64, &NewEvent)| EventRecord { seq: *seq, event: event.clone() };
        self.inbox.range((Bound::Excluded(after), Bound::Unbounded)).map(event).collect()
    }

    /// So many of what is to be undone, the newest last.
    fn newest_undo(&self, wanted: usize) -> Vec<UndoRecord> {
        let mut undo: Vec<_> = self.undo.values().rev().take(wanted).cloned().collect();
        undo.reverse();
        undo
    }

    fn undo_before(&self, before: UndoPlace) -> Vec<UndoRecord> {
        let mut undo: Vec<_> =
            self.undo.range(..before).rev().take(UNDO_AT_ONCE).map(|(_, undo)| undo.clone()).collect();
        undo.reverse();
        undo
    }

    fn stored(&self) -> Stored {
        let mut journal: Vec<_> = self.journal.values().cloned().collect();
        journal.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        let mut record = self.record.clone();
        if let Some(quarantine) = &self.quarantine {
            record.parked = Some(quarantine.clone());
        }
        let undo = self.newest_undo(record.undo_wanted());
        Stored { record, journal, inbox: self.inbox_after(0), undo }
    }

    /// Why it is parked, if it is.
    fn parked(&self) -> Option<&ParkedRecord> {
        let parked = self.quarantine.as_ref().or(self.record.parked.as_ref());
        parked.filter(|_| self.head().status == Status::Parked)
    }

    fn is_asked_for(&self, key: &ExecutionKey, query: &Query) -> bool {
        let status = self.head().status;
        let error = self.parked().map(|parked| &parked.error).or(self.record.last_error());
        let text = || error.map(|error| error.to_string().to_ascii_lowercase());
        let has = |(name, value): &(String, AttributeValue)| {
            let expected = value.to_json().ok();
            expected.is_some() && self.record.attributes.get(name) == expected.as_ref()
        };
        query.workflow.as_ref().is_none_or(|workflow| *workflow == key.workflow)
            && (query.states.is_empty() || query.states.iter().any(|state| self.record.state == *state))
            && (query.statuses.is_empty() || query.statuses.contains(&status))
            && query.version.is_none_or(|version| self.record.version == version)
            && query.before_version.is_none_or(|version| self.record.version < version)
            && query.entered_before.is_none_or(|time| self.record.entered_at < time)
            && query
                .error
                .as_ref()
                .is_none_or(|part| text().is_some_and(|text| text.contains(&part.to_ascii_lowercase())))
            && (query.error_kinds.is_empty() || error.is_some_and(|error| query.error_kinds.contains(&error.kind)))
            && query.attributes.iter().all(has)
            && query
                .stuck_before
                .is_none_or(|time| error.is_some() || self.wake_at().is_some_and(|wake_at| wake_at < time))
    }

    fn summary(&self, key: &ExecutionKey) -> ExecutionSummary {
        let Head { visit, status, entered_at, .. } = self.head();
        let mut summary = ExecutionSummary::new(key.clone(), self.record.state.to_string(), status, visit, entered_at);
        summary.version = self.record.version;
        summary.wake_at = self.wake_at();
        let parked = self.parked();
        summary.error = parked.map(|parked| parked.error.clone());
        summary.parked_at = parked.map(|parked| parked.at);
        summary.failing = self.record.failing.clone();
        summary
    }
}
