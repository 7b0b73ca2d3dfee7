use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Done> {
        Ok(Done)
    }

    #[catch]
    fn gave_up(&self, _: std::fmt::Error, _: Pending) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
