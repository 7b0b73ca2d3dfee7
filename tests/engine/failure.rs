//! What fails, and where it ends.

use workflow_runtime::EngineError;
use workflow_runtime::record::{ErrorKind, HistoryKind, Status};

use super::fixture::{Act, Cancel, Job, JobOutcome, Refusal, World, settle, test};

#[test]
fn an_error_of_a_type_is_caught_by_its_type() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("first", Act::Refuse(Refusal { code: 7 }));
        let job = world.working(&engine, "a").await;
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was done") };
        assert_eq!(cancelled.why, "refused with code 7");
        let rows = job.history(0, 100).await.unwrap();
        assert!(rows.iter().any(|row| matches!(&row.record.kind,
            HistoryKind::Transition { error: Some(error), .. } if error.message == "refused with code 7")));
    });
}

#[test]
fn an_error_that_nothing_catches_parks_with_its_chain_and_retry_goes_on_from_there() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        for _ in 0..3 {
            world.script.will("second", Act::Fail("the disk is on fire"));
        }
        let job = world.working(&engine, "a").await;
        world.pass(&engine, std::time::Duration::from_secs(60)).await;
        let error = job.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.message == "the disk is on fire"));
        assert!(error.to_string().contains("Job/a is parked"), "{error}");
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);

        // While it is parked, events queue, and a restart changes nothing.
        drop(engine);
        let engine = world.engine().await;
        settle(&engine).await;
        assert_eq!(world.script.count("second"), 3);
        let job = engine.execution::<Job>("a").unwrap();
        job.retry().await.unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 4), "successes are kept");
    });
}

#[test]
fn an_event_that_came_while_it_was_parked_is_taken_at_the_retry() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("first", Act::Fail("no"));
        let job = world.working(&engine, "a").await;
        job.outcome().await.unwrap_err();
        job.send(Cancel { why: "enough".to_owned() }).await.unwrap();
        settle(&engine).await;
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);
        job.retry().await.unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
    });
}

#[test]
fn a_panic_is_a_failure_and_the_engine_goes_on() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("first", Act::Panic);
        let bad = world.working(&engine, "bad").await;
        let error = bad.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.message.contains("boom")), "{error}");
        let good = world.working(&engine, "good").await;
        assert!(matches!(good.outcome().await.unwrap(), JobOutcome::Done(_)));
    });
}

#[test]
fn a_panic_is_tried_again_where_the_step_is() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("second", Act::Panic);
        let job = world.working(&engine, "a").await;
        world.pass(&engine, std::time::Duration::from_secs(60)).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!(world.script.count("second"), 2);
    });
}

#[test]
fn a_failure_of_the_edge_that_was_taken_parks_there() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        world.script.will("clean_up", Act::Fail("stuck"));
        job.send(Cancel { why: "stop".to_owned() }).await.unwrap();
        held.send(()).unwrap();
        let error = job.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.kind == ErrorKind::Failed), "{error}");
        job.retry().await.unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
    });
}
