//! Compares all that is there with what is to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use workflow_runtime::record::{Answer, ExecutionKey, HistoryKind, Status};
use workflow_runtime::store::{HistoryRow, Query, StateCount, Store, Stored};
use workflow_runtime::{ExecutionId, SqliteStore, Workflow as _};

use crate::effects;
use crate::expected::{End, Expected};
use crate::load::{self, Plan, counter, queue};
use crate::log::{self, Ack, Effect};
use crate::program::{ACKS, EFFECTS, STORE};
use crate::summary::Summary;

/// So much of what is wrong is told in full.
const TOLD: usize = 3;

/// Everything that the processes have left in a folder.
pub struct Check {
    store: SqliteStore,
    path: PathBuf,
    acks: BTreeMap<u64, Vec<Ack>>,
    pieces: u64,
    effects: Vec<Effect>,
    seed: u64,
    wrong: Vec<(String, String)>,
}

impl Check {
    pub fn new(folder: &Path, seed: u64) -> Self {
        let all = log::acks(&folder.join(ACKS));
        let pieces = load::begun(&all);
        let mut acks: BTreeMap<u64, Vec<Ack>> = BTreeMap::new();
        for (number, ack) in all {
            acks.entry(number).or_default().push(ack);
        }
        let effects = log::effects(&folder.join(EFFECTS));
        let path = folder.join(STORE);
        let store = SqliteStore::open(&path).unwrap();
        Self { store, path, acks, pieces, effects, seed, wrong: Vec::new() }
    }

    /// What holds at any moment, also in the middle of everything.
    pub async fn in_between(mut self, foreign: &BTreeSet<String>) -> Result<(), String> {
        for number in 0..self.pieces {
            let (id, plan) = load::plan(self.seed, number);
            self.check_acks(number, &id, &plan).await;
        }
        self.check_whole(foreign).await;
        self.verdict().await
    }

    /// What holds when all is done.
    pub async fn at_the_end(mut self, foreign: &BTreeSet<String>) -> Result<Summary, String> {
        let mut by_execution: BTreeMap<String, Vec<Effect>> = BTreeMap::new();
        for effect in &self.effects {
            by_execution.entry(effect.execution.clone()).or_default().push(effect.clone());
        }
        let attempts = self.effects.iter().filter(|effect| !effect.has_ended).count();
        let mut known = foreign.clone();
        let mut repeated = 0;
        let stored = self.check_whole(foreign).await;
        for number in 0..self.pieces {
            let (id, plan) = load::plan(self.seed, number);
            self.check_acks(number, &id, &plan).await;
            let acks = self.acks.get(&number).map(Vec::as_slice).unwrap_or_default();
            let found = load::Found { executions: &stored, effects: &by_execution, acks };
            let of_found = plan.expected_of_found(&id, &found).unwrap_or_else(|error| {
                self.wrong.push((id.clone(), error));
                Vec::new()
            });
            for expected in plan.expected(&id).into_iter().chain(of_found) {
                let of_it = by_execution.remove(&expected.key()).unwrap_or_default();
                match effects::check(&expected, &of_it.iter().collect::<Vec<_>>()) {
                    Ok(repetitions) => repeated += repetitions,
                    Err(error) => self.is_wrong(&expected.key(), error),
                }
                self.check_end(&expected).await;
                known.insert(expected.key());
            }
        }
        for execution in by_execution.into_keys() {
            self.is_wrong(&execution, "nobody asked for this execution, and its steps ran".to_owned());
        }
        let most = effects::most_at_once(queue::SERVED, &self.effects);
        if most > queue::AT_ONCE {
            self.is_wrong("Guest", format!("{most} calls of a step with a limit of {} at once", queue::AT_ONCE));
        }
        for execution in stored.difference(&known) {
            self.is_wrong(execution, "nobody asked for this execution".to_owned());
        }
        let mut executions: BTreeMap<String, u64> = BTreeMap::new();
        for name in known.difference(foreign) {
            *executions.entry(key(name).workflow.to_string()).or_default() += 1;
        }
        let summary = Summary { pieces: self.pieces, executions, attempts, repeated, ..Summary::default() };
        self.verdict().await.map(|()| summary)
    }

