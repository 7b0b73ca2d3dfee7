//! One handler or step, called with a context of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use workflow_runtime::driver::Command;
use workflow_runtime::prelude::*;
use workflow_runtime::testing::{UnitCx, cx, when};
use workflow_runtime::{Branches, ExecutionKey, StepTimedOut, Timestamp, block_on};

use super::planted::panics;

#[state]
#[derive(Debug)]
pub struct Booked {
    pub nights: u32,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Stayed {
    pub told: String,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Away;
#[event]
pub struct Arrived {
    pub at: String,
}

/// A stay in a hotel, which does a bit of everything.
#[derive(Default)]
pub struct Hotel {
    keys: Arc<AtomicU32>,
}

#[workflow(start = Booked, allow(fragile_step, small_machine, endless_wait), events(Arrived))]
impl Hotel {
    #[state]
    async fn stay(&self, cx: &Cx, booked: Booked) -> Result<Next<(Stayed, Away)>> {
        let Some(guest) = cx.recv_timeout::<Arrived>(Duration::from_secs(86_400)).await else {
            return Ok(goto(Away));
        };
        let key = self.key(cx, &guest.at).await?;
        cx.sleep(Duration::from_secs(u64::from(booked.nights) * 86_400)).await;
        let bill = self.bill(cx, booked.nights).await?;
        Ok(goto(Stayed { told: format!("{key} {bill} {}", cx.flag("breakfast")) }))
    }

    #[step(retry(max = 4, backoff = "1h..1h", jitter = none), timeout = "10s")]
    async fn key(&self, cx: &Cx, at: &str) -> Result<String> {
        if self.keys.fetch_add(1, Ordering::Relaxed) < 2 {
            return Err(Error::msg("no key"));
        }
        Ok(format!("{at}-{}", cx.attempt()))
    }

    #[parallel]
    async fn bill(&self, cx: &Cx, nights: u32) -> Result<u32> {
        let rooms = self.price(cx, "room", nights).await?;
        let tax = self.price(cx, "tax", 1).await?;
        Ok(rooms + tax)
    }

    #[step]
    async fn price(&self, _: &Cx, what: &str, count: u32) -> Result<u32> {
        Ok(what.len() as u32 * count)
    }
}

/// Waits, and tells others.
pub struct Desk;

#[state]
#[derive(Debug)]
pub struct Open;
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Closed {
    pub told: String,
}

#[workflow(start = Open, allow(fragile_step, small_machine, endless_wait))]
impl Desk {
    #[state]
    async fn tell(&self, cx: &Cx, _: Open) -> Result<Closed> {
        let guest = cx.recv::<Arrived>().await;
        cx.spawn::<Hotel>("stay-1", Booked { nights: 1 }).await?;
        cx.send::<Hotel, _>("stay-1", guest).await?;
        match cx.call::<Hotel>("stay-2", Booked { nights: 2 }).await? {
            HotelOutcome::Stayed(stayed) => Ok(Closed { told: stayed.told }),
            HotelOutcome::Away(_) => Ok(Closed { told: "nobody came".into() }),
        }
    }
}

fn hotel() -> UnitCx<Hotel> {
    cx::<Hotel>().event(Arrived { at: "front".into() })
}

fn stay(hotel: &Hotel, cx: &Cx) -> HotelBookedNext {
    let next: Next<(Stayed, Away)> = block_on(hotel.stay(cx, Booked { nights: 2 })).unwrap();
    next.into()
}

#[test]
fn a_handler_runs_with_its_steps_and_no_engine() {
    let cx = hotel().execution("a").flags(|flag: &str, _: &ExecutionKey| flag == "breakfast");
    let HotelBookedNext::Stayed(stayed) = stay(&Hotel::default(), &cx) else { panic!("somebody came") };
    assert_eq!(stayed.told, "front-3 11 true", "the key was there in the third attempt");
    assert_eq!(cx.steps(), ["key", "key", "key", "price", "price"]);
    assert_eq!(cx.elapsed(), Duration::from_secs(2 * 3_600 + 2 * 86_400), "two pauses, two nights");
    assert!(cx.journal().iter().any(|entry| entry.step() == "key"), "{:?}", cx.journal());
}

#[test]
fn what_is_recorded_is_not_done_again() {
    let (service, first) = (Hotel::default(), hotel());
    assert!(matches!(stay(&service, &first), HotelBookedNext::Stayed(_)));
    let random = first.random();
    let again = first.recovered();
    let HotelBookedNext::Stayed(stayed) = stay(&service, &again) else { panic!("somebody came") };
    assert_eq!((stayed.told.as_str(), service.keys.load(Ordering::Relaxed)), ("front-3 11 false", 3));
    assert!(again.steps().is_empty() && again.elapsed().is_zero());
    assert_eq!(again.random(), random);
    assert_eq!(again.journal(), first.journal());
}

#[test]
fn an_event_that_does_not_come_is_waited_for_in_no_time() {
    let cx = cx::<Hotel>();
    assert!(matches!(stay(&Hotel::default(), &cx), HotelBookedNext::Away(_)));
    assert_eq!(cx.elapsed(), Duration::from_secs(86_400));
}

#[test]
fn all_of_it_is_decided_beforehand() {
    let seen = |cx: UnitCx<Hotel>| {
        (cx.idempotency_key(), Cx::now(&cx), cx.random(), cx.uuid(), cx.id().to_string(), (*cx).visit())
    };
    let one = || cx::<Hotel>().execution("a").now(Timestamp::from_millis(5)).seed(7).visit(3);
    let (key, now, random, uuid, id, visit) = seen(one());
    assert_eq!(seen(one()), (key.clone(), now, random, uuid, id.clone(), visit));
    assert_eq!((now, id.as_str(), visit), (Timestamp::from_millis(5), "a", 3));
    let other = seen(one().seed(8));
    assert!(other.0 == key && other.2 != random, "the seed decides chance, and no keys");
    assert_ne!(seen(one().execution("b")).0, key);
    assert_ne!(seen(one().visit(4)).0, key);
    assert_eq!(seen(cx::<Hotel>()).1.to_string(), "2030-01-01T00:00:00Z");
}

#[test]
fn a_step_is_called_by_itself_and_from_an_attempt_on() {
    let service = Hotel { keys: Arc::new(AtomicU32::new(2)) };
    let cx = cx::<Hotel>().attempt(3);
    assert_eq!(block_on(service.key(&cx, "side")).unwrap(), "side-3");
    assert_eq!(cx.steps(), ["key"], "the attempts before it are over");
}

#[test]
fn mocks_take_the_place_of_steps_and_their_time_meets_timeouts() {
    let key =
        when(Hotel::key).hangs().times(1).returns("late".into()).times(1).fails_times(1, "lost").then("found".into());
    let price = when(Hotel::price).returns_with(|call| call.argument::<u32>(1));
    let mocked = hotel().mock(&key).mock(&price);
    let HotelBookedNext::Stayed(stayed) = stay(&Hotel::default(), &mocked) else { panic!("somebody came") };
    assert_eq!(stayed.told, "late 3 false");
    assert_eq!(mocked.elapsed(), Duration::from_secs(10 + 3_600 + 2 * 86_400), "a timeout, a pause, two nights");
    assert_eq!((key.attempts(), price.calls().len()), (2, 2));
    let slow = cx::<Hotel>().mock(when(Hotel::key).returns("slow".into()).takes("11s"));
    let error = block_on(Hotel::default().key(&slow, "side")).unwrap_err();
    assert!(error.is::<StepTimedOut>(), "{error}");
    assert_eq!(slow.elapsed(), Duration::from_secs(4 * 10 + 3 * 3_600));
}

#[test]
fn what_is_real_is_not_cut_off() {
    let (answer, answered) = futures::channel::oneshot::channel();
    let helper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        answer.send(7).ok();
    });
    let cx = cx::<Hotel>();
    let mut answered = Some(answered);
    let step = cx.step("real", move || {
        let answered = answered.take();
        async move { Ok::<u32, Error>(answered.ok_or_else(|| Error::msg("once"))?.await?) }
    });
    assert_eq!(block_on(async { step.timeout(Duration::from_millis(1)).await }).unwrap(), 7);
    helper.join().unwrap();
}

