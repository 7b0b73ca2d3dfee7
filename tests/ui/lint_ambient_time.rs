#![deny(deprecated)]

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Done> {
        std::thread::sleep(std::time::Duration::from_secs(1));
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
