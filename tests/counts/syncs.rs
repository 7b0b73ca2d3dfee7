//! How often a caller waits for the disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use workflow_runtime::Engine;
use workflow_runtime::prelude::*;
use workflow_runtime::stores::{MemoryStore, SqliteStore};

use super::load::{self, STEPS, settle};
use super::tally::Tallied;

/// With one caller, a commit is a sync: the start is one, each result is one, and the last result and the end are one together.
///
/// When it breaks: something is written on its own that could go with the next commit (`engine/run.rs`, `kernel/advance.rs`).
#[test]
fn one_at_a_time_a_step_takes_hardly_more_than_one_commit() {
    const EXECUTIONS: u64 = 20;
    let (store, tally) = Tallied::on(MemoryStore::new());
    let [commits, loads, looks] = load::run(async {
        let engine = load::on(store).start().await.unwrap();
        settle(&engine).await;
        tally.take();
        for id in 0..EXECUTIONS {
            load::steps(&engine, usize::try_from(id).unwrap()).await;
        }
        tally.take()
    });
    println!("{commits} commits, {loads} loads and {looks} looks for {EXECUTIONS} executions of {STEPS} steps");
    assert!(commits * 100 <= 115 * EXECUTIONS * STEPS, "{commits} commits for {} steps", EXECUTIONS * STEPS);
    // To read what was written just now is work for nothing; there is one, by the caller who asks how it ended.
    assert!(loads <= EXECUTIONS, "{loads} loads for {EXECUTIONS} executions");
    // Nothing is ever due here that nobody knows of.
    assert!(looks == 0, "{looks} looks for {EXECUTIONS} executions");
}

#[state]
pub struct Ready;

#[state(end)]
pub struct Through;

/// Steps that wait to be let through, so that many are done at the same moment.
pub struct Gated {
    arrived: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
}

#[workflow(start = Ready, allow(small_machine, fragile_step))]
impl Gated {
    #[state]
    async fn run(&self, cx: &Cx, _: Ready) -> Result<Through> {
        for number in 0..STEPS {
            self.step(cx, number).await?;
        }
        Ok(Through)
    }

    #[step]
    async fn step(&self, _: &Cx, _: u64) -> Result<()> {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        self.gate.acquire().await?.forget();
        Ok(())
    }
}

/// Each transaction in the log of an SQLite file was synced by itself.
fn transactions(log: &Path) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4_096;
    // The last page of a transaction has the number of pages of the file beside its own.
    let log = fs::read(log).unwrap();
    log[HEADER..].chunks_exact(FRAME).filter(|frame| frame[4..8] != [0; 4]).count()
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

/// A hundred results that come while the disk is busy share its next sync. Somebody else holds the file here until all of
/// them are there, so one or two syncs are enough for each round, whatever the machine does.
///
/// When it breaks: the writer (`stores/sqlite/writer.rs`) takes fewer of those who wait than there are, or the engine holds
/// results back.
#[test]
fn a_hundred_at_a_time_share_their_syncs() {
    const EXECUTIONS: u64 = 100;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let log = folder.path().join("store.db-wal");
    let (store, tally) = Tallied::on(SqliteStore::open(&path).unwrap());
    let (arrived, gate) = (Arc::new(AtomicU64::new(0)), Arc::new(Semaphore::new(0)));
    let gated = Gated { arrived: Arc::clone(&arrived), gate: Arc::clone(&gate) };
    let syncs = load::run(async {
        let engine = Engine::on(store).workflow(gated).start().await.unwrap();
        let starts = (0..EXECUTIONS).map(|id| (id.to_string(), Ready));
        engine.start_all::<Gated, _>(starts).await.unwrap();
        let somebody_else = Connection::open(&path).unwrap();
        let mut before = None;
        for round in 1..=STEPS {
            until(|| arrived.load(Ordering::Relaxed) == round * EXECUTIONS).await;
            before.get_or_insert_with(|| transactions(&log));
            tally.take();
            somebody_else.execute_batch("BEGIN IMMEDIATE").unwrap();
            gate.add_permits(usize::try_from(EXECUTIONS).unwrap());
            until(|| tally.commits.load(Ordering::Relaxed) == EXECUTIONS).await;
            somebody_else.execute_batch("COMMIT").unwrap();
        }
        settle(&engine).await;
        transactions(&log) - before.unwrap()
    });
    let steps = EXECUTIONS * STEPS;
    println!("{syncs} syncs for {steps} steps, {EXECUTIONS} at a time");
    assert!(syncs as u64 * 100 <= 5 * steps, "{syncs} syncs for {steps} steps");
    assert!(syncs as u64 <= 2 * STEPS, "{syncs} syncs for {STEPS} rounds");
}