/// Asks two services at once, or whichever is the first.
pub struct Agency {
    /// How long the real one takes.
    real: Duration,
}

#[state]
#[derive(Debug)]
pub struct Wanted;
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Found {
    pub prices: Vec<u32>,
}

#[workflow(start = Wanted, allow(fragile_step, small_machine))]
impl Agency {
    #[state]
    async fn both(&self, cx: &Cx, _: Wanted) -> Result<Found> {
        Ok(Found { prices: self.prices(cx).await? })
    }

    #[parallel]
    async fn prices(&self, cx: &Cx) -> Result<Vec<u32>> {
        let here = self.here(cx).await?;
        let there = self.there(cx).await?;
        Ok(vec![here, there])
    }

    async fn first(&self, cx: &Cx) -> Result<u32> {
        let branches = Branches::new()
            .with("here", |cx: Cx| async move { self.here(&cx).await })
            .with("there", |cx: Cx| async move { self.there(&cx).await });
        cx.race(branches).await
    }

    #[step(timeout = "1s")]
    async fn here(&self, _: &Cx) -> Result<u32> {
        let (answer, answered) = futures::channel::oneshot::channel();
        let real = self.real;
        std::thread::spawn(move || {
            std::thread::sleep(real);
            answer.send(7).ok();
        });
        Ok(answered.await?)
    }

