//! Branches that run at once: of two kinds, and one for each item, some of which fail.

use serde_json::json;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Expected, Phase, attempts, value};
use crate::world::World;

#[state]
#[derive(Debug, Clone)]
pub struct Spread {
    items: u32,
}

#[state]
pub struct Spreading {
    items: u32,
    sum: u64,
}

#[state(end)]
pub struct Gathered {
    sum: u64,
    missing: u32,
}

pub struct Fan {
    pub world: World,
}

#[workflow(start = Spread, allow(small_machine, fragile_step))]
impl Fan {
    #[state]
    async fn two(&self, cx: &Cx, spread: Spread) -> Result<Spreading> {
        let sum = self.both(cx).await?;
        Ok(Spreading { items: spread.items, sum })
    }

    #[state]
    async fn many(&self, cx: &Cx, spreading: Spreading) -> Result<Gathered> {
        let results = self.each(cx, 0..spreading.items).await;
        let missing = results.iter().filter(|result| result.is_err()).count();
        let sum: u64 = results.into_iter().flatten().sum();
        Ok(Gathered { sum: spreading.sum + sum, missing: u32::try_from(missing)? })
    }

    #[parallel]
    async fn both(&self, cx: &Cx) -> Result<u64> {
        let left = self.work(cx, "left", 1).await?;
        let right = self.work(cx, "right", 0).await?;
        Ok(left + right)
    }

    #[parallel(limit = 4, join = settle)]
    async fn each(&self, cx: &Cx, #[each] item: u32) -> Result<u64> {
        let first = self.work(cx, &format!("item {item}"), item % 3).await?;
        let second = self.work(cx, &format!("again {item}"), 0).await?;
        if fails(item) { Err(Error::msg("a bad item")) } else { Ok(first + second) }
    }

    #[step(retry(max = 4, backoff = "1ms..8ms"))]
    async fn work(&self, cx: &Cx, name: &str, failures: u32) -> Result<u64> {
        self.world.effect(cx, name, failures).await
    }
}

fn fails(item: u32) -> bool {
    item % 5 == 4
}

impl Spread {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        Self { items: random.u32(..13) }
    }
}

impl Piece for Spread {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let both = [attempts("left", 1), attempts("right", 0)].concat();
        let of_item =
            |item| [attempts(format!("item {item}"), item % 3), attempts(format!("again {item}"), 0)].concat();
        let each: Vec<_> = (0..self.items).flat_map(of_item).collect();
        // A branch has one attempt under way; those that have ended may not be on disk either.
        let width = each.len();
        let phases = vec![Phase { attempts: both, width: 2, rounds: 1 }, Phase { attempts: each, width, rounds: 1 }];
        let good = (0..self.items).filter(|item| !fails(*item));
        let sum: u64 = good.map(|item| value(id, &format!("item {item}")) + value(id, &format!("again {item}"))).sum();
        let sum = sum + value(id, "left") + value(id, "right");
        let missing = (0..self.items).filter(|item| fails(*item)).count();
        let data = json!({ "sum": sum, "missing": missing });
        vec![Expected::new("Fan", id, "gathered", data, phases).through(["spread", "spreading", "gathered"])]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        driver.start::<Fan>(id, self.clone()).await?.outcome().await?;
        Ok(())
    }
}
