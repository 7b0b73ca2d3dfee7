//! What was booked is undone: for an error, an event, or by hand at any moment; or it is final.

use std::time::Duration;

use serde_json::json;
use workflow_runtime::EngineError;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{End, Expected, Phase, attempts, step, value};
use crate::world::World;

#[state]
#[derive(Clone, Debug)]
pub struct Booking {
    places: u32,
    failures: u32,
    refuse_before: Option<u32>,
    then: Then,
}

/// What comes from outside.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Then {
    Confirm,
    Abort,
    /// It is cancelled so many milliseconds after its start.
    Cancel(u64),
}

#[state]
pub struct Offered {
    sum: u64,
    failures: u32,
}

#[state(pivot)]
pub struct Packing {
    sum: u64,
    failures: u32,
}

#[state(end)]
pub struct Travelled {
    sum: u64,
}

#[state(end)]
pub struct AtHome {
    why: String,
}

#[event]
pub struct Confirm;

#[event]
pub struct Abort;

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("no place {place}")]
pub struct Full {
    place: u32,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Booked {
    place: u32,
    failures: u32,
    value: u64,
}

pub struct Trip {
    pub world: World,
}

#[workflow(start = Booking)]
impl Trip {
    #[state]
    async fn book(&self, cx: &Cx, booking: Booking) -> Result<Offered> {
        let mut sum = 0;
        for place in 1..=booking.places {
            if booking.refuse_before == Some(place) {
                self.refuse(cx, place).await?;
            }
            sum += self.reserve(cx, place, booking.failures).await?.value;
        }
        Ok(Offered { sum, failures: booking.failures })
    }

    #[catch]
    fn full(&self, _: Booking, error: Full) -> Unwind<AtHome> {
        Unwind(AtHome { why: error.to_string() })
    }

    #[on]
    fn confirmed(&self, offered: Offered, _: Confirm) -> Packing {
        Packing { sum: offered.sum, failures: offered.failures }
    }

    #[on]
    fn aborted(&self, _: Offered, _: Abort) -> Unwind<AtHome> {
        Unwind(AtHome { why: "aborted".to_owned() })
    }

    #[after("1h")]
    fn forgotten(&self, _: Offered) -> Unwind<AtHome> {
        Unwind(AtHome { why: "forgotten".to_owned() })
    }

    #[state]
    async fn pack(&self, cx: &Cx, packing: Packing) -> Result<Travelled> {
        let packed = self.fill(cx, packing.failures).await?;
        Ok(Travelled { sum: packing.sum + packed })
    }

    #[step(retry(max = 5, backoff = "1ms..8ms"), undo = release)]
    async fn reserve(&self, cx: &Cx, place: u32, failures: u32) -> Result<Booked> {
        let value = self.world.effect(cx, &format!("reserve {place}"), failures).await?;
        Ok(Booked { place, failures, value })
    }

    #[step(retry(max = 5, backoff = "1ms..8ms"))]
    async fn release(&self, cx: &Cx, booked: Booked) -> Result<()> {
        self.world.effect(cx, &format!("release {}", booked.place), booked.failures).await.map(drop)
    }

    #[step(allow(no_undo))]
    async fn refuse(&self, cx: &Cx, place: u32) -> Result<()> {
        self.world.effect(cx, "refuse", 0).await?;
        Err(Full { place }.into())
    }

    #[step(retry(max = 5, backoff = "1ms..8ms"), allow(no_undo))]
    async fn fill(&self, cx: &Cx, failures: u32) -> Result<u64> {
        self.world.effect(cx, "fill", failures).await
    }
}

impl Booking {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let places = random.u32(1..5);
        let then = match random.u8(..3) {
            0 => Then::Confirm,
            1 => Then::Abort,
            _ => Then::Cancel(random.u64(..40)),
        };
        let is_full = random.u8(..3) == 0 && !matches!(then, Then::Cancel(_));
        let refuse_before = is_full.then(|| random.u32(1..=places));
        Self { places, failures: random.u32(..3), refuse_before, then }
    }

    fn booked(&self, places: u32) -> Vec<Phase> {
        (1..=places).flat_map(|place| step(format!("reserve {place}"), self.failures)).collect()
    }

    /// So many places are booked, then something happens, then they are released.
    fn undone(&self, places: u32, then: Vec<Phase>) -> Vec<Phase> {
        self.booked(places).into_iter().chain(then).chain(self.released(places)).collect()
    }

    fn released(&self, places: u32) -> Vec<Phase> {
        (1..=places).rev().flat_map(|place| step(format!("release {place}"), self.failures)).collect()
    }

    /// It was cancelled at some moment. A step that has no result by then may have had its effect: it is begun anew, with
    /// attempts counted anew, and then released as well; but not where it was between two attempts, as one that fails has
    /// had none.
    fn cancelled(&self) -> Vec<Vec<Phase>> {
        let whole = (0..=self.places).map(|places| self.undone(places, Vec::new()));
        let halted = (1..=self.places).map(|last| {
            let attempts = attempts(format!("reserve {last}"), self.failures);
            let anew = Phase { width: attempts.len(), attempts, rounds: 2 };
            self.booked(last - 1).into_iter().chain([anew]).chain(self.released(last)).collect()
        });
        let paused = (1..=self.places).flat_map(|last| {
            let failed = (1..=self.failures).map(move |made| step(format!("reserve {last}"), made - 1));
            failed.map(move |failed| self.undone(last - 1, failed))
        });
        whole.chain(halted).chain(paused).collect()
    }
}

impl Piece for Booking {
    fn expected(&self, id: &str) -> Vec<Expected> {
        if let Some(place) = self.refuse_before {
            let data = json!({ "why": format!("no place {place}") });
            let phases = self.undone(place - 1, step("refuse", 0));
            return vec![Expected::new("Trip", id, "at_home", data, phases).through(["booking", "at_home"])];
        }
        let expected = match self.then {
            Then::Confirm => {
                let sum: u64 = (1..=self.places).map(|place| value(id, &format!("reserve {place}"))).sum();
                let phases = [self.booked(self.places), step("fill", self.failures)].concat();
                Expected::new("Trip", id, "travelled", json!({ "sum": sum + value(id, "fill") }), phases).through([
                    "booking",
                    "offered",
                    "packing",
                    "travelled",
                ])
            }
            Then::Abort => {
                let phases = self.undone(self.places, Vec::new());
                Expected::new("Trip", id, "at_home", json!({ "why": "aborted" }), phases)
                    .through(["booking", "offered", "at_home"])
            }
            Then::Cancel(_) => Expected {
                workflow: "Trip",
                id: id.to_owned(),
                end: End::Cancelled,
                ways: self.cancelled(),
                states: None,
            },
        };
        vec![expected]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        let trip = driver.start::<Trip>(id, self.clone()).await?;
        if self.refuse_before.is_none() {
            match self.then {
                Then::Confirm => driver.send(&trip, "confirm", Confirm).await?,
                Then::Abort => driver.send(&trip, "abort", Abort).await?,
                Then::Cancel(after) => {
                    tokio::time::sleep(Duration::from_millis(after)).await;
                    // Nothing says whether it was asked for before a kill: to ask again does no harm.
                    match trip.cancel("the soak").await {
                        Ok(()) | Err(EngineError::Ended { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        match trip.outcome().await {
            Err(EngineError::Cancelled { .. }) if matches!(self.then, Then::Cancel(_)) => Ok(()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
