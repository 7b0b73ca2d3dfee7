//! Steps one after the other, with attempts that fail, and an error that is caught.

use serde_json::json;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Expected, step, value};
use crate::world::World;

#[state]
#[derive(Clone, Debug)]
pub struct Fresh {
    pub failures: u32,
    pub refused: bool,
}

#[state]
pub struct Checked {
    failures: u32,
    sum: u64,
}

#[state(end)]
pub struct Stored {
    pub sum: u64,
}

#[state(end)]
pub struct Refused {
    pub why: String,
}

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("refused for {sum}")]
pub struct Refusal {
    sum: u64,
}

pub struct Chain {
    pub world: World,
}

#[workflow(start = Fresh)]
impl Chain {
    #[state]
    async fn check(&self, cx: &Cx, fresh: Fresh) -> Result<Checked> {
        let first = self.look(cx).await?;
        let second = self.judge(cx, first, fresh.refused).await?;
        Ok(Checked { failures: fresh.failures, sum: second })
    }

    #[catch]
    fn refused(&self, _: Fresh, error: Refusal) -> Refused {
        Refused { why: error.to_string() }
    }

    #[state]
    async fn store(&self, cx: &Cx, checked: Checked) -> Result<Stored> {
        let stored = self.put(cx, checked.failures).await?;
        Ok(Stored { sum: checked.sum + stored })
    }

    #[step]
    async fn look(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, "look", 0).await
    }

    #[step]
    async fn judge(&self, cx: &Cx, first: u64, refused: bool) -> Result<u64> {
        let sum = first + self.world.effect(cx, "judge", 0).await?;
        if refused { Err(Refusal { sum }.into()) } else { Ok(sum) }
    }

    #[step(retry(max = 5, backoff = "1ms..8ms"))]
    async fn put(&self, cx: &Cx, failures: u32) -> Result<u64> {
        self.world.effect(cx, "put", failures).await
    }
}

impl Fresh {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        Self { failures: random.u32(0..3), refused: random.u8(..5) == 0 }
    }

    /// What a chain with this start comes to.
    pub fn comes_to(&self, id: &str) -> Expected {
        let sum = value(id, "look") + value(id, "judge");
        let mut phases = [step("look", 0), step("judge", 0)].concat();
        if self.refused {
            let data = json!({ "why": format!("refused for {sum}") });
            return Expected::new("Chain", id, "refused", data, phases).through(["fresh", "refused"]);
        }
        phases.extend(step("put", self.failures));
        let data = json!({ "sum": sum + value(id, "put") });
        Expected::new("Chain", id, "stored", data, phases).through(["fresh", "checked", "stored"])
    }
}

impl Piece for Fresh {
    fn expected(&self, id: &str) -> Vec<Expected> {
        vec![self.comes_to(id)]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        let chain = driver.start::<Chain>(id, self.clone()).await?;
        chain.outcome().await?;
        Ok(())
    }
}
