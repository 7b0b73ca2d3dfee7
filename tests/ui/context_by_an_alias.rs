use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

type Context = Cx;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Context, _: Pending) -> Result<Done> {
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
