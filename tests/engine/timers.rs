//! Time: edges that fire by themselves, pauses between attempts, and what a restart does to them.

use std::time::Duration;

use super::fixture::{Act, Draft, Job, JobOutcome, JobState, World, settle, test};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_timer_fires_at_its_time_and_not_before() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        world.pass(&engine, HOUR - Duration::from_millis(1)).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(_)));
        world.pass(&engine, Duration::from_millis(1)).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Cancelled(_)));
    });
}

#[test]
fn a_timer_goes_on_where_it_was_after_a_restart_and_fires_late_if_nobody_was_there() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        world.pass(&engine, HOUR - MINUTE).await;
        engine.shutdown().await.unwrap();
        let engine = world.engine().await;
        world.pass(&engine, MINUTE).await;
        let a = engine.execution::<Job>("a").unwrap();
        assert!(matches!(a.state().await.unwrap(), JobState::Cancelled(_)), "it did not start from zero");

        engine.start::<Job>("b", Draft { number: 1 }).await.unwrap();
        engine.shutdown().await.unwrap();
        world.clock.advance(24 * HOUR);
        let engine = world.engine().await;
        settle(&engine).await;
        let b = engine.execution::<Job>("b").unwrap();
        assert!(matches!(b.state().await.unwrap(), JobState::Cancelled(_)));
    });
}

#[test]
fn ten_thousand_timers_of_one_moment_all_fire() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let jobs = (0..10_000).map(|n| (format!("{n}"), Draft { number: n }));
        assert_eq!(engine.start_all::<Job, _>(jobs).await.unwrap(), 10_000);
        settle(&engine).await;
        assert_eq!(engine.active(), 0, "those that wait have no task");
        world.clock.advance(HOUR);
        for n in 0..10_000 {
            let job = engine.execution::<Job>(format!("{n}")).unwrap();
            assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
        }
    });
}

#[test]
fn a_step_is_tried_again_after_its_pause_and_has_no_task_meanwhile() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("second", Act::Fail("not yet"));
        world.script.will("second", Act::Fail("not yet"));
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        settle(&engine).await;
        assert_eq!(engine.active(), 0);
        world.pass(&engine, 2 * MINUTE).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 3));
        let calls = world.script.calls();
        let seconds: Vec<Vec<&str>> =
            calls.iter().filter(|call| call.starts_with("second")).map(|call| call.split(' ').collect()).collect();
        assert_eq!(seconds.iter().map(|call| call[1]).collect::<Vec<_>>(), ["1", "2", "3"]);
        assert!(seconds.iter().all(|call| call[2] == seconds[0][2]), "every attempt has the same idempotency key");
    });
}

#[test]
fn the_count_of_attempts_survives_a_restart() {
    test(async {
        let world = World::default();
        for _ in 0..3 {
            world.script.will("second", Act::Fail("never"));
        }
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        settle(&engine).await;
        drop((engine, job));
        for _ in 0..2 {
            let engine = world.engine().await;
            world.pass(&engine, MINUTE).await;
            drop(engine);
        }
        let engine = world.engine().await;
        let job = engine.execution::<Job>("a").unwrap();
        world.pass(&engine, MINUTE).await;
        assert!(job.outcome().await.unwrap_err().to_string().contains("never"));
        assert_eq!(world.script.count("second"), 3);
    });
}

#[test]
fn a_step_that_hangs_is_cut_off_and_tried_again() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        world.script.will("second", Act::Hang);
        let job = world.working(&engine, "a").await;
        world.pass(&engine, 2 * MINUTE).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        assert_eq!(world.script.count("second"), 2);
    });
}
