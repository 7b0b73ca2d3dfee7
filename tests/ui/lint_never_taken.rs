#![deny(deprecated)]

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Next<(Done, Dropped)>> {
        Ok(goto(Done))
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
