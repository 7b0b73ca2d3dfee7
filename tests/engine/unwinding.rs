//! What is done is undone, the newest first, and then the state is entered.

use std::sync::Arc;

use workflow_runtime::record::Status;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineError, Stepper};

use super::faults::{full_after, silent_after};
use super::fixture::{Act, World, settle, test};
use super::trip::{Booking, Cancel, Extra, LONG, Then, Trip, engine, keys, names, on, start, story, why};

const UNDONE: [&str; 4] = ["flight", "hotel", "cancel_hotel", "cancel_flight"];

#[test]
fn undos_run_newest_first_with_the_outputs_of_their_steps_and_then_the_state_is_entered() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = start(&engine, Then::GiveUp).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(names(&world), UNDONE);
        assert_eq!(story(&trip).await, ["unwind cancelled", "undone hotel", "undone flight", "to cancelled"]);
        let record = trip.record().await.unwrap();
        assert!(record.left_to_undo() == 0 && record.closed.is_none());
        let mut all: Vec<_> = UNDONE.iter().flat_map(|step| keys(&world, step)).collect();
        all.dedup();
        assert_eq!(all.len(), 4, "an undo has an idempotency key of its own");
    });
}

#[test]
fn what_ends_well_undoes_nothing() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = start(&engine, Then::Go).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "travelled");
        assert_eq!(names(&world), ["flight", "hotel"]);
        assert_eq!(trip.record().await.unwrap().left_to_undo(), 0);
    });
}

#[test]
fn a_stepper_unwinds_as_an_engine_does() {
    test(async {
        let world = World::default();
        let script = Arc::clone(&world.script);
        let mut trip = Stepper::start(Trip { script }, Booking { then: Then::GiveUp }).unwrap();
        trip.run_to_end().await.unwrap();
        assert_eq!(why(trip.outcome().unwrap().unwrap()), "gave up");
        assert_eq!(names(&world), UNDONE);
    });
}

/// Runs a trip that unwinds, as far as its store lets it.
async fn run(engine: &Engine) -> Result<String, EngineError> {
    let trip = engine.start::<Trip>("a", Booking { then: Then::GiveUp }).await?;
    Ok(why(trip.outcome().await?))
}

// start; flight started; flight done, hotel started; hotel done, unwinding; hotel undone; flight undone, cancelled.
const COMMITS: usize = 6;

#[test]
fn whichever_commit_fails_every_undo_is_run_once_or_again_with_its_key() {
    test(async {
        for commits in 0..=COMMITS {
            let store = MemoryStore::new();
            let world = World::on(full_after(&store, commits));
            let first = engine(&world).await;
            assert_eq!(run(&first).await.is_ok(), commits == COMMITS, "{commits} commits");
            drop(first);
            let calls = names(&world).len();

            let mended = World { store: Arc::new(store), ..world };
            let second = engine(&mended).await;
            assert_eq!(run(&second).await.unwrap(), "gave up", "{commits} commits");
            // What ran when the commit failed is run again, and that alone.
            let again = usize::from((2..COMMITS).contains(&commits));
            assert_eq!(names(&mended).len(), UNDONE.len() + again, "{commits} commits: {:?}", names(&mended));
            if again == 1 {
                assert_eq!(names(&mended)[calls - 1], names(&mended)[calls], "{commits} commits");
            }
            for step in UNDONE {
                let mut keys = keys(&mended, step);
                keys.dedup();
                assert_eq!(keys.len(), 1, "{commits} commits: {step}");
            }
        }
    });
}

#[test]
fn whichever_answer_is_lost_nothing_is_undone_twice() {
    test(async {
        for commits in 0..COMMITS {
            let store = MemoryStore::new();
            let world = World::on(silent_after(&store, commits));
            let first = engine(&world).await;
            run(&first).await.ok();
            drop(first);
            let mended = World { store: Arc::new(store), ..world };
            let second = engine(&mended).await;
            assert_eq!(run(&second).await.unwrap(), "gave up", "{commits} commits");
            assert_eq!(names(&mended), UNDONE, "{commits} commits: what was applied was recorded");
        }
    });
}

