//! Events that are answered, each exactly once, by an execution that is found by an attribute.

use serde_json::json;
use workflow_runtime::AskError;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Attempt, Expected, Phase};
use crate::world::World;

#[state]
#[derive(Debug, Clone)]
pub struct Open {
    left: u32,
    sum: u64,
    #[index]
    shard: u64,
}

#[state(end)]
pub struct Counted {
    sum: u64,
    #[index]
    shard: u64,
}

#[event]
pub struct Add {
    number: u32,
    value: u64,
}

/// What was added is nothing.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Nothing {
    sum: u64,
}

pub struct Counter {
    pub world: World,
}

#[workflow(start = Open)]
impl Counter {
    #[on]
    async fn add(&self, cx: &Cx, open: Open, add: Add) -> Result<Reply<u64, Next<(Stay<Open>, Counted)>, Nothing>> {
        if add.value == 0 {
            return Ok(refuse(Nothing { sum: open.sum }));
        }
        self.note(cx, add.number).await?;
        let (sum, left) = (open.sum + add.value, open.left - 1);
        Ok(match left {
            0 => reply(sum, goto(Counted { sum, shard: open.shard })),
            _ => reply(sum, goto(Stay(Open { left, sum, ..open }))),
        })
    }

    #[every("30ms")]
    fn reminded(&self, open: Open) -> Stay<Open> {
        Stay(open)
    }

    #[after("1h")]
    fn forgotten(&self, open: Open) -> Counted {
        Counted { sum: 0, shard: open.shard }
    }

    #[step(retry(max = 3, backoff = "1ms..8ms"))]
    async fn note(&self, cx: &Cx, number: u32) -> Result<()> {
        self.world.effect(cx, &format!("note {number}"), 0).await.map(drop)
    }
}

/// What is added, in any order.
#[derive(Debug)]
pub struct Adds {
    pub values: Vec<u64>,
    shard: u64,
}

/// So many shards there are.
pub const SHARDS: u64 = 7;

pub const REFUSED: &str = "refused";

impl Adds {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let values = (0..random.usize(1..8)).map(|_| random.u64(1..1_000)).collect();
        Self { values, shard: random.u64(..SHARDS) }
    }

    pub fn event_id(number: usize) -> String {
        format!("add {number}")
    }
}

impl Piece for Adds {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let sum: u64 = self.values.iter().sum();
        let note = |number| Attempt { name: format!("note {number}"), number: 1 };
        let phase = Phase { attempts: (0..self.values.len()).map(note).collect(), width: 1, rounds: 1 };
        let data = json!({ "sum": sum, "shard": self.shard });
        vec![Expected::new("Counter", id, "counted", data, vec![phase]).through(["open", "counted"])]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        let left = u32::try_from(self.values.len())?;
        let counter = driver.start::<Counter>(id, Open { left, sum: 0, shard: self.shard }).await?;
        // Before the others: at the end nobody refuses any more.
        match counter.ask_once(REFUSED, Add { number: 0, value: 0 }).await {
            Err(AskError::Refused(refused)) => driver.answered(REFUSED, &refused.sum)?,
            asked => return Err(Error::msg(format!("it is not refused: {asked:?}"))),
        }
        let ask = async |number: usize, value: u64| {
            let event_id = Self::event_id(number);
            let add = Add { number: u32::try_from(number)?, value };
            match counter.ask_once(&event_id, add).await {
                Ok(sum) => driver.answered(&event_id, &sum),
                asked => Err(Error::msg(format!("{event_id}: {asked:?}"))),
            }
        };
        let asks = self.values.iter().enumerate().map(|(number, value)| ask(number, *value));
        for asked in futures::future::join_all(asks).await {
            asked?;
        }
        counter.outcome().await?;
        let found = workflow_runtime::store::Query::of::<Counter>().attribute("shard", self.shard).limit(1_000_000);
        let found = driver.engine.list(&found).await?;
        if !found.executions.iter().any(|execution| execution.id.as_str() == id) {
            return Err(Error::msg(format!("{id} is not found by its shard {}", self.shard)));
        }
        Ok(())
    }
}
