//! Somebody waits for the answer of an edge that a cancellation interrupts.

use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::{AskError, Cancel, Engine, EngineError, Execution};

use super::fixture::{Script, World, settle, test};

#[state]
pub struct Open {
    /// Whether it is left when it is cancelled.
    leaves: bool,
}

#[state]
pub struct Leaving;

#[state(end)]
pub struct Left;

#[event]
pub struct Question;

#[event]
pub struct Leave;

pub struct Desk {
    script: Arc<Script>,
}

#[workflow(start = Open, allow(endless_wait, fragile_step))]
impl Desk {
    #[on]
    async fn asked(&self, cx: &Cx, _: Open, _: Question) -> Result<Reply<u32, Wait>> {
        Ok(reply(self.think(cx).await?, Wait))
    }

    #[on]
    async fn cancelled(&self, cx: &Cx, open: Open, _: Cancel) -> Result<Next<(Leaving, Wait)>> {
        self.hesitate(cx).await?;
        Ok(if open.leaves { goto(Leaving) } else { goto(Wait) })
    }

    #[on]
    fn left(&self, _: Leaving, _: Leave) -> Left {
        Left
    }

    #[step]
    async fn think(&self, cx: &Cx) -> Result<u32> {
        self.script.act("think", cx, 6).await
    }

    #[step]
    async fn hesitate(&self, cx: &Cx) -> Result<()> {
        self.script.act("hesitate", cx, 0).await.map(drop)
    }
}

async fn engine(world: &World) -> Engine {
    let desk = Desk { script: Arc::clone(&world.script) };
    Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(desk).start().await.unwrap()
}

/// Asks, and cancels while the edge runs. What the one who asks is told.
async fn interrupted(leaves: bool) -> (Execution<Desk>, Option<Result<u32, EngineError>>) {
    let world = World::default();
    let engine = engine(&world).await;
    let desk = engine.start::<Desk>("a", Open { leaves }).await.unwrap();
    let held = world.script.will_hold("think");
    let asking = tokio::spawn({
        let desk = desk.clone();
        async move {
            desk.ask(Question).await.map_err(|error| match error {
                AskError::Engine(error) => error,
                _ => unreachable!("it refuses nothing"),
            })
        }
    });
    settle(&engine).await;
    assert_eq!(world.script.count("think"), 1);
    let hesitates = world.script.will_hold("hesitate");
    desk.cancel("it is late").await.unwrap();
    held.send(()).unwrap();
    settle(&engine).await;
    assert_eq!(world.script.count("hesitate"), 1);
    assert!(!asking.is_finished(), "the edge may go on yet");
    hesitates.send(()).unwrap();
    settle(&engine).await;
    let answer = if asking.is_finished() { Some(asking.await.unwrap()) } else { None };
    (desk, answer)
}

#[test]
fn the_answer_comes_if_the_edge_goes_on() {
    test(async {
        let (_, answer) = interrupted(false).await;
        assert_eq!(answer.expect("the edge has answered").unwrap(), 7);
    });
}

#[test]
fn who_asks_is_told_that_none_comes_if_the_state_is_left() {
    test(async {
        let (desk, answer) = interrupted(true).await;
        let error = answer.expect("nobody is left to answer").unwrap_err();
        assert!(matches!(error, EngineError::Unanswered { .. }), "{error}");
        desk.terminate("done").await.unwrap();
    });
}