#[test]
fn a_stopping_engine_lets_the_running_undo_end_and_the_next_one_goes_on_with_the_rest() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        let release = world.script.will_hold("cancel_hotel");
        let trip = start(&first, Then::GiveUp).await;
        settle(&first).await;
        assert_eq!(trip.record().await.unwrap().status(), Status::Unwinding);
        let stopping = tokio::spawn(async move { first.shutdown().await });
        tokio::task::yield_now().await;
        release.send(()).unwrap();
        stopping.await.unwrap().unwrap();
        assert_eq!(names(&world), ["flight", "hotel", "cancel_hotel"]);

        let second = engine(&world).await;
        let trip = second.execution::<Trip>("a").unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(names(&world), UNDONE);
    });
}

#[test]
fn what_was_done_in_earlier_states_is_undone_too_and_branches_in_reverse_order_of_completion() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        // The first branch ends last.
        let release = world.script.will_hold("seat_odd");
        let trip = start(&engine, Then::Pack).await;
        settle(&engine).await;
        release.send(()).unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "12 and 13");
        let expected =
            ["flight", "hotel", "seat_odd", "seat_even", "free_even", "free_odd", "cancel_hotel", "cancel_flight"];
        assert_eq!(names(&world), expected);
    });
}

#[test]
fn a_pivot_makes_what_was_done_before_final() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = start(&engine, Then::Pay).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "paid");
        assert_eq!(names(&world), ["flight", "hotel", "seat_odd", "free_even"]);
    });
}

#[test]
fn an_edge_that_keeps_the_visit_leaves_what_it_did_to_be_undone() {
    test(async {
        let store = MemoryStore::new();
        let world = on(&store);
        let first = engine(&world).await;
        let trip = start(&first, Then::Wait).await;
        settle(&first).await;
        trip.send(Extra).await.unwrap();
        settle(&first).await;
        trip.send(Extra).await.unwrap();
        settle(&first).await;
        assert_eq!(trip.record().await.unwrap().left_to_undo(), 2);
        drop(first);
        let second = engine(&world).await;
        let trip = second.execution::<Trip>("a").unwrap();
        trip.send(Cancel).await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
        let expected =
            ["flight", "hotel", "seat_even", "seat_even", "free_odd", "free_odd", "cancel_hotel", "cancel_flight"];
        assert_eq!(names(&world), expected);
        assert_eq!(keys(&world, "free_odd").len(), 2);
        assert_ne!(keys(&world, "free_odd")[0], keys(&world, "free_odd")[1]);
    });
}

#[test]
fn a_catch_unwinds_after_a_failure_of_the_handler() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = start(&engine, Then::Refuse).await;
        assert_eq!(why(trip.outcome().await.unwrap()), "refused with code 7");
        assert_eq!(names(&world), UNDONE);
    });
}

#[test]
fn neither_an_event_nor_time_cuts_an_undo_off() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let release = world.script.will_hold("cancel_hotel");
        let trip = start(&engine, Then::GiveUp).await;
        settle(&engine).await;
        trip.send(Cancel).await.unwrap();
        world.pass(&engine, LONG).await;
        assert_eq!(names(&world), ["flight", "hotel", "cancel_hotel"]);
        release.send(()).unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(names(&world), UNDONE);
    });
}

#[test]
fn a_failure_that_nothing_catches_parks_without_undoing_anything_by_default() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = start(&engine, Then::Fail).await;
        assert!(matches!(trip.outcome().await, Err(EngineError::Parked { .. })));
        assert_eq!(names(&world), ["flight", "hotel"]);
    });
}

#[test]
fn a_step_that_was_cut_off_is_run_again_with_its_key_and_undone() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        world.script.will("hotel", Act::Hang);
        let trip = start(&engine, Then::Go).await;
        settle(&engine).await;
        trip.send(Cancel).await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer");
        assert_eq!(names(&world), ["flight", "hotel", "hotel", "cancel_hotel", "cancel_flight"]);
        assert_eq!(keys(&world, "hotel")[0], keys(&world, "hotel")[1]);
    });
}
