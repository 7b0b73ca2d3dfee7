use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[state(end, was = "pending")]
struct Dropped;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Next<(Done, Dropped)>> {
        todo!()
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
