//! What a crash costs, and what each thing costs in commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::record::ExecutionKey;
use workflow_runtime::store::{
    Change, Commit, Committed, Due, Epoch, HistoryRow, Page, Query, Refused, StateCount, Store, StoreFuture, Stored,
};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{EngineError, Timestamp};

use super::fixture::{Act, Draft, Go, Job, JobOutcome, World, settle, test};

/// A store that counts commits, and can stop accepting them.
#[derive(Debug, Default)]
struct Counting {
    store: MemoryStore,
    creates: AtomicUsize,
    delivers: AtomicUsize,
    advances: AtomicUsize,
}

impl Store for Counting {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.store.acquire()
    }
    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        for commit in &commits {
            let counter = match commit.change {
                Change::Create { .. } => &self.creates,
                Change::Deliver { .. } => &self.delivers,
                _ => &self.advances,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.store.commit(commits)
    }
    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        self.store.load(key)
    }
    fn due(&self, workflows: &[Arc<str>], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        self.store.due(workflows, now, limit)
    }
    fn list(&self, query: &Query) -> StoreFuture<Page> {
        self.store.list(query)
    }
    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        self.store.counts(workflow)
    }
    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        self.store.history(key, after, limit)
    }
}

#[test]
fn a_state_with_n_steps_costs_n_commits() {
    test(async {
        let store = Arc::new(Counting::default());
        let world = World::on(store.clone());
        let engine = world.engine().await;
        world.working(&engine, "a").await.outcome().await.unwrap();
        assert_eq!(store.creates.load(Ordering::Relaxed), 1);
        assert_eq!(store.delivers.load(Ordering::Relaxed), 1);
        // One for the edge, one for the first step, one for the second step with the transition.
        assert_eq!(store.advances.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn a_crash_repeats_the_step_that_ran_and_none_before_it() {
    test(async {
        let world = World::default();
        world.script.will("second", Act::Hang);
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        while world.script.count("second") == 0 {
            tokio::task::yield_now().await;
        }
        drop((engine, job));
        let engine = world.engine().await;
        let job = engine.execution::<Job>("a").unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 2));
        let calls = world.script.calls();
        let keys: Vec<_> = calls.iter().filter(|call| call.starts_with("second")).collect();
        assert_eq!(keys[0], keys[1], "the repetition has the same attempt number and idempotency key");
    });
}

#[test]
fn an_engine_that_was_taken_over_writes_nothing_more() {
    test(async {
        let world = World::default();
        let held = world.script.will_hold("first");
        let old = world.engine().await;
        let job = world.working(&old, "a").await;
        world.script.called().await;
        // The new engine begins the step again; then the old one comes to the end of it.
        let new = world.engine().await;
        let at_new = new.execution::<Job>("a").unwrap();
        assert!(matches!(at_new.outcome().await.unwrap(), JobOutcome::Done(_)));
        let rows = at_new.history(0, 100).await.unwrap();
        held.send(()).ok();
        settle(&old).await;
        assert_eq!(at_new.history(0, 100).await.unwrap(), rows);
        drop(job);
    });
}

#[test]
fn a_shutdown_lets_running_steps_finish_and_keeps_their_results() {
    test(async {
        let world = World::default();
        let held = world.script.will_hold("first");
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        settle(&engine).await;
        assert!(!stopping.is_finished(), "it waits for the step");
        held.send(()).unwrap();
        stopping.await.unwrap().unwrap();
        assert_eq!(world.script.count("second"), 0, "no further step begins");
        drop((engine, job));
        let engine = world.engine().await;
        let job = engine.execution::<Job>("a").unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!(world.script.count("first"), 1);
    });
}

#[test]
fn a_shutdown_does_not_wait_for_ever() {
    test(async {
        let world = World::default();
        world.script.will("first", Act::Hang);
        let engine = world.builder().drain_timeout(std::time::Duration::from_secs(5)).start().await.unwrap();
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        settle(&engine).await;
        world.clock.advance(std::time::Duration::from_secs(5));
        stopping.await.unwrap().unwrap();
        assert_eq!(engine.active(), 0);
        drop(job);
    });
}

#[test]
fn a_caller_that_goes_away_changes_nothing() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        // The futures are dropped after one poll, or none.
        drop(engine.start::<Job>("never", Draft { number: 1 }));
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        let outcome = job.outcome();
        let mut outcome = std::pin::pin!(outcome);
        assert!(futures::poll!(&mut outcome).is_pending());
        job.send(Go).await.unwrap();
        settle(&engine).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        let never = engine.execution::<Job>("never").unwrap();
        assert!(matches!(never.state().await, Err(EngineError::UnknownExecution { .. })));
    });
}
