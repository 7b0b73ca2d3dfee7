//! Undos that fail, and steps of which it is not known whether they have run.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::{Activity, HistoryKind, Status};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Act, Refusal, Script, World, settle, test};
use super::trip::{Cancel, LONG, Then, Trip, builder, engine, keys, names, on, start, story, why};

#[test]
fn an_undo_that_fails_for_good_parks_with_what_is_left_and_a_retry_goes_on_with_it() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        world.script.will("cancel_hotel", Act::Fail("closed"));
        world.script.will("cancel_hotel", Act::Fail("still closed"));
        let trip = start(&first, Then::GiveUp).await;
        world.pass(&first, LONG).await;
        let error = trip.outcome().await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Parked { error, .. } if error.message == "the undo of `hotel` failed: still closed"),
            "{error}"
        );
        let record = trip.record().await.unwrap();
        assert_eq!((record.status(), record.left_to_undo()), (Status::Parked, 2));
        assert_eq!(story(&trip).await, ["unwind cancelled", "failed hotel", "parked"]);
        drop(first);

        let second = engine(&world).await;
        let trip = second.execution::<Trip>("a").unwrap();
        settle(&second).await;
        assert_eq!(names(&world).len(), 4, "nothing happens until somebody says so");
        trip.retry().await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(names(&world), ["flight", "hotel", "cancel_hotel", "cancel_hotel", "cancel_hotel", "cancel_flight"]);
        let mut keys = keys(&world, "cancel_hotel");
        keys.dedup();
        assert_eq!(keys.len(), 1);
    });
}

#[test]
fn the_retries_of_an_undo_go_on_counting_after_a_restart() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        world.script.will("cancel_hotel", Act::Fail("closed"));
        let trip = start(&first, Then::GiveUp).await;
        settle(&first).await;
        let record = trip.record().await.unwrap();
        assert_eq!(record.status(), Status::Unwinding);
        assert!(record.resume_at.is_some() && matches!(record.activity, Activity::Unwinding { .. }));
        first.shutdown().await.unwrap();

        world.script.will("cancel_hotel", Act::Fail("still closed"));
        let second = engine(&world).await;
        world.pass(&second, Duration::from_secs(5)).await;
        let trip = second.execution::<Trip>("a").unwrap();
        assert_eq!(trip.record().await.unwrap().status(), Status::Parked, "that was the second attempt of two");
        assert_eq!(names(&world).len(), 4);
    });
}

#[test]
fn an_undo_that_is_no_step_is_tried_again_by_default() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        for _ in 0..15 {
            world.script.will("cancel_flight", Act::Fail("no line"));
        }
        let trip = start(&engine, Then::GiveUp).await;
        world.pass(&engine, LONG).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(world.script.count("cancel_flight"), 16);

        for _ in 0..16 {
            world.script.will("cancel_flight", Act::Panic);
        }
        let trip = engine.start::<Trip>("b", super::trip::Booking { then: Then::GiveUp }).await.unwrap();
        world.pass(&engine, LONG).await;
        let error = trip.outcome().await.unwrap_err().to_string();
        assert!(error.contains("the undo of `flight` failed") && error.contains("boom"), "{error}");
    });
}

#[test]
fn a_step_that_ran_at_the_crash_is_run_again_and_undone() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        world.script.will("hotel", Act::Hang);
        let trip = start(&first, Then::Go).await;
        settle(&first).await;
        // It is on disk before anything goes on, so that it is the first that the next engine sees.
        trip.send(Cancel).await.unwrap();
        drop(first);
        let second = engine(&world).await;
        let trip = second.execution::<Trip>("a").unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
        assert_eq!(names(&world), ["flight", "hotel", "hotel", "cancel_hotel", "cancel_flight"]);
        assert_eq!(keys(&world, "hotel")[0], keys(&world, "hotel")[1]);
    });
}

#[test]
fn a_step_that_timed_out_or_panicked_is_run_again_and_undone() {
    test(async {
        for act in [|| Act::Hang, || Act::Panic] {
            let world = World::default();
            let engine = engine(&world).await;
            world.script.will("hotel", act());
            world.script.will("hotel", act());
            let trip = start(&engine, Then::Go).await;
            world.pass(&engine, LONG).await;
            // Its error type has no room for that: the handler failed, and nothing caught it.
            assert_eq!(trip.record().await.unwrap().status(), Status::Parked);
            trip.send(Cancel).await.unwrap();
            trip.retry().await.unwrap();
            assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
            assert_eq!(names(&world), ["flight", "hotel", "hotel", "hotel", "cancel_hotel", "cancel_flight"]);
        }
    });
}