    #[step(retry(max = 9, backoff = "1h..1h", jitter = none))]
    async fn there(&self, _: &Cx) -> Result<u32> {
        Ok(8)
    }

    #[step(timeout = "2h")]
    async fn nested(&self, cx: &Cx) -> Result<u32> {
        cx.sleep(Duration::from_secs(60)).await;
        self.there(cx).await
    }
}

#[test]
fn what_is_real_is_not_cut_off_beside_a_branch_that_pauses() {
    let agency = Agency { real: Duration::from_millis(50) };
    let there = when(Agency::there).fails_times(3, "busy").then(9).takes("10m");
    let unit = cx::<Agency>().mock(&there);
    assert_eq!(block_on(agency.both(&unit, Wanted)).unwrap(), Found { prices: vec![7, 9] });
    assert_eq!(
        unit.elapsed(),
        Duration::from_secs(3 * 3_600 + 4 * 600),
        "three pauses, four mocks that take their time"
    );
}

#[test]
fn a_mock_that_hangs_beside_what_is_real_is_cut_off_by_that() {
    let agency = Agency { real: Duration::from_millis(50) };
    let unit = cx::<Agency>().mock(when(Agency::there).hangs());
    assert_eq!(block_on(agency.first(&unit)).unwrap(), 7);
    // What was real is over, and was dropped in the race the other way round: nobody waits for it.
    let agency = Agency { real: Duration::from_secs(60) };
    let unit = cx::<Agency>().mock(when(Agency::there).returns(5));
    assert_eq!(block_on(agency.first(&unit)).unwrap(), 5);
    block_on(unit.sleep(Duration::from_secs(5)));
    assert_eq!(unit.elapsed(), Duration::from_secs(5));
}

#[test]
fn a_step_that_itself_waits_for_time_holds_up_nobody() {
    let agency = Agency { real: Duration::ZERO };
    let unit = cx::<Agency>().mock(when(Agency::there).fails_times(1, "busy").then(5).takes("10m"));
    assert_eq!(block_on(agency.nested(&unit)).unwrap(), 5);
    assert_eq!(unit.elapsed(), Duration::from_secs(60 + 600 + 3_600 + 600));
    let unit = cx::<Agency>().mock(when(Agency::there).hangs());
    let told = block_on(agency.nested(&unit)).unwrap_err();
    assert!(told.is::<StepTimedOut>(), "the timeout of the step around it cuts it off: {told}");
    assert_eq!(unit.elapsed(), Duration::from_secs(2 * 3_600));
}

#[test]
fn what_needs_an_engine_says_so() {
    let told = panics(|| block_on(Desk.tell(&cx::<Desk>(), Open)));
    assert!(told.contains("waits for the event `arrived`") && told.contains(".event(…)"), "{told}");
    let cx = cx::<Desk>().event(Arrived { at: "front".into() });
    let told = panics(|| block_on(Desk.tell(&cx, Open)));
    assert!(told.contains("waits for the end of a child, and this context has no engine"), "{told}");
    let commands = cx.commands();
    assert!(
        matches!(&commands[..], [Command::Start(_), Command::Deliver { .. }, Command::Start(_)]),
        "what was done to others is there: {commands:?}"
    );
}

#[test]
fn mistakes_in_the_use_of_a_context_are_told() {
    let told = panics(|| {
        let cx = hotel();
        let _ = cx.random();
        cx.seed(9)
    });
    assert!(told.contains("the context was used already"), "{told}");
    let told = panics(|| {
        let cx = hotel().mock(when(Hotel::price).returns(1));
        block_on(Hotel { keys: Arc::new(AtomicU32::new(2)) }.key(&cx, "side")).unwrap();
    });
    assert!(told.contains("the mock of `price` of `Hotel` was never called") && told.contains("`key`"), "{told}");
    let told = panics(|| cx::<Hotel>().execution(""));
    assert!(told.contains("no execution can be called \"\""), "{told}");
    let told = panics(|| {
        let cx = cx::<Hotel>().mock(when(Hotel::price).hangs());
        block_on(Hotel::default().price(&cx, "room", 1)).unwrap()
    });
    assert!(told.contains("a mock hangs, and nothing cuts it off"), "{told}");
}
