//! What fails until a person helps: retried, skipped, moved or terminated by hand; or parked by hand in the middle.

use std::time::Duration;

use serde_json::json;
use workflow_runtime::prelude::*;
use workflow_runtime::record::Reason;
use workflow_runtime::{EngineError, Execution};

use super::{Driver, Piece};
use crate::expected::{End, Expected, Phase, step, value};
use crate::world::World;

/// What a person gives a step as its result, or a state as its data.
const BY_HAND: u64 = 1_000_000;

#[state]
#[derive(Clone, Debug)]
pub struct Broken {
    by: By,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum By {
    /// Mends the cause, and has it tried again.
    Retry,
    /// The same, where something is to be undone first: then all is done anew.
    RetryAll,
    Skip,
    Move,
    /// It is terminated so many milliseconds after its start.
    Terminate(u64),
    /// It is parked so many milliseconds after its start, though nothing is wrong, and retried.
    Park(u64),
}

#[state]
pub struct Replacing {
    sum: u64,
}

#[state(end)]
pub struct Mended {
    sum: u64,
}

#[state(end)]
pub struct Replaced {
    sum: u64,
}

pub struct Repair {
    pub world: World,
}

#[workflow(start = Broken, on_failure = unwind, allow(fragile_step))]
impl Repair {
    #[state]
    async fn mending(&self, cx: &Cx, broken: Broken) -> Result<Mended> {
        let looked = self.look(cx, broken.by).await?;
        let borrowed = if broken.by == By::RetryAll { self.borrow(cx).await? } else { 0 };
        let mended = self.mend(cx, broken.by).await?;
        let closed = self.close(cx).await?;
        Ok(Mended { sum: looked + borrowed + mended + closed })
    }

    #[after("1h")]
    fn hopeless(&self, _: Broken) -> Unwind<Replacing> {
        Unwind(Replacing { sum: 0 })
    }

    #[state]
    async fn replacing(&self, cx: &Cx, replacing: Replacing) -> Result<Replaced> {
        let replaced = self.replace(cx).await?;
        Ok(Replaced { sum: replacing.sum + replaced })
    }

    #[step(allow(no_undo))]
    async fn look(&self, cx: &Cx, by: By) -> Result<u64> {
        let name = if by == By::RetryAll && self.world.is_mended(cx) { "look anew" } else { "look" };
        self.world.effect(cx, name, 0).await
    }

    #[step(undo = give_back)]
    async fn borrow(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, if self.world.is_mended(cx) { "borrow anew" } else { "borrow" }, 0).await
    }

    #[step(retry(max = 2, backoff = "1ms..8ms"))]
    async fn give_back(&self, cx: &Cx, _: u64) -> Result<()> {
        self.world.effect(cx, "give back", 1).await.map(drop)
    }

    /// Fails in both attempts, until the cause is mended. After that it is the same call, unless all is done anew.
    #[step(retry(max = 2, backoff = "1ms..8ms"), allow(no_undo))]
    async fn mend(&self, cx: &Cx, by: By) -> Result<u64> {
        let (name, failures) = match by {
            By::Park(_) => ("mend", 0),
            By::Retry if self.world.is_mended(cx) => ("mend#mended", 0),
            By::RetryAll if self.world.is_mended(cx) => ("mend anew", 0),
            By::Retry | By::RetryAll | By::Skip | By::Move | By::Terminate(_) => ("mend", u32::MAX),
        };
        self.world.effect(cx, name, failures).await
    }

    #[step(allow(no_undo))]
    async fn close(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, "close", 0).await
    }

    #[step(allow(no_undo))]
    async fn replace(&self, cx: &Cx) -> Result<u64> {
        self.world.effect(cx, "replace", 0).await
    }
}

