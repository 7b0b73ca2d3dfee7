//! Executions that run from the record that was committed for them, and what happens while that is on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::Status;
use workflow_runtime::store::{Change, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Act, Draft, Job, World, settle, test};
use super::hooked::{Call, Hooked};
use super::lagging::Lagging;

#[state]
pub struct Begun;
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Finished {
    pub work: usize,
}
#[state(end)]
pub struct Stopped;
#[event]
pub struct Halt;

/// Works as soon as it is started.
#[derive(Default)]
pub struct Errand {
    pub work: Arc<AtomicUsize>,
}

#[workflow(start = Begun)]
impl Errand {
    #[state]
    async fn begin(&self, cx: &Cx, _: Begun) -> Result<Finished> {
        Ok(Finished { work: self.work(cx).await? })
    }
    #[on]
    fn halted(&self, _: Begun, _: Halt) -> Stopped {
        Stopped
    }
    #[step(retry(max = 2))]
    async fn work(&self, _: &Cx) -> Result<usize> {
        Ok(self.work.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Counts the loads, and fails commits of new executions while it is told to.
fn counting(store: &MemoryStore) -> (Arc<Hooked>, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (loads, failing) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (counter, to_fail) = (Arc::clone(&loads), Arc::clone(&failing));
    let hooked = Hooked::new(store.clone(), move |call| {
        let creates = |commits: &[workflow_runtime::store::Commit]| {
            commits.iter().any(|commit| matches!(commit.change, Change::Create { .. }))
        };
        match call {
            Call::Load(_) => {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Call::Commit(commits) if creates(commits) && to_fail.load(Ordering::Relaxed) > 0 => {
                to_fail.fetch_sub(1, Ordering::Relaxed);
                Err(StoreError::Full)
            }
            Call::Commit(_) | Call::Committed | Call::Due => Ok(()),
        }
    });
    (hooked, loads, failing)
}

#[test]
fn what_begins_and_ends_in_one_go_is_read_by_nobody_but_who_asks_before_its_end() {
    test(async {
        let (store, loads, _) = counting(&MemoryStore::new());
        let engine = Engine::on(store).workflow(Errand::default()).start().await.unwrap();
        settle(&engine).await;
        let errand = engine.start::<Errand>("a", Begun).await.unwrap();
        settle(&engine).await;
        assert_eq!(loads.load(Ordering::Relaxed), 0);
        let ErrandOutcome::Finished(finished) = errand.outcome().await.unwrap() else { panic!("nobody has halted it") };
        assert_eq!(finished, Finished { work: 1 });
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        engine.start_all::<Errand, _>((0..10).map(|number| (format!("e-{number}"), Begun))).await.unwrap();
        settle(&engine).await;
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        assert_eq!(engine.active(), 0);
    });
}

#[test]
fn what_only_waits_is_neither_read_nor_given_a_place_and_is_woken_in_time() {
    test(async {
        let (store, loads, _) = counting(&MemoryStore::new());
        let world = World::on(store);
        let engine = world.engine().await;
        settle(&engine).await;
        let jobs = (0..300).map(|number| (format!("j-{number}"), Draft { number }));
        assert_eq!(engine.start_all::<Job, _>(jobs).await.unwrap(), 300);
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        assert_eq!(engine.active(), 0);
        settle(&engine).await;
        assert_eq!(loads.load(Ordering::Relaxed), 0);
        world.pass(&engine, Duration::from_secs(3600)).await;
        assert_eq!(job.record().await.unwrap().status(), Status::Ended);
    });
}

#[test]
fn whoever_waits_for_the_end_is_handed_it() {
    test(async {
        let (store, loads, _) = counting(&MemoryStore::new());
        let world = World::on(store);
        let release = world.script.will_hold("first");
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        let before = loads.load(Ordering::Relaxed);
        let outcomes: Vec<_> = (0..3)
            .map(|_| {
                let job = job.clone();
                tokio::spawn(async move { job.outcome().await })
            })
            .collect();
        settle(&engine).await;
        release.send(()).unwrap();
        for outcome in outcomes {
            outcome.await.unwrap().unwrap();
        }
        assert_eq!(loads.load(Ordering::Relaxed), before);
    });
}

#[test]
fn an_event_that_comes_while_the_start_is_being_written_is_taken() {
    test(async {
        let store = Lagging::new();
        let errand = Errand::default();
        let work = Arc::clone(&errand.work);
        let engine = Engine::on(Arc::clone(&store) as _).workflow(errand).start().await.unwrap();
        settle(&engine).await;
        store.lag.commit.store(50, Ordering::Relaxed);
        let starting = tokio::spawn({
            let engine = engine.clone();
            async move { engine.start::<Errand>("a", Begun).await }
        });
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        store.lag.commit.store(0, Ordering::Relaxed);
        let errand = engine.execution::<Errand>("a").unwrap();
        errand.send(Halt).await.unwrap();
        assert!(!starting.is_finished(), "the event is acknowledged before the start");
        starting.await.unwrap().unwrap();
        assert!(matches!(errand.outcome().await.unwrap(), ErrandOutcome::Stopped(_)));
        assert_eq!(work.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_start_that_is_a_repetition_or_fails_gives_its_place_back() {
    test(async {
        let (store, _, failing) = counting(&MemoryStore::new());
        let errand = Errand::default();
        let work = Arc::clone(&errand.work);
        let engine = Engine::on(store).workflow(errand).max_active(1).start().await.unwrap();
        settle(&engine).await;
        for round in 1..=3 {
            failing.store(1, Ordering::Relaxed);
            let error = engine.start::<Errand>("a", Begun).await.unwrap_err();
            assert!(matches!(error, EngineError::Store(StoreError::Full)), "{error}");
            assert_eq!(engine.active(), 0);
            engine.start::<Errand>(format!("e-{round}"), Begun).await.unwrap();
            settle(&engine).await;
            // It has ended; to start it again changes nothing, and keeps nobody from running.
            engine.start::<Errand>(format!("e-{round}"), Begun).await.unwrap();
            assert_eq!(engine.active(), 0);
            assert_eq!(work.load(Ordering::Relaxed), round);
        }
    });
}

#[test]
fn an_event_that_counts_on_the_place_of_a_repeated_start_is_taken() {
    test(async {
        let store = Lagging::new();
        let world = World::on(Arc::clone(&store) as _);
        let engine = world.engine().await;
        let waiting = world.working(&engine, "a").await;
        waiting.outcome().await.unwrap();
        let errands = || Engine::on(Arc::clone(&store) as _).workflow(Errand::default());
        let errand_engine = errands().start().await.unwrap();
        // Parked, so that it is there and does nothing.
        let errand = errand_engine.start_after::<Errand>("b", Begun, Duration::from_secs(3600)).await.unwrap();
        errand.park("for later").await.unwrap();
        settle(&errand_engine).await;
        store.lag.commit.store(50, Ordering::Relaxed);
        let starting = tokio::spawn({
            let engine = errand_engine.clone();
            async move { engine.start::<Errand>("b", Begun).await }
        });
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        store.lag.commit.store(0, Ordering::Relaxed);
        // The place of the start is there, and nobody has the right to run yet.
        let retrying = tokio::spawn(async move {
            errand.terminate("enough").await.unwrap();
            errand.outcome().await
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!starting.is_finished());
        starting.await.unwrap().unwrap();
        assert!(matches!(retrying.await.unwrap(), Err(EngineError::Terminated { .. })));
        settle(&errand_engine).await;
        assert_eq!(errand_engine.active(), 0);
    });
}

#[test]
fn a_start_whose_caller_goes_away_in_the_middle_runs_all_the_same() {
    test(async {
        let store = Lagging::new();
        let errand = Errand::default();
        let work = Arc::clone(&errand.work);
        let engine = Engine::on(Arc::clone(&store) as _).workflow(errand).start().await.unwrap();
        settle(&engine).await;
        store.lag.commit.store(5, Ordering::Relaxed);
        let _ = futures::FutureExt::now_or_never(engine.start::<Errand>("a", Begun));
        let _ = futures::FutureExt::now_or_never(engine.start_all::<Errand, _>([("b", Begun)]));
        settle(&engine).await;
        assert_eq!(work.load(Ordering::Relaxed), 2);
        assert_eq!(engine.active(), 0);
    });
}

#[test]
fn a_start_that_is_on_its_way_when_the_engine_stops_is_kept_for_the_next_one() {
    test(async {
        let store = Lagging::new();
        let errand = Errand::default();
        let work = Arc::clone(&errand.work);
        let engine = Engine::on(Arc::clone(&store) as _).workflow(errand).start().await.unwrap();
        settle(&engine).await;
        store.lag.commit.store(50, Ordering::Relaxed);
        let starting = tokio::spawn({
            let engine = engine.clone();
            async move { engine.start::<Errand>("a", Begun).await.map(drop) }
        });
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        engine.shutdown().await.unwrap();
        starting.await.unwrap().unwrap();
        assert_eq!((engine.active(), work.load(Ordering::Relaxed)), (0, 0));
        drop(engine);
        store.lag.commit.store(0, Ordering::Relaxed);
        let errand = Errand { work: Arc::clone(&work) };
        let engine = Engine::on(store).workflow(errand).start().await.unwrap();
        engine.execution::<Errand>("a").unwrap().outcome().await.unwrap();
        assert_eq!(work.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn whoever_waits_while_a_start_is_being_written_learns_that_it_came_to_nothing() {
    test(async {
        let memory = MemoryStore::new();
        let (store, _, failing) = counting(&memory);
        let engine = Engine::on(store).workflow(Errand::default()).start().await.unwrap();
        settle(&engine).await;
        failing.store(1, Ordering::Relaxed);
        let errand = engine.execution::<Errand>("a").unwrap();
        let (started, outcome) = futures::join!(engine.start::<Errand>("a", Begun), errand.outcome());
        assert!(matches!(started, Err(EngineError::Store(StoreError::Full))));
        assert!(matches!(outcome, Err(EngineError::UnknownExecution { .. })));
    });
}

#[test]
fn whoever_begins_to_wait_while_it_runs_is_told_also_if_it_rests_before_its_end() {
    test(async {
        let (store, loads, _) = counting(&MemoryStore::new());
        let world = World::on(store);
        let release = world.script.will_hold("first");
        world.script.will("second", Act::Fail("no luck"));
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        let before = loads.load(Ordering::Relaxed);
        let waiting = tokio::spawn({
            let job = job.clone();
            async move { job.outcome().await }
        });
        settle(&engine).await;
        assert_eq!(loads.load(Ordering::Relaxed), before, "while it runs, there is nothing to read");
        release.send(()).unwrap();
        settle(&engine).await;
        world.pass(&engine, Duration::from_secs(3600)).await;
        waiting.await.unwrap().unwrap();
    });
}
