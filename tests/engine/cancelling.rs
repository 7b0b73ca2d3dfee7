//! Cancelling: by the edge that the state has for it, else by undoing what was done.

use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::record::{ControlAction, HistoryKind, Reason, Status};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Cancel, Engine, EngineError, Execution, Rest, Stepper};

use super::faults::{full_after, silent_after};
use super::fixture::{Act, Script, World, settle, test};
use super::trip::{Booking, LONG, Packing, Then, Trip, TripState, engine, names, start, story, why};

const UNDONE: [&str; 4] = ["flight", "hotel", "cancel_hotel", "cancel_flight"];

async fn refusals(trip: &Execution<Trip>) -> Vec<(ControlAction, Option<String>)> {
    let rows = trip.history(0, 100).await.unwrap().into_iter();
    let asked = rows.filter_map(|row| match row.record.kind {
        HistoryKind::Control { action, refused, .. } => Some((action, refused)),
        _ => None,
    });
    asked.collect()
}

/// A trip that is booked, and waits.
async fn booked(world: &World, engine: &Engine) -> Execution<Trip> {
    let trip = start(engine, Then::Wait).await;
    settle(engine).await;
    assert_eq!(names(world), ["flight", "hotel"]);
    trip
}

#[test]
fn what_was_done_is_undone_before_it_is_closed() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = booked(&world, &engine).await;
        trip.cancel(Reason::new("the strike").by("alice")).await.unwrap();
        let error = trip.outcome().await.unwrap_err();
        assert_eq!(error.to_string(), "the execution Trip/a was cancelled: the strike (alice)");
        assert_eq!(names(&world), UNDONE);
        assert_eq!(story(&trip).await, ["unwind -", "undone hotel", "undone flight", "closed"]);
    });
}

#[test]
fn what_still_runs_is_waited_for_and_undone() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let held = world.script.will_hold("flight");
        let trip = start(&engine, Then::Wait).await;
        world.script.called().await;
        trip.cancel("the strike").await.unwrap();
        settle(&engine).await;
        held.send(()).unwrap();
        assert!(matches!(trip.outcome().await, Err(EngineError::Cancelled { .. })));
        assert_eq!(names(&world), ["flight", "cancel_flight"]);
    });
}

#[test]
fn while_it_unwinds_it_is_not_cancelled_again_and_the_undo_is_not_cut_off() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let held = world.script.will_hold("cancel_hotel");
        let trip = booked(&world, &engine).await;
        trip.cancel("the strike").await.unwrap();
        settle(&engine).await;
        assert_eq!(trip.record().await.unwrap().status(), Status::Unwinding);
        trip.cancel("again").await.unwrap();
        settle(&engine).await;
        held.send(()).unwrap();
        let error = trip.outcome().await.unwrap_err();
        assert!(error.to_string().ends_with("the strike"), "{error}");
        assert_eq!(names(&world), UNDONE);
        let refused = Some("it is unwinding, and that is not cut off".to_owned());
        assert_eq!(refusals(&trip).await, [(ControlAction::Cancel, None), (ControlAction::Cancel, refused)]);
    });
}

/// A trip whose hotel could not be cancelled.
async fn stuck(world: &World, engine: &Engine) -> Execution<Trip> {
    for _ in 0..2 {
        world.script.will("cancel_hotel", Act::Fail("the line is busy"));
    }
    let trip = start(engine, Then::GiveUp).await;
    world.pass(engine, LONG).await;
    assert_eq!(trip.record().await.unwrap().status(), Status::Parked);
    trip
}

#[test]
fn an_undo_that_failed_is_skipped_and_the_rest_is_undone() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = stuck(&world, &engine).await;
        let failed = trip.failed_steps().await.unwrap();
        assert_eq!((failed.len(), failed[0].step(), failed[0].attempts), (1, "cancel_hotel", 2));
        trip.skip("cancel_hotel", &(), "done on the phone").await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "gave up");
        assert_eq!(world.script.count("cancel_hotel"), 2);
        assert_eq!(world.script.count("cancel_flight"), 1);
    });
}

#[test]
fn what_is_parked_while_it_unwinds_can_be_cancelled_and_then_has_no_outcome() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = stuck(&world, &engine).await;
        trip.cancel("enough").await.unwrap();
        assert!(matches!(trip.outcome().await, Err(EngineError::Cancelled { .. })));
        assert_eq!((world.script.count("cancel_hotel"), world.script.count("cancel_flight")), (3, 1));
    });
}

