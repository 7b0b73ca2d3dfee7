//! What a person does to many executions at once.

use std::sync::Arc;

use workflow_runtime::record::{HistoryKind, Reason, Status};
use workflow_runtime::store::{Query, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineError};

use super::faults::{full_after, silent_after};
use super::fixture::{Act, Draft, Job, World, settle, test};

async fn start(engine: &Engine, count: u32) {
    let starts = (0..count).map(|number| (format!("n{number:05}"), Draft { number }));
    engine.start_all::<Job, _>(starts).await.unwrap();
}

async fn count(engine: &Engine, status: Status) -> u64 {
    let counts = engine.counts::<Job>().await.unwrap();
    counts.into_iter().filter(|count| count.status == status).map(|count| count.count).sum()
}

#[test]
fn ten_thousand_are_cancelled_by_one_call() {
    test(async {
        let world = World::default();
        let engine = world.builder().max_active(64).start().await.unwrap();
        start(&engine, 10_000).await;
        let report = engine.cancel_all(&Query::of::<Job>().limit(7_000), "the recall").await.unwrap();
        assert_eq!(report.to_string(), "10000 done, 0 skipped");
        while count(&engine, Status::Cancelled).await < 10_000 {
            tokio::task::yield_now().await;
        }
        let again = engine.cancel_all(&Query::of::<Job>(), "the recall").await.unwrap();
        assert_eq!((again.done, again.skipped, again.why_skipped.len()), (0, 10_000, 1_000));
        assert_eq!(again.why_skipped[0].1, "it is over: cancelled");
    });
}

#[test]
fn each_is_asked_what_it_can_be_asked_and_the_rest_is_named() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        start(&engine, 2).await;
        world.script.will("first", Act::Fail("no"));
        world.working(&engine, "parked").await.outcome().await.unwrap_err();
        world.working(&engine, "done").await.outcome().await.unwrap();
        let skipped = |report: &workflow_runtime::BulkReport| {
            report.why_skipped.iter().map(|(key, why)| format!("{}: {why}", key.id)).collect::<Vec<_>>()
        };
        let retried = engine.retry_all(&Query::default(), Reason::new("mended").by("alice")).await.unwrap();
        assert_eq!(retried.done, 1);
        assert_eq!(
            skipped(&retried),
            ["done: it is over: ended", "n00000: it is not parked", "n00001: it is not parked"]
        );
        settle(&engine).await;
        assert_eq!(count(&engine, Status::Ended).await, 2);
        let parked = engine.park_all(&Query::of::<Job>().state::<Draft>(), "wait").await.unwrap();
        assert_eq!((parked.done, parked.skipped), (2, 0));
        settle(&engine).await;
        let parked = engine.park_all(&Query::of::<Job>().status(Status::Parked), "wait").await.unwrap();
        assert_eq!(skipped(&parked), ["n00000: it is parked already", "n00001: it is parked already"]);
        let terminated = engine.terminate_all(&Query::of::<Job>().error("wait"), "enough").await.unwrap();
        assert_eq!(terminated.done, 2);
        settle(&engine).await;
        assert_eq!(count(&engine, Status::Terminated).await, 2);
        let error = engine.cancel_all(&Query::of::<Job>().attribute("x", 1), "no").await.unwrap_err();
        assert!(matches!(error, EngineError::UnknownAttribute { .. }));
    });
}

#[test]
fn a_call_that_was_cut_off_is_made_again_and_nobody_is_asked_twice() {
    test(async {
        for lose_the_answer in [false, true] {
            for commits in 0..12 {
                let store = MemoryStore::new();
                let world = World { store: Arc::new(store.clone()), ..World::default() };
                let engine = world.engine().await;
                start(&engine, 9).await;
                drop(engine);
                let faulty = if lose_the_answer { silent_after(&store, commits) } else { full_after(&store, commits) };
                let query = Query::of::<Job>().limit(2);
                let reason = || Reason::new("the recall").by("alice").once("recall-17");
                let broken = World { store: faulty, ..World::default() };
                let engine = broken.engine().await;
                match engine.park_all(&query, reason()).await {
                    Ok(report) => assert_eq!(report.done, 9),
                    Err(EngineError::Store(StoreError::Full | StoreError::Poisoned { .. })) => {}
                    Err(error) => panic!("{commits} commits: {error}"),
                }
                drop(engine);
                let engine = world.engine().await;
                settle(&engine).await;
                engine.park_all(&query, reason()).await.unwrap();
                settle(&engine).await;
                assert_eq!(count(&engine, Status::Parked).await, 9, "{commits} commits");
                for number in 0..9 {
                    let job = engine.execution::<Job>(format!("n{number:05}")).unwrap();
                    let rows = job.history(0, 100).await.unwrap();
                    let asked = rows.iter().filter(|row| matches!(row.record.kind, HistoryKind::Control { .. }));
                    assert_eq!(asked.count(), 1, "{commits} commits: {}", job.id());
                }
            }
        }
    });
}
