//! Handlers that wait for events in the middle of their work.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::Status;

use super::fixture::{World, settle, test};

#[state]
pub struct Ordered {
    dishes: usize,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Served {
    dishes: Vec<String>,
}

#[event]
pub struct Cooked {
    dish: String,
}

#[event]
pub struct Tipped;

pub struct Kitchen;

#[workflow(start = Ordered)]
impl Kitchen {
    #[state]
    async fn serve(&self, cx: &Cx, order: Ordered) -> Result<Served> {
        let mut dishes = Vec::new();
        for _ in 0..order.dishes {
            dishes.push(cx.recv::<Cooked>().await.dish);
        }
        Ok(Served { dishes })
    }

    #[on]
    fn tipped(&self, order: Ordered, _: Tipped) -> Stay<Ordered> {
        Stay(order)
    }

    #[after("1h")]
    fn too_slow(&self, _: Ordered) -> Served {
        Served { dishes: Vec::new() }
    }
}

fn cooked(dish: &str) -> Cooked {
    Cooked { dish: dish.to_owned() }
}

#[test]
fn events_are_received_one_by_one_without_a_task_in_between_and_over_restarts() {
    test(async {
        let world = World::default();
        let engine = world.builder().workflow(Kitchen).start().await.unwrap();
        let order = engine.start::<Kitchen>("a", Ordered { dishes: 3 }).await.unwrap();
        order.send(cooked("soup")).await.unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0, "it waits without a task");
        assert_eq!(order.record().await.unwrap().status(), Status::Waiting);
        drop((engine, order));

        let engine = world.builder().workflow(Kitchen).start().await.unwrap();
        let order = engine.execution::<Kitchen>("a").unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0, "the start did not wake it for nothing");
        order.send(Tipped).await.unwrap();
        order.send(cooked("fish")).await.unwrap();
        order.send(cooked("cake")).await.unwrap();
        let KitchenOutcome::Served(served) = order.outcome().await.unwrap();
        assert_eq!(served.dishes, ["soup", "fish", "cake"]);
    });
}

#[test]
fn the_timer_of_the_state_goes_on_while_an_event_is_waited_for() {
    test(async {
        let world = World::default();
        let engine = world.builder().workflow(Kitchen).start().await.unwrap();
        let order = engine.start::<Kitchen>("a", Ordered { dishes: 2 }).await.unwrap();
        order.send(cooked("soup")).await.unwrap();
        world.pass(&engine, Duration::from_secs(3_600)).await;
        let KitchenOutcome::Served(served) = order.outcome().await.unwrap();
        assert_eq!(served, Served { dishes: Vec::new() });
    });
}

/// The same as one function.
#[workflow(allow(endless_wait))]
pub async fn tasting(cx: &Cx, dishes: usize) -> Result<Vec<String>> {
    let mut tasted = Vec::new();
    for _ in 0..dishes {
        tasted.push(cx.recv::<Cooked>().await.dish);
    }
    if cx.recv_timeout::<Tipped>(Duration::from_secs(60)).await.is_none() {
        tasted.push("no tip".to_owned());
    }
    Ok(tasted)
}

#[test]
fn a_workflow_that_is_one_function_receives_too() {
    test(async {
        let world = World::default();
        let engine = world.builder().workflow(Tasting {}).start().await.unwrap();
        let started = engine.start::<Tasting>("a", TastingInput { dishes: 1 }).await.unwrap();
        started.send(cooked("soup")).await.unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0);
        world.pass(&engine, Duration::from_secs(60)).await;
        let TastingOutcome::Done(done) = started.outcome().await.unwrap();
        assert_eq!(done.output, ["soup", "no tip"]);
    });
}