#[test]
fn a_termination_undoes_nothing_also_in_the_middle_of_an_undo() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let _held = world.script.will_hold("cancel_hotel");
        let trip = booked(&world, &engine).await;
        trip.cancel("the strike").await.unwrap();
        settle(&engine).await;
        trip.terminate("no more").await.unwrap();
        assert!(matches!(trip.outcome().await, Err(EngineError::Terminated { .. })));
        assert_eq!(names(&world), ["flight", "hotel", "cancel_hotel"]);
    });
}

#[test]
fn a_move_keeps_what_is_to_be_undone() {
    test(async {
        let world = World::default();
        let engine = engine(&world).await;
        let trip = booked(&world, &engine).await;
        trip.move_to(TripState::Packing(Packing { from: 20 }), "they pack already").await.unwrap();
        trip.outcome().await.unwrap();
        let undone: Vec<_> = story(&trip).await.into_iter().filter(|word| word.starts_with("undone")).collect();
        assert_eq!(undone.len(), 4);
        assert_eq!(undone[2..], ["undone hotel", "undone flight"]);
    });
}

#[test]
fn a_stepper_cancels_as_an_engine_does() {
    test(async {
        let world = World::default();
        let script = Arc::clone(&world.script);
        let mut trip = Stepper::start(Trip { script }, Booking { then: Then::Wait }).unwrap();
        trip.run().await.unwrap();
        let rest = trip.cancel(Reason::new("the strike").by("alice")).await.unwrap();
        assert_eq!(rest, Rest::Cancelled(Reason::new("the strike").by("alice")));
        assert_eq!(names(&world), UNDONE);
        assert!(trip.cancel("again").await.unwrap_err().to_string().contains("has ended"));
    });
}

/// Books a trip and cancels it, as far as the store lets it.
async fn book_and_cancel(engine: &Engine) -> Result<(), EngineError> {
    let trip = engine.start::<Trip>("a", Booking { then: Then::Wait }).await?;
    settle(engine).await;
    match trip.cancel(Reason::new("the strike").once("strike-3")).await {
        Ok(()) | Err(EngineError::Ended { .. }) => {}
        Err(error) => return Err(error),
    }
    match trip.outcome().await {
        Err(EngineError::Cancelled { .. }) => Ok(()),
        other => Err(other.unwrap_err()),
    }
}

#[test]
fn whichever_commit_fails_or_is_not_answered_it_is_cancelled_and_undone() {
    test(async {
        let mut failures = 0;
        for commits in 0..12 {
            for lose_the_answer in [false, true] {
                let store = MemoryStore::new();
                let faulty = if lose_the_answer { silent_after(&store, commits) } else { full_after(&store, commits) };
                let world = World::on(faulty);
                let first = engine(&world).await;
                failures += usize::from(book_and_cancel(&first).await.is_err());
                drop(first);
                let mended = World { store: Arc::new(store), ..world };
                let second = engine(&mended).await;
                book_and_cancel(&second).await.unwrap();
                let trip = second.execution::<Trip>("a").unwrap();
                let story = story(&trip).await;
                assert_eq!(story.last().unwrap(), "closed", "{commits} commits: {story:?}");
                assert_eq!(refusals(&trip).await.len(), 1, "{commits} commits");
                let calls = |step| mended.script.count(step);
                assert!(calls("cancel_flight") >= 1 && calls("cancel_hotel") == calls("cancel_hotel").min(2));
            }
        }
        assert!(failures > 10, "it fails at each of its commits: {failures}");
    });
}

#[state]
pub struct Waiting {
    strikes: u32,
}

#[state]
pub struct Working;

#[state(end)]
#[derive(Debug)]
pub struct Withdrawn {
    why: String,
    by: Option<String>,
}

#[event]
pub struct Work;

/// A request that may be withdrawn, though not at once.
pub struct Request {
    script: Arc<Script>,
}

#[workflow(start = Waiting, allow(endless_wait, fragile_step))]
impl Request {
    #[on]
    fn work(&self, _: Waiting, _: Work) -> Working {
        Working
    }

    /// The second time, it is meant.
    #[on]
    fn doubted(&self, waiting: Waiting, cancel: Cancel) -> Next<(Stay<Waiting>, Withdrawn)> {
        match waiting.strikes {
            0 => goto(Stay(Waiting { strikes: 1 })),
            _ => goto(Withdrawn { why: cancel.reason, by: cancel.by }),
        }
    }

