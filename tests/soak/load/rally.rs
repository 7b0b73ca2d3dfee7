//! Many visits, some of which wait for a timer.

use std::iter;

use serde_json::json;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Expected, Phase, step, value};
use crate::world::World;

#[state]
#[derive(Debug, Clone)]
pub struct Ping {
    left: u32,
    sum: u64,
}

#[state]
pub struct Pong {
    left: u32,
    sum: u64,
}

#[state]
pub struct Flying {
    left: u32,
    sum: u64,
}

#[state(end)]
pub struct Over {
    sum: u64,
}

pub struct Rally {
    pub world: World,
}

#[workflow(start = Ping, allow(small_machine))]
impl Rally {
    #[state]
    async fn ping(&self, cx: &Cx, ping: Ping) -> Result<Pong> {
        let hit = self.hit(cx, ping.left).await?;
        Ok(Pong { left: ping.left, sum: ping.sum + hit })
    }

    #[state]
    fn pong(&self, pong: Pong) -> Next<(Ping, Flying, Over)> {
        let Pong { left, sum } = pong;
        match left {
            0 => goto(Over { sum }),
            _ if flies(left) => goto(Flying { left, sum }),
            _ => goto(Ping { left: left - 1, sum }),
        }
    }

    #[after("2ms")]
    fn landed(&self, flying: Flying) -> Ping {
        Ping { left: flying.left - 1, sum: flying.sum }
    }

    #[step(retry(max = 2, backoff = "1ms..8ms"))]
    async fn hit(&self, cx: &Cx, left: u32) -> Result<u64> {
        self.world.effect(cx, &format!("hit {left}"), 0).await
    }
}

fn flies(left: u32) -> bool {
    left % 4 == 1
}

impl Ping {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let left = if random.u8(..20) == 0 { random.u32(100..300) } else { random.u32(..12) };
        Self { left, sum: 0 }
    }
}

impl Piece for Ping {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let lefts = || (0..=self.left).rev();
        let sum: u64 = lefts().map(|left| value(id, &format!("hit {left}"))).sum();
        let phases: Vec<Phase> = lefts().flat_map(|left| step(format!("hit {left}"), 0)).collect();
        let round = |left| {
            let flight = (left > 0 && flies(left)).then_some("flying");
            ["ping", "pong"].into_iter().chain(flight)
        };
        let states = lefts().flat_map(round).chain(iter::once("over"));
        vec![Expected::new("Rally", id, "over", json!({ "sum": sum }), phases).through(states)]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        driver.start::<Rally>(id, self.clone()).await?.outcome().await?;
        Ok(())
    }
}
