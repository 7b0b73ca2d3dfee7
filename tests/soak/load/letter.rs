//! One function that waits for events and time between its steps, with values that are chosen once.

use std::time::Duration;

use serde_json::json;
use workflow_runtime::prelude::*;

use super::{Driver, Piece};
use crate::expected::{Expected, step};
use crate::world::World;

#[event]
pub struct Page {
    pub number: u32,
}

/// Nobody sends it.
#[event]
pub struct Postscript;

/// Reads so many pages, in the order in which they come.
#[workflow(vis = pub, allow(endless_wait))]
async fn letter(cx: &Cx, #[dep] world: &World, pages: u32) -> Result<Vec<u32>> {
    let mut read = Vec::new();
    for _ in 0..pages {
        let page = cx.recv::<Page>().await;
        let stamp = format!("{} {}", cx.random(), cx.now());
        read_page(cx, world, page.number, &stamp).await?;
        cx.sleep(Duration::from_millis(u64::from(page.number))).await;
        read.push(page.number);
    }
    if cx.recv_timeout::<Postscript>(Duration::from_millis(3)).await.is_some() {
        read.push(u32::MAX);
    }
    Ok(read)
}

#[step(retry(max = 3, backoff = "1ms..8ms"))]
async fn read_page(cx: &Cx, world: &World, number: u32, stamp: &str) -> Result<u64> {
    world.effect_with(cx, &format!("read {number}"), number % 2, stamp).await
}

#[derive(Debug)]
pub struct Pages(u32);

impl Pages {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        Self(random.u32(1..6))
    }
}

/// What a letter of so many pages comes to.
pub fn expected(id: &str, pages: u32) -> Expected {
    let phases = (0..pages).flat_map(|number| step(format!("read {number}"), number % 2)).collect();
    let read: Vec<u32> = (0..pages).collect();
    Expected::new("Letter", id, "done", json!({ "output": read }), phases).through(["running", "done"])
}

impl Piece for Pages {
    fn expected(&self, id: &str) -> Vec<Expected> {
        vec![expected(id, self.0)]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        let letter = driver.start::<Letter>(id, LetterInput { pages: self.0 }).await?;
        for number in 0..self.0 {
            driver.send(&letter, &format!("page {number}"), Page { number }).await?;
        }
        letter.outcome().await?;
        Ok(())
    }
}
