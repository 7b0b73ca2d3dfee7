//! The process that is killed: an engine, and who drives the load on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use workflow_runtime::Engine;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Query;

use crate::load::{self, Driver, counter};
use crate::log::{self, Ack, Log};
use crate::world::World;

/// So many executions run at once, with a task.
const MAX_ACTIVE: usize = 48;
/// So many pieces of load are under way at once.
const WINDOW: usize = 160;

pub const STORE: &str = "store.db";
pub const EFFECTS: &str = "effects";
pub const ACKS: &str = "acks";
const MENDED: &str = "mended";

/// What the process is told to do.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    pub seed: u64,
    /// Which process it is, counted from 1.
    pub run: u32,
    /// It begins nothing new, and ends when all is done.
    pub drains: bool,
}

/// Goes on with what the processes before it have left in the folder, and adds to it.
pub async fn run(folder: &Path, orders: Orders) -> Result<()> {
    let before = log::acks(&folder.join(ACKS));
    let (next, done) = (load::begun(&before), load::done(&before));
    let mut by_number: BTreeMap<u64, Vec<Ack>> = BTreeMap::new();
    for (number, ack) in before {
        by_number.entry(number).or_default().push(ack);
    }
    let acks = Arc::new(Log::open(&folder.join(ACKS)));
    let world = World::new(Log::open(&folder.join(EFFECTS)), &folder.join(MENDED), orders.run);
    let engine = Engine::sqlite(folder.join(STORE)).max_active(MAX_ACTIVE);
    let engine = load::workflows(engine, &world).start().await?;

    let window = Arc::new(Semaphore::new(WINDOW));
    let mut pieces: JoinSet<Result<()>> = JoinSet::new();
    let unfinished: Vec<u64> = (0..next).filter(|number| !done.contains(number)).collect();
    let new = if orders.drains { next..next } else { next..u64::MAX };
    let looks = (!orders.drains).then(|| tokio::spawn(look_around(engine.clone())));
    for number in unfinished.into_iter().chain(new) {
        let place = Arc::clone(&window).acquire_owned().await?;
        let driver = Driver {
            engine: engine.clone(),
            world: world.clone(),
            acks: Arc::clone(&acks),
            number,
            before: by_number.remove(&number).unwrap_or_default(),
        };
        pieces.spawn(async move {
            let (id, plan) = load::plan(orders.seed, number);
            let driven = plan.drive(&driver, &id).await;
            driven.with_context(|| format!("piece {number}, {id}: {plan:?}"))?;
            Ack::Done.write(&driver.acks, number);
            drop(place);
            Ok(())
        });
        while let Some(ended) = pieces.try_join_next() {
            ended??;
        }
        if let Some(looks) = looks.as_ref().filter(|looks| looks.is_finished()) {
            return Err(Error::msg(format!("whoever looks around has failed: {looks:?}")));
        }
    }
    while let Some(ended) = pieces.join_next().await {
        ended??;
    }
    Ok(engine.shutdown().await?)
}

/// Reads from the store as a person would, while everything changes.
async fn look_around(engine: Engine) {
    loop {
        let shard = fastrand::u64(..counter::SHARDS);
        let of_shard = Query::of::<counter::Counter>().attribute("shard", shard).limit(20);
        let page = engine.list(&of_shard).await.expect("a list");
        for found in page.executions {
            let counter = engine.execution::<counter::Counter>(found.id.as_str()).expect("it was listed");
            let history = counter.history(0, 10).await.expect("a history");
            assert!(!history.is_empty(), "{} has no history", found.id);
        }
        engine.counts::<counter::Counter>().await.expect("counts");
        engine.stuck(&Query::default().limit(5)).await.expect("a list of what is stuck");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
