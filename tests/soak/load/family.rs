//! A parent that waits for children, and starts one more that it tells something.

use futures::future::join_all;
use serde_json::json;
use workflow_runtime::prelude::*;

use super::chain::{Chain, ChainOutcome, Fresh};
use super::letter::{self, Letter, LetterInput, Page};
use super::{Driver, Piece};
use crate::expected::{End, Expected, step, value};
use crate::world::World;

#[state]
#[derive(Debug, Clone)]
pub struct Asking {
    children: Vec<Fresh>,
    pages: u32,
}

#[state]
pub struct Telling {
    sum: u64,
    refused: u32,
    pages: u32,
}

#[state(end)]
pub struct Known {
    sum: u64,
    refused: u32,
}

pub struct Family {
    pub world: World,
}

#[workflow(start = Asking, allow(small_machine))]
impl Family {
    #[state]
    async fn ask(&self, cx: &Cx, asking: Asking) -> Result<Telling> {
        let children = asking.children.into_iter().enumerate();
        let calls = children.map(|(number, start)| cx.call::<Chain>(child(cx.id().as_str(), number), start));
        let (mut sum, mut refused) = (0, 0);
        for outcome in join_all(calls).await {
            match outcome? {
                ChainOutcome::Stored(stored) => sum += stored.sum,
                ChainOutcome::Refused(_) => refused += 1,
            }
        }
        let own = self.think(cx).await?;
        Ok(Telling { sum: sum + own, refused, pages: asking.pages })
    }

    #[state]
    async fn tell(&self, cx: &Cx, telling: Telling) -> Result<Known> {
        let id = to(cx.id().as_str());
        cx.spawn::<Letter>(&id, LetterInput { pages: telling.pages }).await?;
        for number in 0..telling.pages {
            cx.send::<Letter, _>(&id, Page { number }).await?;
        }
        Ok(Known { sum: telling.sum, refused: telling.refused })
    }

    #[step(retry(max = 2, backoff = "1ms..8ms"))]
    async fn think(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, "think", 1).await
    }
}

fn child(id: &str, number: usize) -> String {
    format!("{id}-child-{number}")
}

fn to(id: &str) -> String {
    format!("{id}-letter")
}

impl Asking {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let children = (0..random.usize(1..5)).map(|_| Fresh::any(random)).collect();
        Self { children, pages: random.u32(1..4) }
    }
}

impl Piece for Asking {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let children = self.children.iter().enumerate().map(|(number, start)| start.comes_to(&child(id, number)));
        let mut all: Vec<Expected> = children.collect();
        let (mut sum, mut refused) = (value(id, "think"), 0);
        for child in &all {
            match &child.end {
                End::In("stored", data) => sum += data["sum"].as_u64().unwrap(),
                _ => refused += 1,
            }
        }
        let data = json!({ "sum": sum, "refused": refused });
        let own = Expected::new("Family", id, "known", data, step("think", 1)).through(["asking", "telling", "known"]);
        all.extend([own, letter::expected(&to(id), self.pages)]);
        all
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        driver.start::<Family>(id, self.clone()).await?.outcome().await?;
        // What it has started and sent is on disk by now.
        driver.engine.execution::<Letter>(to(id))?.outcome().await?;
        Ok(())
    }
}
