//! What the properties are written with: a store taken over, and records in few words.

use std::sync::Arc;

use super::Home;
use crate::base::{ExecutionId, Timestamp};
use crate::kernel::Advance;
use crate::record::{
    Activity, ControlAction, ErrorKind, ErrorRecord, ExecutionKey, ExecutionRecord, HistoryKind, HistoryRecord,
    JournalEntry, JournalResult, Json, NewEvent, ParkedRecord, TimerKind, TimerRecord, UndoOutput, UndoRecord,
};
use crate::store::{
    Change, Commit, Committed, Due, Epoch, Fence, HistoryRow, KnownWorkflow, Query, Refused, Store, Stored,
};

/// The workflow that most samples are of.
pub(super) const ORDERS: &str = "Orders";

/// A store under test that has been taken over.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The epoch of its youngest takeover.
    pub epoch: Epoch,
}

impl Bench {
    /// Opens the store of `home` and takes it over.
    pub async fn new(home: &impl Home) -> Self {
        let store = home.open().await;
        let epoch = store.acquire().await.unwrap();
        Self { store, epoch }
    }

    /// Applies one change.
    pub async fn change(&self, key: &ExecutionKey, change: Change) -> Result<Committed, Refused> {
        let outcomes = self.store.commit(vec![Commit { key: key.clone(), change }]).await.unwrap();
        assert_eq!(outcomes.len(), 1, "one outcome for each commit");
        outcomes[0]
    }

    pub(super) async fn create(&self, key: &ExecutionKey, record: ExecutionRecord) {
        assert_eq!(self.change(key, create(record)).await, Ok(Committed::Applied), "{key}");
    }

    pub(super) async fn deliver(&self, key: &ExecutionKey, event_id: &str) -> Result<Committed, Refused> {
        self.change(key, Change::Deliver { event: event(event_id) }).await
    }

    pub(super) async fn send(&self, key: &ExecutionKey, event_id: &str) {
        assert_eq!(self.deliver(key, event_id).await, Ok(Committed::Applied), "{event_id}");
    }

    /// Asks for something by hand.
    pub(super) async fn ask(&self, key: &ExecutionKey, event_id: &str) {
        let name = ControlAction::Retry.event_name().to_owned();
        let event = NewEvent { name, ..event(event_id) };
        assert_eq!(self.change(key, Change::Deliver { event }).await, Ok(Committed::Applied), "{event_id}");
    }

    pub(super) fn fenced(&self, visit: u64, advance: Advance) -> Change {
        Change::Advance { fence: Fence { visit, epoch: self.epoch }, advance: Box::new(advance) }
    }

    pub(super) async fn try_advance(
        &self,
        key: &ExecutionKey,
        visit: u64,
        advance: Advance,
    ) -> Result<Committed, Refused> {
        self.change(key, self.fenced(visit, advance)).await
    }

    pub(super) async fn advance(&self, key: &ExecutionKey, visit: u64, advance: Advance) {
        assert_eq!(self.try_advance(key, visit, advance).await, Ok(Committed::Applied), "{key}");
    }

    pub(super) async fn load(&self, key: &ExecutionKey) -> Stored {
        let mut stored = self.store.load(key).await.unwrap().unwrap_or_else(|| panic!("{key} is not there"));
        // Its order is not promised.
        stored.journal.sort_by(|one, other| one.key.cmp(&other.key));
        stored
    }

    pub(super) async fn history(&self, key: &ExecutionKey) -> Vec<HistoryRow> {
        self.store.history(key, 0, usize::MAX).await.unwrap()
    }

    pub(super) async fn due(&self, now: i64, limit: usize) -> Due {
        self.due_up_to(1, now, limit).await
    }

    /// What is due of a build that knows versions up to `version`.
    pub(super) async fn due_up_to(&self, version: u32, now: i64, limit: usize) -> Due {
        self.store.due(&[known(ORDERS, version)], at(now), limit).await.unwrap()
    }

    /// The ids that are due at `now`.
    pub(super) async fn due_ids(&self, now: i64) -> Vec<String> {
        ids(self.due(now, usize::MAX).await.ready)
    }

    /// The ids of a page, and whether there is a further one.
    pub(super) async fn list(&self, query: &Query) -> (Vec<String>, Option<ExecutionKey>) {
        let page = self.store.list(query).await.unwrap();
        (page.executions.iter().map(|summary| summary.id.to_string()).collect(), page.next)
    }

