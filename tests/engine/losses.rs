//! An engine that has lost what it stands on: its store, or its runtime.

use workflow_runtime::EngineError;
use workflow_runtime::store::StoreError;

use super::fixture::{Draft, Go, Job, World, settle, test};

#[test]
fn an_engine_that_was_taken_over_stops_and_says_so() {
    test(async {
        let world = World::default();
        let old = world.builder().max_active(1).start().await.unwrap();
        let held = world.script.will_hold("first");
        let job = world.working(&old, "a").await;
        world.script.called().await;
        let more = world.working(&old, "b").await;
        let waiting = tokio::spawn(async move { more.outcome().await });
        let _new = Box::pin(workflow_runtime::Engine::on(std::sync::Arc::clone(&world.store)).start()).await.unwrap();
        held.send(()).unwrap();
        settle(&old).await;
        let calls = world.script.calls().len();
        for _ in 0..10 {
            settle(&old).await;
        }
        assert_eq!(world.script.calls().len(), calls, "it does not go on and on");
        let error = waiting.await.unwrap().unwrap_err();
        assert!(matches!(error, EngineError::Store(StoreError::TakenOver)), "{error}");
        assert!(matches!(job.send(Go).await, Err(EngineError::Store(StoreError::TakenOver))));
        assert!(old.shutdown().await.is_err());
    });
}

#[test]
fn who_waits_for_an_engine_whose_runtime_is_gone_is_told() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (gone, here) = (runtime(), runtime());
    let job = gone.block_on(async {
        let engine = World::default().engine().await;
        engine.start::<Job>("a", Draft { number: 1 }).await.unwrap()
    });
    drop(gone);
    here.block_on(async {
        let told = futures::FutureExt::now_or_never(job.outcome());
        assert!(matches!(told, Some(Err(EngineError::ShuttingDown))), "{told:?}");
        assert!(matches!(job.send(Go).await, Err(EngineError::ShuttingDown)));
    });
}