    fn is_wrong(&mut self, execution: &str, error: String) {
        self.wrong.push((execution.to_owned(), error));
    }

    /// What was acknowledged is there.
    async fn check_acks(&mut self, number: u64, id: &str, plan: &Plan) {
        let acks = self.acks.get(&number).cloned().unwrap_or_default();
        let Some(workflow) = plan.expected(id).into_iter().find(|expected| expected.id == id) else { return };
        let key = key(&workflow.key());
        for ack in acks {
            match &ack {
                Ack::Begun | Ack::Noted(_) => {}
                Ack::Started | Ack::Done => {
                    if self.store.load(&key).await.unwrap().is_none() {
                        self.is_wrong(&key.to_string(), format!("{ack:?} was acknowledged, and it is not there"));
                    }
                }
                Ack::Sent(event) => {
                    if self.store.event(&key, event).await.unwrap().is_none() {
                        self.is_wrong(&key.to_string(), format!("the event `{event}` was acknowledged and is lost"));
                    }
                }
                Ack::Answered(event, answer) => {
                    let known = self.store.event(&key, event).await.unwrap().and_then(|known| known.answer);
                    let found = match known {
                        Some(Answer::Replied(json)) => json.text().to_owned(),
                        Some(Answer::Refused(json)) => {
                            json.decode::<BTreeMap<String, u64>>().unwrap()["sum"].to_string()
                        }
                        other => format!("{other:?}"),
                    };
                    if found != *answer {
                        let error = format!("`{event}` was answered with {answer}; what is stored is {found}");
                        self.is_wrong(&key.to_string(), error);
                    }
                }
            }
        }
        if let Plan::Counter(adds) = plan
            && self.acks.get(&number).is_some_and(|acks| acks.contains(&Ack::Done))
        {
            self.check_answers(&key, adds).await;
        }
    }

    /// The sums that were answered are those of adding every value once, one after the other.
    async fn check_answers(&mut self, key: &ExecutionKey, adds: &counter::Adds) {
        let mut sums = Vec::new();
        for (number, value) in adds.values.iter().enumerate() {
            let known = self.store.event(key, &counter::Adds::event_id(number)).await.unwrap();
            if let Some(Answer::Replied(json)) = known.and_then(|known| known.answer) {
                sums.push((json.decode::<u64>().unwrap(), *value));
            }
        }
        sums.sort_unstable();
        let mut sum = 0;
        let adds_up = sums.iter().all(|(answer, value)| {
            sum += value;
            *answer == sum
        });
        if sums.len() != adds.values.len() || !adds_up {
            self.is_wrong(&key.to_string(), format!("the answers are {sums:?} for {:?}", adds.values));
        }
    }

