//! The same on a file: what one engine wrote, the next one finds.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::store::StoreError;
use workflow_runtime::stores::SqliteStore;
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Act, Draft, Job, JobOutcome, JobState, World, settle, test};

#[test]
fn executions_go_on_from_the_file_with_timers_attempts_and_results() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    test(async {
        let on_file = |world: &World| World {
            store: Arc::new(SqliteStore::open(&path).unwrap()),
            clock: world.clock.clone(),
            script: Arc::clone(&world.script),
        };
        let mut world = World::default();
        world = on_file(&world);
        let engine = world.engine().await;
        let waiting = engine.start::<Job>("waiting", Draft { number: 1 }).await.unwrap();
        world.script.will("second", Act::Fail("once"));
        let working = world.working(&engine, "working").await;
        while world.script.count("second") == 0 {
            world.script.called().await;
        }
        while working.record().await.unwrap().resume_at.is_none() {
            tokio::task::yield_now().await;
        }
        drop((waiting, working));
        engine.shutdown().await.unwrap();
        drop(engine);
        let World { clock, script, store } = world;
        drop(store);

        clock.advance(Duration::from_secs(2));
        let world = on_file(&World { clock, script, ..World::default() });
        let engine = world.engine().await;
        let working = engine.execution::<Job>("working").unwrap();
        assert!(matches!(working.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 2));
        let waiting = engine.execution::<Job>("waiting").unwrap();
        assert!(matches!(waiting.state().await.unwrap(), JobState::Draft(_)));
        world.clock.advance(Duration::from_secs(3_600));
        assert!(matches!(waiting.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
        settle(&engine).await;
    });
}

#[test]
fn a_file_that_is_in_use_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    test(async {
        let engine = Engine::sqlite(&path).start().await.unwrap();
        let second = Engine::sqlite(&path).start().await.unwrap_err();
        assert!(matches!(&second, EngineError::Store(StoreError::InUse { .. })), "{second}");
        assert!(second.to_string().contains("jobs.db"), "{second}");
        engine.shutdown().await.unwrap();
    });
}

#[test]
fn a_file_can_be_opened_again_as_soon_as_its_engine_was_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    workflow_runtime::block_on(async {
        for _ in 0..5 {
            drop(Engine::sqlite(&path).start().await.unwrap());
        }
    });
}