#[test]
fn a_step_that_fails_with_its_own_error_when_it_is_run_again_had_no_effect() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        world.script.will("hotel", Act::Hang);
        let trip = start(&engine, Then::Go).await;
        settle(&engine).await;
        world.script.will("hotel", Act::Refuse(Refusal { code: 1 }));
        world.script.will("hotel", Act::Refuse(Refusal { code: 2 }));
        trip.send(Cancel).await.unwrap();
        world.pass(&engine, LONG).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
        assert_eq!(names(&world), ["flight", "hotel", "hotel", "hotel", "cancel_flight"]);
        assert_eq!(story(&trip).await, ["unwind cancelled", "nothing hotel", "undone flight", "to cancelled"]);
    });
}

#[test]
fn if_it_cannot_be_found_out_whether_a_step_has_run_that_waits_for_a_person() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        world.script.will("hotel", Act::Hang);
        let trip = start(&engine, Then::Go).await;
        settle(&engine).await;
        world.script.will("hotel", Act::Hang);
        world.script.will("hotel", Act::Panic);
        trip.send(Cancel).await.unwrap();
        world.pass(&engine, LONG).await;
        let error = trip.outcome().await.unwrap_err().to_string();
        assert!(error.contains("the undo of `hotel` failed") && error.contains("boom"), "{error}");
        trip.retry().await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
        assert_eq!(names(&world).iter().filter(|name| *name == "cancel_hotel").count(), 1);
        let mut keys = keys(&world, "hotel");
        keys.dedup();
        assert_eq!(keys.len(), 1);
    });
}

#[test]
fn arguments_that_are_too_long_to_be_saved_fail_before_the_step_runs() {
    test(async {
        let world = World::default();
        let engine = builder(&world).payload_limit(20).start().await.unwrap();
        let trip = start(&engine, Then::Go).await;
        let error = trip.outcome().await.unwrap_err().to_string();
        assert!(
            error.contains("the arguments of the step `hotel`") && error.contains("over the limit of 20"),
            "{error}"
        );
        assert_eq!(names(&world), ["flight"]);
    });
}

/// The same workflow, after somebody has taken the undo of the hotel out.
mod later {
    use super::super::trip::{Booking, Cancelled, Place};
    use super::*;

    pub struct Trip {
        pub script: Arc<Script>,
    }

    #[workflow(start = Booking, allow(no_undo, fragile_step, small_machine))]
    impl Trip {
        #[state]
        async fn book(&self, cx: &Cx, _: Booking) -> Result<Unwind<Cancelled>> {
            self.flight(cx, "LH 232").await?;
            Ok(Unwind(Cancelled { why: "gave up".to_owned() }))
        }

        #[step(undo = cancel_flight)]
        async fn flight(&self, cx: &Cx, number: &str) -> Result<Place> {
            self.script.act("flight", cx, 0).await.map(|_| Place { name: number.to_owned() })
        }

        async fn cancel_flight(&self, cx: &Cx, _: Place) -> Result<()> {
            self.script.act("cancel_flight", cx, 0).await.map(drop)
        }
    }
}

#[test]
fn an_undo_that_the_code_has_lost_parks_and_says_so() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        world.script.will("cancel_hotel", Act::Hang);
        start(&first, Then::GiveUp).await;
        settle(&first).await;
        drop(first);

        let changed = later::Trip { script: Arc::clone(&world.script) };
        let second =
            Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(changed).start().await.unwrap();
        let trip = second.execution::<later::Trip>("a").unwrap();
        let error = trip.outcome().await.unwrap_err().to_string();
        assert!(error.contains("no step `hotel` with an `undo` any more"), "{error}");
        second.shutdown().await.unwrap();

        let third = engine(&world).await;
        let trip = third.execution::<Trip>("a").unwrap();
        trip.retry().await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
    });
}

/// Two branches, of which the failure of one drops the other.
mod hasty {
    use futures::future::try_join;

    use super::super::trip::{Booking, Cancelled};
    use super::*;