    /// Everything that can be read of `key`, to compare before and after.
    pub(super) async fn everything_of(&self, key: &ExecutionKey) -> (Option<Stored>, Vec<HistoryRow>, Due) {
        (self.store.load(key).await.unwrap(), self.history(key).await, self.due(i64::MAX, usize::MAX).await)
    }
}

pub(super) fn ids(keys: Vec<ExecutionKey>) -> Vec<String> {
    keys.into_iter().map(|key| key.id.to_string()).collect()
}

pub(super) fn key(id: &str) -> ExecutionKey {
    key_of(ORDERS, id)
}

pub(super) fn key_of(workflow: &str, id: &str) -> ExecutionKey {
    ExecutionKey { workflow: workflow.into(), id: ExecutionId::new(id).unwrap() }
}

pub(super) fn known(workflow: &str, version: u32) -> KnownWorkflow {
    KnownWorkflow { name: workflow.into(), version }
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(super) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

pub(super) fn create(record: ExecutionRecord) -> Change {
    let history = vec![started(&record)];
    Change::Create { record: Box::new(record), history }
}

/// A record of visit 1 that waits for events in the state `Pending` since 1,000.
pub(super) fn waiting() -> ExecutionRecord {
    let data = json(r#"{"order":"two \"big\" boxes","sum":12.5}"#);
    ExecutionRecord::new("Pending".to_owned(), data, at(1_000))
}

/// As [`waiting`], with a timer.
pub(super) fn waiting_until(due: i64) -> ExecutionRecord {
    let timer = TimerRecord { handler: "late".into(), due: at(due), fired: false, kind: TimerKind::After };
    ExecutionRecord { timers: vec![timer], ..waiting() }
}

/// As [`waiting`], with a handler to run since `entered_at`.
pub(super) fn running_since(entered_at: i64) -> ExecutionRecord {
    ExecutionRecord { activity: Activity::Entry, entered_at: at(entered_at), ..waiting() }
}

pub(super) fn ended() -> ExecutionRecord {
    let state = "Shipped".to_owned();
    ExecutionRecord { state: state.into(), visit: 2, entered_at: at(5_000), activity: Activity::Ended, ..waiting() }
}

pub(super) fn parked() -> ExecutionRecord {
    let parked = ParkedRecord { at: at(3_000), error: error("the carrier is gone") };
    ExecutionRecord { parked: Some(parked), ..running_since(1_000) }
}

pub(super) fn error(message: &str) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: vec!["timed out".to_owned()] }
}

pub(super) fn quarantine(message: &str) -> Change {
    Change::Quarantine { error: error(message), at: at(4_000) }
}

pub(super) fn event(event_id: &str) -> NewEvent {
    NewEvent {
        event_id: event_id.to_owned(),
        name: "Payment".into(),
        payload: json(r#"{"reference":"x"}"#),
        sent_at: at(2_000),
    }
}

pub(super) fn entry(key: &str, output: &str) -> JournalEntry {
    JournalEntry::new(key, 1, JournalResult::Done(json(output)))
}

/// A step that is to be undone: of this visit, at this place in it, on top of so many of earlier visits.
pub(super) fn undo(visit: u64, order: u64, older: u64) -> UndoRecord {
    UndoRecord {
        step: "reserve".to_owned(),
        key: format!("work:reserve:{visit}.{order}"),
        visit,
        edge_number: 0,
        order,
        older,
        output: UndoOutput::Known(json(r#"{"seat":7}"#)),
    }
}

pub(super) fn started(record: &ExecutionRecord) -> HistoryRecord {
    let kind = HistoryKind::Started { to: record.state.clone() };
    HistoryRecord::new(record.entered_at, record.visit, kind)
}

/// A row of history that can be told from others.
pub(super) fn retried(millis: i64) -> HistoryRecord {
    HistoryRecord::new(at(millis), 1, HistoryKind::Retried { state: "Pending".into() })
}

pub(super) fn event_left(event_id: &str) -> HistoryRecord {
    let kind = HistoryKind::EventLeft { event: "Payment".into(), event_id: event_id.to_owned() };
    HistoryRecord::new(ended().entered_at, ended().visit, kind)
}

pub(super) fn to(record: ExecutionRecord) -> Advance {
    Advance { record: Some(record), ..Advance::default() }
}
