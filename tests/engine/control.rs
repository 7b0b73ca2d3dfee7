//! What a person does to a running execution.

use std::time::Duration;

use workflow_runtime::record::{Cause, ControlAction, ErrorKind, HistoryKind, Reason, Status};
use workflow_runtime::{Engine, EngineError, Execution};

use super::fixture::{Act, Done, Draft, Go, Hop, Job, JobOutcome, JobState, Note, Working, World, settle, test};

/// What the history says was asked for by hand: what, by whom, and why nothing came of it.
async fn audit(job: &Execution<Job>) -> Vec<(ControlAction, Reason, Option<String>)> {
    let rows = job.history(0, 1_000).await.unwrap().into_iter();
    let requests = rows.filter_map(|row| match row.record.kind {
        HistoryKind::Control { action, reason, refused, .. } => Some((action, reason, refused)),
        _ => None,
    });
    requests.collect()
}

async fn status(job: &Execution<Job>) -> Status {
    job.record().await.unwrap().status()
}

async fn sum(job: &Execution<Job>) -> u32 {
    let JobOutcome::Done(Done { sum }) = job.outcome().await.unwrap() else { panic!("it is not done") };
    sum
}

async fn waiting(engine: &Engine, id: &str) -> Execution<Job> {
    engine.start::<Job>(id, Draft { number: 1 }).await.unwrap()
}

/// A job whose first step has failed for good.
async fn parked(world: &World, engine: &Engine, id: &str) -> Execution<Job> {
    world.script.will("first", Act::Fail("the disk is on fire"));
    let job = world.working(engine, id).await;
    job.outcome().await.unwrap_err();
    job
}

#[test]
fn what_rests_is_closed_when_the_call_returns_and_the_outcome_says_why() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = waiting(&engine, "a").await;
        let waiter = tokio::spawn({
            let job = job.clone();
            async move { job.outcome().await }
        });
        settle(&engine).await;
        job.cancel(Reason::new("the customer asked").by("alice")).await.unwrap();
        assert_eq!(status(&job).await, Status::Cancelled);
        let error = waiter.await.unwrap().unwrap_err();
        assert!(matches!(&error, EngineError::Cancelled { reason, .. } if reason.by.as_deref() == Some("alice")));
        assert_eq!(error.to_string(), "the execution Job/a was cancelled: the customer asked (alice)");
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(_)), "where it was can be looked at");
        assert!(matches!(job.send(Go).await, Err(EngineError::Ended { .. })));
        assert!(matches!(job.cancel("again").await, Err(EngineError::Ended { .. })));
        let expected = (ControlAction::Cancel, Reason::new("the customer asked").by("alice"), None);
        assert_eq!(audit(&job).await, [expected]);
    });
}

#[test]
fn of_two_requests_that_wait_together_the_second_is_told_that_the_first_has_ended_it() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = waiting(&engine, "a").await;
        settle(&engine).await;
        let (first, second) = tokio::join!(job.terminate("the first"), job.park("the second"));
        first.unwrap();
        assert!(matches!(&second, Err(EngineError::Ended { .. })), "{second:?}");
        assert_eq!(status(&job).await, Status::Terminated);
        let rows = job.history(0, 100).await.unwrap();
        let left = rows.iter().filter(|row| matches!(row.record.kind, HistoryKind::EventLeft { .. })).count();
        assert_eq!(left, 1, "both were there when the first was taken");
    });
}

#[test]
fn a_running_step_is_not_cut_off_by_a_cancellation() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        job.cancel("enough").await.unwrap();
        settle(&engine).await;
        assert_eq!(status(&job).await, Status::Running, "the step still runs");
        held.send(()).unwrap();
        assert!(matches!(job.outcome().await, Err(EngineError::Cancelled { .. })));
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 0));
    });
}

#[test]
fn a_running_step_is_cut_off_by_a_termination() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let _held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        job.cancel("please").await.unwrap();
        job.terminate(Reason::new("now").by("bob")).await.unwrap();
        assert_eq!(status(&job).await, Status::Terminated, "nobody waits for the step, not even the cancellation");
        let error = job.outcome().await.unwrap_err();
        assert_eq!(error.to_string(), "the execution Job/a was terminated: now (bob)");
        settle(&engine).await;
        assert_eq!((engine.active(), world.script.count("second")), (0, 0));
    });
}

#[test]
fn parking_stops_the_time_and_keeps_what_was_done() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        job.park(Reason::new("the carrier is on strike").by("alice")).await.unwrap();
        held.send(()).unwrap();
        let error = job.outcome().await.unwrap_err();
        assert!(error.to_string().contains("the carrier is on strike (alice)"), "{error}");
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.kind == ErrorKind::ByHand));
        let again = job.park("again").await.unwrap_err();
        assert!(again.to_string().contains("it is parked already"), "{again}");
        // Its deadline of ten minutes stands still.
        world.pass(&engine, Duration::from_secs(3_600)).await;
        job.send(Note).await.unwrap();
        settle(&engine).await;
        assert_eq!(status(&job).await, Status::Parked);
        job.retry_because("the strike is over").await.unwrap();
        assert_eq!(sum(&job).await, 5);
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 1));
        let actions: Vec<_> = audit(&job).await.into_iter().map(|(action, ..)| action).collect();
        assert_eq!(actions, [ControlAction::Park, ControlAction::Park, ControlAction::Retry]);
    });
}