    pub struct Hasty {
        pub script: Arc<Script>,
    }

    #[workflow(start = Booking, allow(no_undo, fragile_step, small_machine))]
    impl Hasty {
        #[state]
        async fn book(&self, cx: &Cx, _: Booking) -> Result<Unwind<Cancelled>> {
            let both = try_join(self.slow(cx), self.quick(cx)).await;
            Ok(Unwind(Cancelled { why: both.map_or_else(|error| error.to_string(), |_| "both".to_owned()) }))
        }

        #[step(undo = undo_slow)]
        async fn slow(&self, cx: &Cx) -> Result<u32> {
            self.script.act("slow", cx, 1).await
        }

        async fn undo_slow(&self, cx: &Cx, slow: u32) -> Result<()> {
            self.script.act("undo_slow", cx, slow).await.map(drop)
        }

        #[step]
        async fn quick(&self, cx: &Cx) -> Result<u32> {
            self.script.act("quick", cx, 2).await
        }
    }
}

#[test]
fn a_step_of_a_branch_that_was_dropped_is_run_again_and_undone() {
    test(async {
        let world = World::default();
        let hasty = hasty::Hasty { script: Arc::clone(&world.script) };
        let engine =
            Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(hasty).start().await.unwrap();
        world.script.will("slow", Act::Hang);
        world.script.will("quick", Act::Fail("no"));
        let start = super::trip::Booking { then: Then::Go };
        let trip = engine.start::<hasty::Hasty>("a", start).await.unwrap();
        let hasty::HastyOutcome::Cancelled(cancelled) = trip.outcome().await.unwrap();
        assert_eq!(cancelled.why, "no");
        assert_eq!(names(&world), ["slow", "quick", "slow", "undo_slow"]);
        assert_eq!(keys(&world, "slow")[0], keys(&world, "slow")[1]);
    });
}

mod careful {
    use super::super::trip::{Booking, Place, Travelled};
    use super::*;

    pub struct Careful {
        pub script: Arc<Script>,
    }

    #[workflow(start = Booking, on_failure = unwind, allow(no_undo, fragile_step, small_machine))]
    impl Careful {
        #[state]
        async fn book(&self, cx: &Cx, _: Booking) -> Result<Travelled> {
            self.flight(cx, "LH 232").await?;
            self.insure(cx).await?;
            Ok(Travelled)
        }

        #[step(undo = cancel_flight)]
        async fn flight(&self, cx: &Cx, number: &str) -> Result<Place> {
            self.script.act("flight", cx, 0).await.map(|_| Place { name: number.to_owned() })
        }

        async fn cancel_flight(&self, cx: &Cx, _: Place) -> Result<()> {
            self.script.act("cancel_flight", cx, 0).await.map(drop)
        }

        #[step]
        async fn insure(&self, cx: &Cx) -> Result<()> {
            self.script.act("insure", cx, 0).await.map(drop)
        }
    }
}

#[test]
fn a_workflow_that_unwinds_on_failure_undoes_all_then_parks_with_the_error_and_a_retry_begins_anew() {
    test(async {
        let world = World::default();
        let careful = careful::Careful { script: Arc::clone(&world.script) };
        let engine =
            Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(careful).start().await.unwrap();
        world.script.will("insure", Act::Fail("too risky"));
        let start = super::trip::Booking { then: Then::Go };
        let trip = engine.start::<careful::Careful>("a", start).await.unwrap();
        let error = trip.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { error, .. } if error.message == "too risky"), "{error}");
        assert_eq!(names(&world), ["flight", "insure", "cancel_flight"]);
        let rows = trip.history(0, 100).await.unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| &row.record.kind).collect();
        assert!(
            matches!(
                &kinds[..],
                [
                    HistoryKind::Started { .. },
                    HistoryKind::UnwindBegan { into: None, error: Some(_), .. },
                    HistoryKind::Undone { .. },
                    HistoryKind::Parked { .. }
                ]
            ),
            "{kinds:?}"
        );
        trip.retry().await.unwrap();
        trip.outcome().await.unwrap();
        assert_eq!(names(&world), ["flight", "insure", "cancel_flight", "flight", "insure"]);
        assert_ne!(keys(&world, "flight")[0], keys(&world, "flight")[1], "it is another flight");
    });
}
