//! Edges that are taken while the entry handler runs.

use std::time::Duration;

use super::fixture::{Act, Cancel, Job, JobOutcome, JobState, Note, World, settle, test};

fn cancel() -> Cancel {
    Cancel { why: "stop".to_owned() }
}

#[test]
fn an_event_interrupts_the_entry_handler_after_its_running_step() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        job.send(cancel()).await.unwrap();
        settle(&engine).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Working(_)), "the running step is not cut off");
        held.send(()).unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
        assert_eq!(world.script.count("second"), 0, "the entry handler did not go on");
        assert_eq!(world.script.count("clean_up"), 1);
    });
}

#[test]
fn a_timer_interrupts_the_entry_handler_between_two_attempts() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("first", Act::Hang);
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        // The step hangs and has no timeout, so the timer can only wait for it.
        world.pass(&engine, Duration::from_secs(601)).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Working(_)));
        drop((engine, job));

        let held = world.script.will_hold("second");
        let engine = world.engine().await;
        settle(&engine).await;
        let job = engine.execution::<Job>("a").unwrap();
        // After the restart, the timer is due before the entry handler has begun.
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was done") };
        assert_eq!(cancelled.why, "too slow");
        drop(held);
    });
}

#[test]
fn an_edge_that_keeps_the_visit_lets_the_entry_handler_go_on() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("second");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        settle(&engine).await;
        for _ in 0..2 {
            job.send(Note).await.unwrap();
        }
        settle(&engine).await;
        held.send(()).unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        // Both results were recorded, so neither step ran again.
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 1));
    });
}

#[test]
fn a_taken_edge_is_durable_before_its_first_step() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        world.script.will("clean_up", Act::Hang);
        job.send(cancel()).await.unwrap();
        held.send(()).unwrap();
        settle(&engine).await;
        assert_eq!(world.script.count("clean_up"), 1);
        drop((engine, job));
        // The crash in the middle of the edge's handler: it goes on with that, not with the entry handler.
        let engine = world.engine().await;
        let job = engine.execution::<Job>("a").unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
        assert_eq!((world.script.count("second"), world.script.count("clean_up")), (0, 2));
    });
}
