//! What happens between a commit and its answer, and to callers that go away in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::record::{HistoryKind, Status};
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Act, Draft, Go, Job, JobOutcome, JobState, Note, World, settle, test};
use super::lagging::Lagging;

fn lagging() -> (World, Arc<Lagging>) {
    let store = Lagging::new();
    (World::on(Arc::clone(&store) as _), store)
}

/// Polls a future once, as a caller does who gives up soon after.
fn poll_once(future: impl Future) {
    let mut future = std::pin::pin!(future);
    let _ = futures::FutureExt::now_or_never(future.as_mut());
}

mod greeting {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use workflow_runtime::prelude::*;

    #[state]
    #[derive(Debug, PartialEq)]
    pub struct Met {
        pub greeted: usize,
    }
    #[state(end)]
    pub struct Gone;
    #[event]
    pub struct Wave;
    #[event]
    pub struct Leave;

    pub struct Greeting {
        pub greeted: Arc<AtomicUsize>,
    }

    #[workflow(start = Met)]
    impl Greeting {
        #[state]
        async fn meet(&self, cx: &Cx, _: Met) -> Result<Stay<Met>> {
            Ok(Stay(Met { greeted: self.greet(cx).await? }))
        }
        #[on]
        fn waved(&self, met: Met, _: Wave) -> Stay<Met> {
            Stay(Met { greeted: met.greeted + 10 })
        }
        #[on(allow(endless_wait))]
        fn left(&self, _: Met, _: Leave) -> Gone {
            Gone
        }
        #[step(retry(max = 2))]
        async fn greet(&self, _: &Cx) -> Result<usize> {
            Ok(self.greeted.fetch_add(1, Ordering::Relaxed) + 1)
        }
    }
}

#[test]
fn a_start_that_others_have_run_by_the_time_it_is_answered_is_not_run_again() {
    use greeting::{Greeting, GreetingState, Met, Wave};
    test(async {
        let store = Lagging::new();
        let greeted = Arc::<AtomicUsize>::default();
        let greeting = Greeting { greeted: Arc::clone(&greeted) };
        let engine = Engine::on(Arc::clone(&store) as _).workflow(greeting).start().await.unwrap();
        // The starter hears of its commit late; somebody else knows the id, and the execution has run by then.
        store.lag.commit.store(50, Ordering::Relaxed);
        let starting = tokio::spawn({
            let engine = engine.clone();
            async move { engine.start::<Greeting>("a", Met { greeted: 0 }).await }
        });
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        store.lag.commit.store(0, Ordering::Relaxed);
        engine.execution::<Greeting>("a").unwrap().send(Wave).await.unwrap();
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!starting.is_finished());
        let met = starting.await.unwrap().unwrap();
        settle(&engine).await;
        assert_eq!(greeted.load(Ordering::Relaxed), 1);
        assert!(matches!(met.state().await.unwrap(), GreetingState::Met(Met { greeted: 1 })));
    });
}

#[test]
fn what_a_caller_began_and_did_not_wait_for_is_run_all_the_same() {
    test(async {
        let (world, store) = lagging();
        let engine = world.engine().await;
        settle(&engine).await;
        store.lag.commit.store(3, Ordering::Relaxed);
        poll_once(engine.start::<Job>("a", Draft { number: 1 }));
        settle(&engine).await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        poll_once(job.send(Go));
        settle(&engine).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Done(_)));

        poll_once(engine.start_all::<Job, _>([("b", Draft { number: 1 })]));
        settle(&engine).await;
        let other = engine.execution::<Job>("b").unwrap();
        assert!(matches!(other.state().await.unwrap(), JobState::Draft(_)));
    });
}

#[test]
fn a_retry_that_comes_before_the_run_has_given_its_place_up_is_not_lost() {
    test(async {
        let (world, store) = lagging();
        let engine = world.engine().await;
        world.script.will("first", Act::Fail("no"));
        let held = world.script.will_hold("first");
        store.lag.commit.store(5, Ordering::Relaxed);
        let job = world.working(&engine, "a").await;
        while job.record().await.unwrap().status() != Status::Parked {
            tokio::task::yield_now().await;
        }
        // On disk it is parked, and the task that parked it has not been told yet.
        assert_eq!(engine.active(), 1);
        store.lag.commit.store(0, Ordering::Relaxed);
        job.retry().await.unwrap();
        settle(&engine).await;
        assert_eq!(world.script.count("first"), 2);
        held.send(()).unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
    });
}

#[test]
fn two_retries_at_once_are_one() {
    test(async {
        let (world, store) = lagging();
        let engine = world.engine().await;
        world.script.will("first", Act::Fail("no"));
        let job = world.working(&engine, "a").await;
        job.outcome().await.unwrap_err();
        job.send(Note).await.unwrap();
        settle(&engine).await;
        world.script.will("second", Act::Fail("later"));
        // The second one has read the parked execution, and writes when the first one's retry has gone on.
        store.lag.load.store(40, Ordering::Relaxed);
        let second = tokio::spawn({
            let job = job.clone();
            async move { job.retry().await }
        });
        tokio::task::yield_now().await;
        store.lag.load.store(0, Ordering::Relaxed);
        let first = job.retry().await;
        let second = second.await.unwrap();
        settle(&engine).await;
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(matches!(first.and(second), Err(EngineError::NotParked { .. })));
        world.pass(&engine, std::time::Duration::from_secs(2)).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        let rows = job.history(0, 100).await.unwrap();
        let count = |of: fn(&HistoryKind) -> bool| rows.iter().filter(|row| of(&row.record.kind)).count();
        assert_eq!(count(|kind| matches!(kind, HistoryKind::Retried { .. })), 1);
        assert_eq!(count(|kind| matches!(kind, HistoryKind::Stayed { .. })), 1);
        assert_eq!(world.script.count("first"), 2);
    });
}

#[test]
fn a_flood_of_events_does_not_keep_a_step_from_going_on() {
    test(async {
        const LIMIT: usize = 2_000;
        let (world, store) = lagging();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        store.lag.load.store(3, Ordering::Relaxed);
        let sent = Arc::new(AtomicUsize::new(0));
        let flood = tokio::spawn({
            let (job, sent) = (job.clone(), Arc::clone(&sent));
            async move {
                // No edge of the state takes it.
                while sent.fetch_add(1, Ordering::Relaxed) < LIMIT && job.send(Go).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            }
        });
        while sent.load(Ordering::Relaxed) < 20 {
            tokio::task::yield_now().await;
        }
        held.send(()).unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        flood.await.unwrap();
        assert!(sent.load(Ordering::Relaxed) < LIMIT, "it had to wait for the flood to end");
    });
}