    /// The execution is where it is to be, and came there as its history says.
    async fn check_end(&mut self, expected: &Expected) {
        let name = expected.key();
        let stored = match self.store.load(&key(&name)).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return self.is_wrong(&name, "it is not there".to_owned()),
            Err(error) => return self.is_wrong(&name, format!("it cannot be read: {error}")),
        };
        let Stored { record, journal, inbox, undo } = stored;
        let is_in = |state: &str, data: &serde_json::Value| {
            let found: serde_json::Value = record.data.decode().unwrap();
            record.status() == Status::Ended && record.state == state && found == *data
        };
        let is_right = match &expected.end {
            End::InOrCancelled(state, data) => record.status() == Status::Cancelled || is_in(state, data),
            End::Cancelled => record.status() == Status::Cancelled,
            End::Terminated => record.status() == Status::Terminated,
            End::Resting(state) => record.status() == Status::Waiting && record.state == *state,
            End::In(state, data) => is_in(state, data),
        };
        if !is_right {
            let found = format!("{:?} in {} with {}", record.status(), record.state, record.data.text());
            self.is_wrong(&name, format!("it is to come to {:?}, and is {found}", expected.end));
        }
        if !journal.is_empty() || !inbox.is_empty() || !undo.is_empty() || record.left_to_undo() > 0 {
            let left = format!("a journal {journal:?}, an inbox {inbox:?} or something to undo {undo:?}");
            self.is_wrong(&name, format!("it has ended and has {left}"));
        }
        let history = self.store.history(&key(&name), 0, usize::MAX).await.unwrap();
        if let Some(states) = &expected.states {
            let entered: Vec<&str> = history.iter().filter_map(entered).collect();
            if entered != *states {
                self.is_wrong(&name, format!("it went through {entered:?} and not {states:?}"));
            }
        }
    }

    /// Every execution's record fits its history, the counts add up, and no row is left over. Gives all that there are.
    async fn check_whole(&mut self, foreign: &BTreeSet<String>) -> BTreeSet<String> {
        let all = self.store.list(&Query::default().limit(usize::MAX >> 1)).await.unwrap().executions;
        let mut counts: BTreeMap<(String, String, &str), u64> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for execution in &all {
            let name = execution.key().to_string();
            let place = (execution.workflow.to_string(), execution.state.clone(), execution.status.name());
            *counts.entry(place).or_default() += 1;
            if !foreign.contains(&name) {
                let history = self.store.history(&execution.key(), 0, usize::MAX).await.unwrap();
                if let Err(error) = check_history(&history, execution.visit, &execution.state) {
                    self.is_wrong(&name, error);
                }
            }
            names.insert(name);
        }
        let counted = self.store.counts(None).await.unwrap().into_iter().map(|counted| {
            let StateCount { workflow, state, status, count } = counted;
            ((workflow.to_string(), state, status.name()), count)
        });
        let counted: BTreeMap<_, _> = counted.collect();
        if counted != counts {
            self.is_wrong("all", format!("the counts say {counted:?}, the list {counts:?}"));
        }
        self.check_shards(&names).await;
        let wrong = check_rows(&self.path);
        self.wrong.extend(wrong.into_iter().map(|error| ("all".to_owned(), error)));
        names
    }

    /// What is found by an attribute is what has it.
    async fn check_shards(&mut self, names: &BTreeSet<String>) {
        let mut by_shard: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for name in names.iter().filter(|name| name.starts_with("Counter/")) {
            let stored = self.store.load(&key(name)).await.unwrap().unwrap();
            let data: serde_json::Value = stored.record.data.decode().unwrap();
            by_shard.entry(data["shard"].as_u64().unwrap()).or_default().insert(name.clone());
        }
        for shard in 0..counter::SHARDS {
            let query = Query::of::<counter::Counter>().attribute("shard", shard).limit(usize::MAX >> 1);
            let page = self.store.list(&query).await.unwrap().executions;
            let found: BTreeSet<String> = page.iter().map(|execution| execution.key().to_string()).collect();
            let expected = by_shard.remove(&shard).unwrap_or_default();
            let differs: Vec<&String> = found.symmetric_difference(&expected).take(5).collect();
            if !differs.is_empty() {
                self.is_wrong(counter::Counter::NAME, format!("the shard {shard} differs in {differs:?}"));
            }
        }
    }

    /// All that is wrong, with what one needs to find out why.
    async fn verdict(self) -> Result<(), String> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        let mut text = format!("{} things are wrong with the seed {}:\n", self.wrong.len(), self.seed);
        for (execution, error) in self.wrong.iter().take(TOLD) {
            writeln!(text, "\n{execution}: {error}").unwrap();
            let Some((_, id)) = execution.split_once('/') else { continue };
            let of_it = self.effects.iter().filter(|effect| effect.execution == *execution);
            for Effect { place, run, has_ended, name, attempt, key, .. } in of_it {
                let what = if *has_ended { "ends" } else { "begins" };
                writeln!(text, "  {place:>7} process {run}: {name}, attempt {attempt}, {what} ({key})").unwrap();
            }
            for (number, acks) in &self.acks {
                if load::plan(self.seed, *number).0 == id {
                    writeln!(text, "  acknowledged: {acks:?}").unwrap();
                }
            }
            match self.store.load(&key(execution)).await {
                Ok(stored) => writeln!(text, "  {stored:?}").unwrap(),
                Err(error) => writeln!(text, "  {error}").unwrap(),
            }
            for row in self.store.history(&key(execution), 0, 200).await.into_iter().flatten() {
                writeln!(text, "  {:>4} {:?}", row.seq, row.record).unwrap();
            }
        }
        for (execution, error) in self.wrong.iter().skip(TOLD).take(20) {
            writeln!(text, "{execution}: {error}").unwrap();
        }
        Err(text)
    }
}

