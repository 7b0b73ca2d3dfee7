//! What parallel branches have done is undone in the reverse order of its completion.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::Status;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Clock as _, Engine, ManualClock, Timestamp};

use super::fixture::{settle, test};

#[state]
struct Booking {
    legs: u32,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
enum Then {
    GiveUp,
    OneFails,
    Hang,
}

#[state(end)]
#[derive(Debug)]
struct Booked;

#[state(end)]
#[derive(Debug)]
struct GivenUp;

#[event]
struct Stop;

/// What was done, in order.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn undone(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with("undo ")).cloned().collect()
    }
}

struct Travel {
    log: Arc<Log>,
    clock: ManualClock,
}

#[workflow(start = Booking, allow(fragile_step, endless_wait))]
impl Travel {
    #[state]
    async fn book(&self, cx: &Cx, s: Booking) -> Result<Next<(Booked, Unwind<GivenUp>)>> {
        match s.then {
            Then::GiveUp => {
                self.all(cx, s.legs).await?;
                Ok(unwind(GivenUp))
            }
            Then::OneFails | Then::Hang => {
                let legs: Vec<u32> = (0..s.legs).collect();
                self.legs(cx, legs, s.then).await?;
                Ok(goto(Booked))
            }
        }
    }

    #[on]
    fn stopped(&self, _: Booking, _: Stop) -> Unwind<GivenUp> {
        Unwind(GivenUp)
    }

    #[catch]
    fn failed(&self, _: Booking, _: Error) -> Unwind<GivenUp> {
        Unwind(GivenUp)
    }

    /// The first is the last to end.
    #[parallel]
    async fn all(&self, cx: &Cx, _legs: u32) -> Result<()> {
        let slow = self.leg(cx, 300, Then::GiveUp).await?;
        let middle = self.leg(cx, 200, Then::GiveUp).await?;
        let fast = self.leg(cx, 100, Then::GiveUp).await?;
        let _ = (slow, middle, fast);
        Ok(())
    }

    #[parallel(limit = 4)]
    async fn legs(&self, cx: &Cx, #[each] leg: u32, then: Then) -> Result<u32> {
        self.leg(cx, leg, then).await
    }

    #[step(undo = unbook)]
    async fn leg(&self, _: &Cx, number: u32, then: Then) -> Result<u32> {
        self.log.note(format!("book {number}"));
        match then {
            Then::GiveUp => self.clock.sleep_until(self.clock.now() + Duration::from_millis(number.into())).await,
            Then::OneFails if number == 3 => return Err(Error::msg("no seat")),
            Then::Hang if number == 3 => std::future::pending().await,
            Then::OneFails | Then::Hang => {}
        }
        Ok(number)
    }

    async fn unbook(&self, _: &Cx, number: u32) -> Result<()> {
        self.log.note(format!("undo {number}"));
        Ok(())
    }
}

async fn engine(store: &MemoryStore, clock: &ManualClock, log: &Arc<Log>) -> Engine {
    let travel = Travel { log: Arc::clone(log), clock: clock.clone() };
    Engine::on(Arc::new(store.clone())).clock(clock.clone()).workflow(travel).start().await.unwrap()
}

fn each_once(lines: &[String]) -> bool {
    let mut counts = BTreeMap::new();
    lines.iter().for_each(|line| *counts.entry(line).or_insert(0) += 1);
    counts.values().all(|count| *count == 1)
}

fn world() -> (MemoryStore, ManualClock, Arc<Log>) {
    (MemoryStore::new(), ManualClock::new(Timestamp::EPOCH), Arc::default())
}

#[test]
fn the_branch_that_ended_last_is_undone_first() {
    test(async {
        let (store, clock, log) = world();
        let engine = engine(&store, &clock, &log).await;
        let travel = engine.start::<Travel>("a", Booking { legs: 3, then: Then::GiveUp }).await.unwrap();
        for _ in 0..4 {
            settle(&engine).await;
            clock.advance(Duration::from_millis(100));
        }
        assert!(matches!(travel.outcome().await.unwrap(), TravelOutcome::GivenUp(_)));
        assert_eq!(log.undone(), ["undo 300", "undo 200", "undo 100"]);
    });
}

#[test]
fn of_many_items_those_that_were_done_are_undone_when_one_fails() {
    test(async {
        let (store, clock, log) = world();
        let engine = engine(&store, &clock, &log).await;
        let travel = engine.start::<Travel>("a", Booking { legs: 50, then: Then::OneFails }).await.unwrap();
        assert!(matches!(travel.outcome().await.unwrap(), TravelOutcome::GivenUp(_)));
        let lines = log.0.lock().unwrap().clone();
        let done = lines.iter().filter_map(|line| line.strip_prefix("book ")).filter(|leg| *leg != "3");
        let mut done: Vec<String> = done.map(|leg| format!("undo {leg}")).collect();
        done.sort();
        done.dedup();
        let mut undone = log.undone();
        undone.sort();
        assert_eq!(undone, done, "each that was booked is given back once, and the one that failed was never there");
    });
}

#[test]
fn branches_that_were_cut_off_by_a_crash_are_undone_too() {
    test(async {
        let (store, clock, log) = world();
        let first = engine(&store, &clock, &log).await;
        let travel = first.start::<Travel>("a", Booking { legs: 5, then: Then::Hang }).await.unwrap();
        settle(&first).await;
        travel.send(Stop).await.unwrap();
        drop((first, travel));
        assert!(log.undone().is_empty(), "the one that hangs still runs");

        let second = engine(&store, &clock, &log).await;
        let travel = second.execution::<Travel>("a").unwrap();
        settle(&second).await;
        // What may have run is run again to learn what it came to, and hangs again; the rest waits for it.
        assert_eq!(travel.record().await.unwrap().status(), Status::Unwinding);
        assert_eq!(travel.record().await.unwrap().left_to_undo(), 5);
        assert!(log.undone().is_empty());
        assert_eq!(log.0.lock().unwrap().iter().filter(|line| *line == "book 3").count(), 2);
        assert!(each_once(&log.0.lock().unwrap().iter().filter(|line| *line != "book 3").cloned().collect::<Vec<_>>()));
    });
}
