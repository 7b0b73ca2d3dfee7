//! Steps of which no more than a few may be under way at once, over all executions.

use serde_json::json;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Expected, step, value};
use crate::world::World;

/// How many calls of `serve` may be under way at once.
pub const AT_ONCE: usize = 3;
pub const SERVED: &str = "serve";

#[state]
#[derive(Debug)]
pub struct Hungry {
    failures: u32,
}

#[state(end)]
pub struct Fed {
    sum: u64,
}

pub struct Guest {
    pub world: World,
}

#[workflow(start = Hungry, allow(small_machine))]
impl Guest {
    #[state]
    async fn eat(&self, cx: &Cx, hungry: Hungry) -> Result<Fed> {
        let served = serve(cx, &self.world, hungry.failures).await?;
        let paid = self.pay(cx).await?;
        Ok(Fed { sum: served + paid })
    }

    #[step(rate = "2000/s", retry(max = 2, backoff = "1ms..8ms"))]
    async fn pay(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, "pay", 0).await
    }
}

/// No graph knows of it: an engine that begins finds who waits for it by what is in the records.
#[step(limit = 3, retry(max = 4, backoff = "1ms..8ms"))]
async fn serve(cx: &Cx, world: &World, failures: u32) -> Result<u64> {
    world.effect(cx, SERVED, failures).await
}

#[derive(Debug)]
pub struct Hunger(u32);

impl Hunger {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        Self(random.u32(..3))
    }
}

impl Piece for Hunger {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let phases = [step(SERVED, self.0), step("pay", 0)].concat();
        let data = json!({ "sum": value(id, SERVED) + value(id, "pay") });
        vec![Expected::new("Guest", id, "fed", data, phases).through(["hungry", "fed"])]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        driver.start::<Guest>(id, Hungry { failures: self.0 }).await?.outcome().await?;
        Ok(())
    }
}
