//! What is damaged while its execution is in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use workflow_runtime::EngineError;
use workflow_runtime::record::Status;
use workflow_runtime::store::StoreError;
use workflow_runtime::stores::MemoryStore;

use super::fixture::{Cancel, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};

#[test]
fn a_damaged_event_stops_the_handler_that_runs_and_parks() {
    test(async {
        let damaged = Arc::new(AtomicBool::new(false));
        let is_damaged = Arc::clone(&damaged);
        // The store has no `inbox` of its own, so that an event is read by a load, too.
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| match call {
            Call::Load(key) if is_damaged.load(Ordering::Relaxed) => {
                Err(StoreError::Corrupt { key: key.clone(), what: "its inbox", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        }));
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        damaged.store(true, Ordering::Relaxed);
        job.send(Cancel { why: "no more".to_owned() }).await.unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0, "nobody works on what is parked");
        assert!(held.is_closed(), "the step was cut off");
        assert_eq!((world.script.count("second"), world.script.count("clean_up")), (0, 0));

        damaged.store(false, Ordering::Relaxed);
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);
        let Err(EngineError::Parked { error, .. }) = job.outcome().await else { panic!("it is parked") };
        assert!(error.message.contains("a flipped bit"), "{error}");
        job.retry().await.unwrap();
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was cancelled") };
        assert_eq!(cancelled.why, "no more");
        assert_eq!(world.script.count("second"), 0);
    });
}