fn key(name: &str) -> ExecutionKey {
    let (workflow, id) = name.split_once('/').expect("a workflow and an id");
    ExecutionKey { workflow: workflow.into(), id: ExecutionId::new(id).unwrap() }
}

fn entered(row: &HistoryRow) -> Option<&str> {
    match &row.record.kind {
        HistoryKind::Started { to } | HistoryKind::Transition { to, .. } => Some(to),
        _ => None,
    }
}

/// No row is missing, each visit begins where the one before ended, and the last is the record's.
fn check_history(history: &[HistoryRow], visit: u64, state: &str) -> Result<(), String> {
    let (mut at_visit, mut at_state) = (1, "");
    let mut is_undoing = false;
    for (row, seq) in history.iter().zip(1..) {
        if row.seq != seq {
            return Err(format!("its history has {} where {seq} is to be", row.seq));
        }
        if row.record.visit != at_visit {
            return Err(format!("its history has a row of visit {} in visit {at_visit}", row.record.visit));
        }
        match &row.record.kind {
            HistoryKind::Started { to } if seq == 1 => at_state = to,
            HistoryKind::Transition { from, to, .. } if from == at_state => {
                (at_visit, at_state, is_undoing) = (at_visit + 1, to, false);
            }
            HistoryKind::Started { .. } | HistoryKind::Transition { .. } => {
                return Err(format!("its history is in {at_state}, and goes on with {:?}", row.record));
            }
            HistoryKind::UnwindBegan { .. } => is_undoing = true,
            // After that, all steps are calls of their own.
            HistoryKind::Parked { .. } if is_undoing => (at_visit, is_undoing) = (at_visit + 1, false),
            _ => {}
        }
    }
    if (at_visit, at_state) != (visit, state) {
        return Err(format!("its history ends in {at_state}, visit {at_visit}; its record is {state}, {visit}"));
    }
    Ok(())
}

/// The file is sound, and no row belongs to an execution that is not there, or needs no such row any more.
fn check_rows(path: &Path) -> Vec<String> {
    let file = Connection::open(path).unwrap();
    let texts = |query: &str| -> Vec<String> {
        let mut statement = file.prepare(query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut wrong = texts("PRAGMA integrity_check");
    wrong.retain(|line| line != "ok");
    let number = |query: String| file.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap();
    let tables = texts(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.name = 'exec' AND m.name <> 'executions'",
    );
    assert!(tables.len() >= 4, "the tables are {tables:?}");
    for table in tables {
        let orphans = format!("SELECT count(*) FROM {table} WHERE exec NOT IN (SELECT exec FROM executions)");
        match number(orphans) {
            0 => {}
            rows => wrong.push(format!("{rows} rows of `{table}` are of no execution")),
        }
        if ["journal", "inbox"].contains(&table.as_str()) {
            let ended = format!(
                "SELECT count(*) FROM {table} JOIN executions USING (exec)
                 WHERE status IN ('ended', 'cancelled', 'terminated')"
            );
            match number(ended) {
                0 => {}
                rows => wrong.push(format!("{rows} rows of `{table}` are of executions that are over")),
            }
        }
    }
    let miscounted = "SELECT id FROM executions WHERE coalesce(json_extract(body, '$.undo_count'), 0)
                        <> (SELECT count(*) FROM undo WHERE undo.exec = executions.exec)";
    wrong.extend(texts(miscounted).into_iter().map(|id| format!("`{id}` counts what is to be undone otherwise")));
    wrong
}

/// The executions that were in a store before any of ours.
pub async fn foreign(folder: &Path) -> BTreeSet<String> {
    let store = SqliteStore::open(folder.join(STORE)).unwrap();
    let all = store.list(&Query::default().limit(usize::MAX >> 1)).await.unwrap().executions;
    all.iter().map(|execution| execution.key().to_string()).collect()
}
