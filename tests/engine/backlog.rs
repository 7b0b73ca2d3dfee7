//! What waits for a place: it is loaded in groups, after its places were taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use workflow_runtime::record::Status;
use workflow_runtime::store::StoreError;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{EngineError, Execution};

use super::fixture::{Act, Cancel, Draft, Job, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};
use super::lagging::Lagging;

/// Leaves so many jobs behind in the middle of their first step, as a crash does. They are named by their number.
async fn left_behind(world: &World, jobs: usize) {
    let engine = world.engine().await;
    for number in 0..jobs {
        world.script.will("first", Act::Hang);
        world.working(&engine, &format!("{number}")).await;
    }
    settle(&engine).await;
    assert_eq!(world.script.count("first"), jobs);
}

#[test]
fn an_event_that_comes_while_its_execution_is_read_is_not_overlooked() {
    test(async {
        let store = Lagging::new();
        let world = World::on(Arc::clone(&store) as _);
        left_behind(&world, 1).await;
        // What the next engine reads is out of date by the time it has it.
        store.lag.load.store(200, Ordering::Relaxed);
        let held = world.script.will_hold("first");
        let engine = world.engine().await;
        settle(&engine).await;
        assert_eq!((engine.active(), world.script.count("first")), (1, 1), "it has its place, and has not begun");
        store.lag.load.store(0, Ordering::Relaxed);
        let job = engine.execution::<Job>("0").unwrap();
        job.send(Cancel { why: "no more".to_owned() }).await.unwrap();
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was cancelled") };
        assert_eq!(cancelled.why, "no more");
        drop(held);
    });
}

#[test]
fn what_is_due_does_not_wait_for_a_search() {
    test(async {
        let store = Lagging::new();
        let world = World::on(Arc::clone(&store) as _);
        // Whoever waited for the limits of steps is searched for when an engine begins.
        store.lag.list.store(usize::MAX, Ordering::Relaxed);
        let engine = world.engine().await;
        settle(&engine).await;
        let job = engine.start::<Job>("late", Draft { number: 1 }).await.unwrap();
        world.pass(&engine, std::time::Duration::from_secs(3_600)).await;
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it has expired") };
        assert_eq!(cancelled.why, "expired");
    });
}

#[test]
fn a_damaged_one_is_parked_and_those_beside_it_go_on() {
    test(async {
        let damaged = Arc::new(AtomicBool::new(false));
        let is_damaged = Arc::clone(&damaged);
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| match call {
            Call::Load(key) if is_damaged.load(Ordering::Relaxed) && key.id.as_str() == "3" => {
                Err(StoreError::Corrupt { key: key.clone(), what: "record", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        }));
        left_behind(&world, 8).await;
        damaged.store(true, Ordering::Relaxed);
        let engine = world.builder().max_active(5).start().await.unwrap();
        for number in 0..8 {
            let job: Execution<Job> = engine.execution(format!("{number}")).unwrap();
            match job.outcome().await {
                Ok(JobOutcome::Done(_)) => assert_ne!(number, 3),
                Err(EngineError::Parked { error, .. }) => {
                    assert_eq!(number, 3);
                    assert!(error.message.contains("a flipped bit"), "{error}");
                }
                other => panic!("{number}: {other:?}"),
            }
        }
        damaged.store(false, Ordering::Relaxed);
        let job: Execution<Job> = engine.execution("3").unwrap();
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);
        job.retry().await.unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
    });
}

#[test]
fn a_store_that_fails_while_a_group_is_read_stops_the_engine_and_gives_every_place_back() {
    test(async {
        let fails = Arc::new(AtomicBool::new(false));
        let does_fail = Arc::clone(&fails);
        let store = MemoryStore::new();
        let world = World::on(Hooked::new(store.clone(), move |call| match call {
            Call::Load(key) if does_fail.load(Ordering::Relaxed) && key.id.as_str() == "3" => {
                Err(StoreError::Poisoned { reason: "gone".to_owned() })
            }
            _ => Ok(()),
        }));
        left_behind(&world, 8).await;
        fails.store(true, Ordering::Relaxed);
        let engine = world.engine().await;
        settle(&engine).await;
        assert_eq!(engine.active(), 0);
        assert!(matches!(engine.shutdown().await, Err(EngineError::Store(StoreError::Poisoned { .. }))));
        let mended = World { store: Arc::new(store), ..world };
        let engine = mended.engine().await;
        for number in 0..8 {
            let job: Execution<Job> = engine.execution(format!("{number}")).unwrap();
            assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        }
    });
}