impl Broken {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let by = match random.u8(..6) {
            0 => By::Retry,
            1 => By::RetryAll,
            2 => By::Skip,
            3 => By::Move,
            4 => By::Terminate(random.u64(..40)),
            _ => By::Park(random.u64(..20)),
        };
        Self { by }
    }

    /// Helps an execution that is parked. Nothing says whether that was done before a kill, so each has a name.
    async fn help(&self, driver: &Driver, repair: &Execution<Repair>) -> Result<(), EngineError> {
        match self.by {
            By::Retry | By::RetryAll => {
                driver.world.mend(repair.id().as_str());
                repair.retry_because(reason()).await
            }
            By::Park(_) => repair.retry_because(reason()).await,
            By::Skip => repair.skip("mend", &BY_HAND, reason()).await,
            By::Move => repair.move_to(RepairState::Replacing(Replacing { sum: BY_HAND }), reason()).await,
            By::Terminate(_) => repair.terminate(reason()).await,
        }
    }
}

fn reason() -> Reason {
    Reason::new("the soak").by("a person").once("the soak")
}

/// Two attempts that fail.
fn mend() -> Vec<Phase> {
    step("mend", 1)
}

impl Piece for Broken {
    fn expected(&self, id: &str) -> Vec<Expected> {
        let sum = |names: &[&str]| names.iter().map(|name| value(id, name)).sum::<u64>();
        let mended =
            |sum: u64, phases: Vec<Phase>| Expected::new("Repair", id, "mended", json!({ "sum": sum }), phases);
        let directly = |expected: Expected| expected.through(["broken", "mended"]);
        let once = |names: &[&str]| names.iter().flat_map(|name| step(*name, 0)).collect::<Vec<_>>();
        vec![match self.by {
            By::Retry => {
                let phases = [once(&["look"]), mend(), once(&["mend#mended", "close"])].concat();
                directly(mended(sum(&["look", "mend#mended", "close"]), phases))
            }
            By::RetryAll => {
                let anew = ["look anew", "borrow anew", "mend anew", "close"];
                let undone = [once(&["look", "borrow"]), mend(), step("give back", 1)].concat();
                mended(sum(&anew), [undone, once(&anew)].concat())
            }
            By::Skip => {
                let phases = [once(&["look"]), mend(), once(&["close"])].concat();
                directly(mended(sum(&["look", "close"]) + BY_HAND, phases))
            }
            By::Move => {
                let phases = [once(&["look"]), mend(), once(&["replace"])].concat();
                let data = json!({ "sum": BY_HAND + value(id, "replace") });
                Expected::new("Repair", id, "replaced", data, phases).through(["broken", "replacing", "replaced"])
            }
            By::Terminate(_) => {
                let all = [once(&["look"]), mend()].concat();
                Expected {
                    workflow: "Repair",
                    id: id.to_owned(),
                    end: End::Terminated,
                    ways: (0..=all.len()).map(|done| all[..done].to_vec()).collect(),
                    states: Some(vec!["broken".to_owned()]),
                }
            }
            By::Park(_) => {
                let steps = ["look", "mend", "close"];
                directly(mended(sum(&steps), once(&steps)))
            }
        }]
    }

    async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
        let repair = driver.start::<Repair>(id, self.clone()).await?;
        let asked = match self.by {
            By::Terminate(after) => {
                tokio::time::sleep(Duration::from_millis(after)).await;
                repair.terminate(reason()).await
            }
            By::Park(after) => {
                tokio::time::sleep(Duration::from_millis(after)).await;
                repair.park(reason()).await
            }
            By::Retry | By::RetryAll | By::Skip | By::Move => Ok(()),
        };
        match asked {
            Ok(()) | Err(EngineError::Ended { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        loop {
            match repair.outcome().await {
                Ok(_) => return Ok(()),
                Err(EngineError::Terminated { .. }) if matches!(self.by, By::Terminate(_)) => return Ok(()),
                Err(EngineError::Parked { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            match self.help(driver, &repair).await {
                // What was asked for before a kill may be carried out at any moment.
                Ok(()) | Err(EngineError::NotParked { .. } | EngineError::Ended { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