    #[state]
    async fn working(&self, cx: &Cx, _: Working) -> Result<Wait> {
        self.first(cx).await?;
        Ok(Wait)
    }

    #[on]
    async fn withdrawn(&self, cx: &Cx, _: Working, cancel: Cancel) -> Result<Withdrawn> {
        self.clean_up(cx).await?;
        Ok(Withdrawn { why: cancel.reason, by: cancel.by })
    }

    #[step]
    async fn first(&self, cx: &Cx) -> Result<()> {
        self.script.act("first", cx, 0).await.map(drop)
    }

    #[step]
    async fn clean_up(&self, cx: &Cx) -> Result<()> {
        self.script.act("clean_up", cx, 0).await.map(drop)
    }
}

async fn request(world: &World) -> (Engine, Execution<Request>) {
    let request = Request { script: Arc::clone(&world.script) };
    let engine = Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(request);
    let engine = engine.start().await.unwrap();
    let request = engine.start::<Request>("a", Waiting { strikes: 0 }).await.unwrap();
    (engine, request)
}

async fn withdrawn(request: &Execution<Request>) -> String {
    let RequestOutcome::Withdrawn(withdrawn) = request.outcome().await.unwrap();
    format!("{} {:?}", withdrawn.why, withdrawn.by)
}

#[test]
fn an_edge_for_it_takes_the_reason_and_may_stay() {
    test(async {
        let world = World::default();
        let (_engine, request) = request(&world).await;
        request.cancel("a whim").await.unwrap();
        assert!(matches!(request.state().await.unwrap(), RequestState::Waiting(Waiting { strikes: 1 })));
        request.cancel(Reason::new("found another job").by("bob")).await.unwrap();
        assert_eq!(withdrawn(&request).await, "found another job Some(\"bob\")");
    });
}

#[test]
fn an_edge_for_it_is_taken_while_a_step_runs_and_while_it_is_parked() {
    test(async {
        let world = World::default();
        let (engine, running) = request(&world).await;
        let held = world.script.will_hold("first");
        running.send(Work).await.unwrap();
        world.script.called().await;
        running.cancel("no more").await.unwrap();
        settle(&engine).await;
        assert_eq!(world.script.count("clean_up"), 0, "the running step is waited for");
        held.send(()).unwrap();
        assert_eq!(withdrawn(&running).await, "no more None");

        let parked = engine.start::<Request>("b", Waiting { strikes: 0 }).await.unwrap();
        world.script.will("first", Act::Fail("the disk is on fire"));
        parked.send(Work).await.unwrap();
        parked.outcome().await.unwrap_err();
        parked.cancel("never mind").await.unwrap();
        assert_eq!(withdrawn(&parked).await, "never mind None");
        assert_eq!((world.script.count("first"), world.script.count("clean_up")), (2, 2));
    });
}

#[test]
fn one_that_was_parked_while_it_was_cancelled_goes_on_with_that_when_it_is_cancelled_again() {
    test(async {
        let world = World::default();
        let (engine, request) = request(&world).await;
        request.send(Work).await.unwrap();
        settle(&engine).await;
        world.script.will("clean_up", Act::Fail("the disk is full"));
        request.cancel("no more").await.unwrap();
        let error = request.outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::Parked { .. }), "{error}");
        request.cancel("not at all").await.unwrap();
        assert_eq!(withdrawn(&request).await, "no more None", "it was cancelled for that");
        assert_eq!(world.script.count("clean_up"), 2);
        let asked = request.history(0, 99).await.unwrap().into_iter().filter_map(|row| match row.record.kind {
            HistoryKind::Control { reason, refused, .. } => Some((reason.to_string(), refused)),
            _ => None,
        });
        assert_eq!(asked.last().unwrap(), ("not at all".to_owned(), None));
    });
}

#[test]
fn the_event_may_be_sent_as_any_other() {
    test(async {
        let world = World::default();
        let (engine, request) = request(&world).await;
        request.send(Cancel { reason: "a whim".to_owned(), by: None }).await.unwrap();
        settle(&engine).await;
        request.send_once("x", Cancel { reason: "meant".to_owned(), by: Some("bob".to_owned()) }).await.unwrap();
        assert_eq!(withdrawn(&request).await, "meant Some(\"bob\")");
        assert_eq!(Request::GRAPH.events.iter().filter(|event| event.type_name == "Cancel").count(), 1);
        let picture = Request::GRAPH.to_mermaid();
        assert!(picture.contains("working --> withdrawn : withdrawn · cancel\n"), "{picture}");
    });
}
