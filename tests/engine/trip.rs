//! A workflow that undoes what it has booked, and the means to watch it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join;
use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::store::Store;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineBuilder, Execution};

use super::fixture::{Refusal, Script, World};

/// What the booking does when everything is booked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Then {
    Go,
    GiveUp,
    Fail,
    Refuse,
    Pack,
    Pay,
    Wait,
}

#[state]
#[derive(Debug)]
pub struct Booking {
    pub then: Then,
}

/// Another state, in which more is done.
#[state]
pub struct Packing {
    pub from: u32,
}

#[state(pivot)]
pub struct Paid {
    pub from: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Travelled;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Cancelled {
    pub why: String,
}

#[event]
pub struct Cancel;

#[event]
pub struct Extra;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
}

pub struct Trip {
    pub script: Arc<Script>,
}

#[workflow(start = Booking, allow(no_undo, fragile_step, endless_wait))]
impl Trip {
    #[state]
    async fn book(
        &self,
        cx: &Cx,
        booking: Booking,
    ) -> Result<Next<(Travelled, Unwind<Cancelled>, Packing, Paid, Wait)>> {
        let place = Place { name: "Rome".to_owned() };
        self.flight(cx, "LH 232").await?;
        let hotel = self.hotel(cx, &place, &[1, 2]).await?;
        match booking.then {
            Then::Go => Ok(goto(Travelled)),
            Then::GiveUp => Ok(unwind(Cancelled { why: "gave up".to_owned() })),
            Then::Fail => Err(Error::msg("the weather is bad")),
            Then::Refuse => Err(Refusal { code: 7 }.into()),
            Then::Pack => Ok(goto(Packing { from: hotel })),
            Then::Pay => Ok(goto(Paid { from: hotel })),
            Then::Wait => Ok(goto(Wait)),
        }
    }

    #[on]
    fn cancelled(&self, _: Booking, _: Cancel) -> Unwind<Cancelled> {
        Unwind(Cancelled { why: "the customer".to_owned() })
    }

    #[on]
    async fn extra(&self, cx: &Cx, booking: Booking, _: Extra) -> Result<Stay<Booking>> {
        self.seat(cx, 50).await?;
        Ok(Stay(booking))
    }

    #[catch]
    fn refused(&self, _: Booking, error: Refusal) -> Unwind<Cancelled> {
        Unwind(Cancelled { why: error.to_string() })
    }

    #[state]
    async fn pack(&self, cx: &Cx, packing: Packing) -> Result<Unwind<Cancelled>> {
        let (one, other) = join(self.seat(cx, packing.from), self.seat(cx, packing.from + 1)).await;
        Ok(Unwind(Cancelled { why: format!("{} and {}", one?, other?) }))
    }

    #[state]
    async fn pay(&self, cx: &Cx, paid: Paid) -> Result<Unwind<Cancelled>> {
        self.seat(cx, paid.from).await?;
        Ok(Unwind(Cancelled { why: "paid".to_owned() }))
    }

    #[step(undo = cancel_flight)]
    async fn flight(&self, cx: &Cx, number: &str) -> Result<Place> {
        assert_eq!(number, "LH 232");
        self.script.act("flight", cx, 0).await.map(|_| Place { name: number.to_owned() })
    }

    /// Tried again on its own terms: as it is no step itself.
    async fn cancel_flight(&self, cx: &Cx, flight: Place) -> Result<()> {
        assert_eq!(flight.name, "LH 232");
        self.script.act("cancel_flight", cx, 0).await.map(drop)
    }

    #[step(retry(max = 2, backoff = "1s..1s"), timeout = "30s", cancel, undo = cancel_hotel)]
    async fn hotel(&self, cx: &Cx, place: &Place, nights: &[u32]) -> Result<u32, Refusal> {
        assert_eq!((place.name.as_str(), nights), ("Rome", &[1, 2][..]));
        match self.script.act("hotel", cx, 10).await {
            Ok(number) => Ok(number),
            Err(error) => Err(error.downcast_ref::<Refusal>().expect("the hotel refuses").clone()),
        }
    }

    #[step(retry(max = 2, backoff = "5s..5s"))]
    async fn cancel_hotel(&self, cx: &Cx, number: u32) -> Result<()> {
        assert_eq!(number, 11);
        self.script.act("cancel_hotel", cx, 0).await.map(drop)
    }

    #[step(undo = free_seat)]
    async fn seat(&self, cx: &Cx, wish: u32) -> Result<u32> {
        let name = if wish.is_multiple_of(2) { "seat_even" } else { "seat_odd" };
        self.script.act(name, cx, wish).await
    }

    async fn free_seat(&self, cx: &Cx, seat: &u32) -> Result<()> {
        let name = if seat.is_multiple_of(2) { "free_even" } else { "free_odd" };
        self.script.act(name, cx, *seat).await.map(drop)
    }
}

pub fn builder(world: &World) -> EngineBuilder {
    let trip = Trip { script: Arc::clone(&world.script) };
    Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(trip)
}

pub async fn engine(world: &World) -> Engine {
    builder(world).start().await.unwrap()
}

pub fn on(store: &MemoryStore) -> World {
    World::on(Arc::new(store.clone()) as Arc<dyn Store>)
}

pub async fn start(engine: &Engine, then: Then) -> Execution<Trip> {
    engine.start::<Trip>("a", Booking { then }).await.unwrap()
}

/// The names of what was called, in order.
pub fn names(world: &World) -> Vec<String> {
    world.script.calls().iter().map(|call| call.split(' ').next().unwrap().to_owned()).collect()
}

/// The idempotency keys that `step` was called with.
pub fn keys(world: &World, step: &str) -> Vec<String> {
    let calls = world.script.calls();
    let own = calls.iter().filter(|call| call.starts_with(&format!("{step} ")));
    own.map(|call| call.rsplit(' ').next().unwrap().to_owned()).collect()
}

/// What the history says of unwinding, a word for each row.
pub async fn story(trip: &Execution<Trip>) -> Vec<String> {
    let rows = trip.history(0, 100).await.unwrap();
    let told = rows.iter().filter_map(|row| match &row.record.kind {
        HistoryKind::UnwindBegan { into, .. } => Some(format!("unwind {}", into.as_deref().unwrap_or("-"))),
        HistoryKind::Undone { step, effect: true, .. } => Some(format!("undone {step}")),
        HistoryKind::Undone { step, effect: false, .. } => Some(format!("nothing {step}")),
        HistoryKind::UndoFailed { step, .. } => Some(format!("failed {step}")),
        HistoryKind::Transition { to, .. } => Some(format!("to {to}")),
        HistoryKind::Parked { .. } => Some("parked".to_owned()),
        HistoryKind::Closed { .. } => Some("closed".to_owned()),
        _ => None,
    });
    told.collect()
}

pub fn why(outcome: TripOutcome) -> String {
    match outcome {
        TripOutcome::Cancelled(cancelled) => cancelled.why,
        TripOutcome::Travelled(_) => "travelled".to_owned(),
    }
}

pub const LONG: Duration = Duration::from_secs(3_600);
