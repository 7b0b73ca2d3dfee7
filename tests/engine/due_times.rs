//! Edges whose time comes from the state, and those that fire again and again.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Clock as _, Engine, Execution, HistoryKind, ManualClock, Status, Stepper, Timestamp};

use super::fixture::{settle, test};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[state]
#[derive(Debug, PartialEq)]
pub struct Open {
    hours: u64,
    until: Option<Timestamp>,
    reminders: u32,
    terms: Terms,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Terms {
    review: Timestamp,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Closed {
    why: String,
    reminders: u32,
}

#[event]
pub struct Extended {
    until: Option<Timestamp>,
}

pub struct Offer {
    per_hour: Duration,
}

#[workflow(start = Open)]
impl Offer {
    #[after(Self::patience)]
    fn forgotten(&self, open: Open) -> Closed {
        Closed { why: "forgotten".to_owned(), reminders: open.reminders }
    }

    #[after(Self::patience_with_us)]
    fn given_up(&self, open: Open) -> Closed {
        Closed { why: "given up".to_owned(), reminders: open.reminders }
    }

    #[at(until)]
    fn expired(&self, open: Open) -> Closed {
        Closed { why: "expired".to_owned(), reminders: open.reminders }
    }

    #[at(terms.review)]
    fn reviewed(&self, open: Open) -> Stay<Open> {
        Stay(Open { hours: 1, ..open })
    }

    #[every("2d")]
    fn reminded(&self, open: Open) -> Stay<Open> {
        Stay(Open { reminders: open.reminders + 1, ..open })
    }

    #[on]
    fn extended(&self, open: Open, extended: Extended) -> Stay<Open> {
        Stay(Open { until: extended.until, ..open })
    }

    fn patience(open: &Open) -> Duration {
        assert!(open.hours != 13, "an unlucky number");
        Duration::from_secs(open.hours * 3_600)
    }

    fn patience_with_us(&self, open: &Open) -> Duration {
        self.per_hour * u32::try_from(open.hours).unwrap_or(u32::MAX)
    }
}

fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(days * 86_400_000)
}

/// For a hundred days, with nothing else that ends it.
fn open() -> Open {
    Open { hours: 2_400, until: None, reminders: 0, terms: Terms { review: day(1_000) } }
}

const OFFER: Offer = Offer { per_hour: HOUR.saturating_mul(10) };

fn why(offer: &Stepper<Offer>) -> Option<Closed> {
    offer.outcome().unwrap().map(|OfferOutcome::Closed(closed)| closed)
}

fn closed(why: &str, reminders: u32) -> Option<Closed> {
    Some(Closed { why: why.to_owned(), reminders })
}

#[test]
fn a_function_of_the_state_says_how_long_it_lasts() {
    test(async {
        let mut offer = Stepper::start(OFFER, Open { hours: 3, ..open() }).unwrap();
        offer.advance(3 * HOUR - Duration::from_millis(1)).await.unwrap();
        assert_eq!(why(&offer), None);
        offer.advance(Duration::from_millis(1)).await.unwrap();
        assert_eq!(why(&offer), closed("forgotten", 0));
    });
}

#[test]
fn a_function_of_the_state_may_look_at_the_workflow() {
    test(async {
        let offer = Offer { per_hour: Duration::from_secs(60) };
        let mut offer = Stepper::start(offer, Open { hours: 3, ..open() }).unwrap();
        offer.advance(Duration::from_secs(180)).await.unwrap();
        assert_eq!(why(&offer), closed("given up", 0));
    });
}

#[test]
fn stay_keeps_what_the_function_said_at_the_entry() {
    test(async {
        let review = Terms { review: day(1) };
        let mut offer = Stepper::start(OFFER, Open { hours: 72, terms: review, ..open() }).unwrap();
        offer.advance(DAY).await.unwrap();
        let OfferState::Open(open) = offer.state().unwrap() else { panic!("it is open") };
        assert_eq!(open.hours, 1, "the field of a field had it run");
        offer.advance(2 * DAY - HOUR).await.unwrap();
        assert_eq!(why(&offer), None, "an hour of patience would be over long ago");
        offer.advance(HOUR).await.unwrap();
        assert_eq!(why(&offer), closed("forgotten", 1));
    });
}

#[test]
fn a_field_says_when_and_the_timer_follows_it() {
    test(async {
        let mut offer = Stepper::start(OFFER, Open { until: Some(day(3)), ..open() }).unwrap();
        offer.send(Extended { until: Some(day(5)) }).await.unwrap();
        offer.advance(4 * DAY).await.unwrap();
        assert_eq!(why(&offer), None);
        offer.send(Extended { until: None }).await.unwrap();
        offer.advance(4 * DAY).await.unwrap();
        assert_eq!(why(&offer), None, "there is no such time any more");
        offer.send(Extended { until: Some(day(1)) }).await.unwrap();
        assert_eq!(why(&offer), closed("expired", 4), "a time in the past is due at once");
    });
}

#[test]
fn a_field_without_a_time_has_no_timer() {
    test(async {
        let mut offer = Stepper::start(OFFER, open()).unwrap();
        offer.advance(99 * DAY).await.unwrap();
        assert_eq!(why(&offer), None);
        offer.advance(DAY).await.unwrap();
        assert_eq!(why(&offer), closed("forgotten", 49), "of two that are due at once, the first declared");
    });
}

/// A store and a clock that outlive engines.
struct World {
    store: Arc<dyn Store>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), clock: ManualClock::new(Timestamp::EPOCH) }
    }

    async fn engine(&self) -> Engine {
        Engine::on(Arc::clone(&self.store)).clock(self.clock.clone()).workflow(OFFER).start().await.unwrap()
    }
}

