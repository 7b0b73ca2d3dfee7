use workflow_runtime::prelude::*;

#[state]
struct Pending;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Wait {
        Wait
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
