//! Workflows of which the costs are counted, and what runs them on one thread.

use std::future::Future;
use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Engine, EngineBuilder};

/// So many steps an execution of [`Steps`] has.
pub const STEPS: u64 = 10;

#[state]
pub struct Begun;

#[state(end)]
pub struct Done {
    pub sum: u64,
}

/// Ten durable steps, one after the other.
pub struct Steps;

#[workflow(start = Begun, allow(small_machine, fragile_step))]
impl Steps {
    #[state]
    async fn run(&self, cx: &Cx, _: Begun) -> Result<Done> {
        let mut sum = 0;
        for number in 0..STEPS {
            sum += self.step(cx, number).await?;
        }
        Ok(Done { sum })
    }

    #[step]
    async fn step(&self, _: &Cx, number: u64) -> Result<u64> {
        Ok(number)
    }
}

#[state]
pub struct Resting;

#[state]
pub struct Ping {
    left: u32,
}

#[state]
pub struct Pong {
    left: u32,
}

#[state(end)]
pub struct Over;

#[event]
pub struct Play {
    pub rounds: u32,
}

#[event]
pub struct Stop;

/// Goes to and fro, without effects, whenever it is told to.
pub struct Rally;

#[workflow(start = Resting, allow(endless_wait))]
impl Rally {
    #[on]
    fn play(&self, _: Resting, play: Play) -> Ping {
        Ping { left: play.rounds }
    }

    #[on]
    fn stop(&self, _: Resting, _: Stop) -> Over {
        Over
    }

    #[state]
    fn ping(&self, ping: Ping) -> Pong {
        Pong { left: ping.left }
    }

    #[state]
    fn pong(&self, pong: Pong) -> Next<(Ping, Resting)> {
        match pong.left.checked_sub(1) {
            Some(left) => goto(Ping { left }),
            None => goto(Resting),
        }
    }
}

pub fn on(store: Arc<dyn Store>) -> EngineBuilder {
    Engine::on(store).workflow(Steps).workflow(Rally)
}

/// Runs it on this thread, with everything that it spawns.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// One execution of [`Steps`], from the start to the end.
pub async fn steps(engine: &Engine, id: usize) {
    let execution = engine.start::<Steps>(id.to_string(), Begun).await.unwrap();
    let StepsOutcome::Done(done) = execution.outcome().await.unwrap();
    assert_eq!(done.sum, STEPS * (STEPS - 1) / 2);
}

/// Lets every task of this thread run until none has anything to do.
pub async fn settle(engine: &Engine) {
    let mut idle = 0;
    while idle < 100 {
        tokio::task::yield_now().await;
        idle = if engine.active() == 0 { idle + 1 } else { 0 };
    }
}