async fn reminders(offer: &Execution<Offer>) -> u32 {
    match offer.state().await.unwrap() {
        OfferState::Open(open) => open.reminders,
        OfferState::Closed(closed) => closed.reminders,
    }
}

#[test]
fn what_repeats_makes_up_for_a_downtime_once_and_keeps_to_its_periods() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        engine.start::<Offer>("a", open()).await.unwrap();
        settle(&engine).await;
        world.clock.advance(2 * DAY);
        settle(&engine).await;
        assert_eq!(reminders(&engine.execution("a").unwrap()).await, 1);
        // Without any notice, and for nine days: four periods are missed.
        drop(engine);
        world.clock.advance(9 * DAY);
        let engine = world.engine().await;
        settle(&engine).await;
        let offer = engine.execution::<Offer>("a").unwrap();
        assert_eq!(reminders(&offer).await, 2);
        assert_eq!(world.clock.next_due(), Some(day(12)), "not two days after the one that was late");
        world.clock.advance(DAY);
        settle(&engine).await;
        assert_eq!(reminders(&offer).await, 3);
        assert_eq!(engine.active(), 0);
    });
}

#[test]
fn a_time_that_cannot_be_told_parks_and_a_retry_asks_again() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let offer = engine.start::<Offer>("a", Open { hours: 13, ..open() }).await.unwrap();
        let error = offer.outcome().await.unwrap_err().to_string();
        assert!(error.contains("`forgotten`"), "{error}");
        let rows = offer.history(0, 10).await.unwrap();
        assert!(matches!(rows.last().unwrap().record.kind, HistoryKind::Parked { .. }), "{rows:?}");
        offer.retry().await.unwrap();
        settle(&engine).await;
        assert_eq!(offer.record().await.unwrap().status(), Status::Parked);
    });
}

#[test]
fn parking_moves_what_counts_from_the_entry_and_not_a_point_in_time() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let start = Open { hours: 13, until: Some(day(2)), ..open() };
        let offer = engine.start::<Offer>("a", start).await.unwrap();
        settle(&engine).await;
        world.clock.advance(DAY);
        offer.retry().await.unwrap();
        settle(&engine).await;
        let record = offer.record().await.unwrap();
        let due = |handler: &str| record.timers.iter().find(|timer| timer.handler == handler).map(|timer| timer.due);
        assert_eq!((due("reminded"), due("expired")), (Some(day(3)), Some(day(2))));
        assert!(world.clock.now() == day(1));
    });
}