#[test]
fn a_failed_step_is_skipped_by_giving_its_result() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = parked(&world, &engine, "a").await;
        let failed = job.failed_steps().await.unwrap();
        assert_eq!((failed.len(), failed[0].step(), failed[0].attempts), (1, "first", 1));
        let error = job.skip("second", &7_u32, "known").await.unwrap_err();
        assert!(error.to_string().contains(&format!("`second`: name one of `{}`", failed[0].key)), "{error}");
        job.skip("first", &40_u32, Reason::new("paid by hand").by("alice")).await.unwrap();
        assert_eq!(sum(&job).await, 81);
        assert_eq!((world.script.count("first"), world.script.count("second")), (1, 1));
        assert!(matches!(job.skip("first", &1_u32, "late").await, Err(EngineError::NotParked { .. })));

        let job = parked(&world, &engine, "by key").await;
        let key = job.failed_steps().await.unwrap().remove(0).key;
        job.skip(&key, &serde_json::json!(3), "known").await.unwrap();
        assert_eq!(sum(&job).await, 7);
    });
}

#[test]
fn a_result_that_the_step_cannot_read_parks_it_again() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = parked(&world, &engine, "a").await;
        job.skip("first", "forty", "known").await.unwrap();
        let error = job.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.kind == ErrorKind::Unreadable), "{error}");
    });
}

#[test]
fn a_move_takes_it_to_any_state_from_wherever_it_is() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = parked(&world, &engine, "parked").await;
        let working = JobState::Working(Working { number: 10, notes: 0 });
        job.move_to(working, Reason::new("start again").by("alice")).await.unwrap();
        assert_eq!(sum(&job).await, 23);
        let rows = job.history(0, 100).await.unwrap();
        let moved = |row: &&workflow_runtime::store::HistoryRow| {
            matches!(&row.record.kind, HistoryKind::Transition { from, to, cause: Cause::Moved { reason }, .. }
                if (from.as_str(), to.as_str(), reason.to_string().as_str()) == ("working", "working", "start again (alice)"))
        };
        assert_eq!(rows.iter().filter(moved).count(), 1);

        let held = world.script.will_hold("first");
        let job = world.working(&engine, "running").await;
        world.script.called().await;
        job.move_to(JobState::Hop(Hop { left: 2 }), "quicker").await.unwrap();
        settle(&engine).await;
        held.send(()).unwrap();
        assert_eq!(sum(&job).await, 0);

        let job = waiting(&engine, "to an end").await;
        job.move_to(JobState::Done(Done { sum: 99 }), "settled on the phone").await.unwrap();
        assert_eq!(sum(&job).await, 99);
    });
}

#[test]
fn an_execution_that_is_not_there_is_refused() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.execution::<Job>("nobody").unwrap();
        for refused in [job.cancel("x").await, job.park("x").await, job.terminate("x").await, job.retry().await] {
            assert!(matches!(refused, Err(EngineError::UnknownExecution { .. })), "{refused:?}");
        }
        assert!(matches!(job.skip("first", &1, "x").await, Err(EngineError::UnknownExecution { .. })));
        let moved = job.move_to(JobState::Hop(Hop { left: 0 }), "x").await;
        assert!(matches!(moved, Err(EngineError::UnknownExecution { .. })));
    });
}

#[test]
fn a_request_with_a_name_is_made_once() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = waiting(&engine, "a").await;
        let reason = || Reason::new("the recall").once("recall-17");
        job.park(reason()).await.unwrap();
        job.retry_because(reason()).await.unwrap();
        job.park(reason()).await.unwrap();
        assert_eq!(status(&job).await, Status::Waiting);
        assert_eq!(audit(&job).await.len(), 2);
    });
}

#[test]
fn what_was_asked_for_survives_a_crash_before_it_is_done() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let parked = parked(&world, &engine, "parked").await;
        // Every place is taken, so that nobody looks at the request.
        let busy = world.builder().max_active(1).start().await.unwrap();
        drop(engine);
        let held = world.script.will_hold("first");
        world.working(&busy, "busy").await;
        world.script.called().await;
        let job = busy.execution::<Job>(parked.id()).unwrap();
        job.cancel("enough").await.unwrap();
        assert_eq!(status(&job).await, Status::Parked);
        drop(busy);
        drop(held);
        let engine = world.engine().await;
        settle(&engine).await;
        let job = engine.execution::<Job>(parked.id()).unwrap();
        assert_eq!(status(&job).await, Status::Cancelled);
    });
}
