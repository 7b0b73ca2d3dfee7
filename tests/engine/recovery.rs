//! What a crash costs, and what each thing costs in commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::EngineError;
use workflow_runtime::store::Change;
use workflow_runtime::stores::MemoryStore;

use super::fixture::{Act, Draft, Go, Job, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};

#[test]
fn a_state_with_n_steps_costs_n_commits() {
    test(async {
        let commits: Arc<[AtomicUsize; 3]> = Arc::default();
        let counted = Arc::clone(&commits);
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| {
            if let Call::Commit(commits) = call {
                for commit in commits {
                    let kind = match commit.change {
                        Change::Create { .. } => 0,
                        Change::Deliver { .. } => 1,
                        _ => 2,
                    };
                    counted[kind].fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        }));
        let engine = world.engine().await;
        world.working(&engine, "a").await.outcome().await.unwrap();
        // The start; the event; one for the edge, one for the first step, one for the second step with the transition.
        assert_eq!([0, 1, 2].map(|kind: usize| commits[kind].load(Ordering::Relaxed)), [1, 1, 3]);
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

/// Has executions wait for the limit of a step, loses the engine, and sees all of them served by the next one.
async fn serve_after_a_crash(ids: &[String]) {
    let world = World::default();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let engine = || world.builder().workflow(narrow::Counter(Arc::clone(&gate))).start();
    let first = engine().await.unwrap();
    first.start_all::<narrow::Counter, _>(ids.iter().map(|id| (id, narrow::Asked))).await.unwrap();
    while first.limits().iter().map(|limit| limit.waiting).sum::<usize>() < ids.len() - 1 {
        settle(&first).await;
    }
    settle(&first).await;
    drop(first);
    gate.add_permits(1);
    let second = engine().await.unwrap();
    loop {
        let counts = second.counts::<narrow::Counter>().await.unwrap();
        // The clock stands still, so nobody waits for a time: it is now or never.
        if counts.iter().all(|count| count.status == workflow_runtime::record::Status::Ended) {
            break;
        }
        let before = second.limits();
        settle(&second).await;
        settle(&second).await;
        let moves = second.active() > 0 || second.limits() != before;
        assert!(moves || second.counts::<narrow::Counter>().await.unwrap() != counts, "{counts:?}");
    }
    for id in [ids.first(), ids.last()].into_iter().flatten() {
        let served = second.execution::<narrow::Counter>(id).unwrap();
        let record = served.record().await.unwrap();
        assert!(record.attributes.is_empty(), "no mark is left: {record:?}");
    }
}

#[test]
fn of_any_number_that_waited_for_a_limit_at_a_crash_each_asks_again_at_once() {
    let ids: Vec<_> = (0..10_300).map(|number| format!("c-{number}")).collect();
    test(serve_after_a_crash(&ids));
}

mod narrow {
    use std::sync::Arc;

    use tokio::sync::Semaphore;
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Asked;
    #[state(end)]
    pub struct Served;

    pub struct Counter(pub Arc<Semaphore>);

    #[workflow(start = Asked, allow(fragile_step, small_machine))]
    impl Counter {
        #[state]
        async fn asked(&self, cx: &Cx, _: Asked) -> Result<Served> {
            self.serve(cx).await?;
            Ok(Served)
        }

        #[step(limit = 1)]
        async fn serve(&self, _: &Cx) -> Result<()> {
            let _permit = self.0.acquire().await;
            Ok(())
        }
    }
}

#[test]
fn who_waited_for_the_limit_of_a_step_at_a_crash_asks_again_at_once() {
    test(async {
        let world = World::default();
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let engine = world.builder().workflow(narrow::Counter(Arc::clone(&gate))).start().await.unwrap();
        for id in ["a", "b", "c"] {
            engine.start::<narrow::Counter>(id, narrow::Asked).await.unwrap();
        }
        settle(&engine).await;
        drop(engine);
        gate.add_permits(1);
        let engine = world.builder().workflow(narrow::Counter(Arc::clone(&gate))).start().await.unwrap();
        for _ in 0..20 {
            settle(&engine).await;
        }
        for id in ["a", "b", "c"] {
            let served = engine.execution::<narrow::Counter>(id).unwrap();
            // The clock stands still, so nobody has waited for a time.
            assert_eq!(served.record().await.unwrap().status(), workflow_runtime::record::Status::Ended, "{id}");
        }
    });
}
