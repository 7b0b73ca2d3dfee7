use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state]
struct Lost;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Done {
        Done
    }

    #[after("1hour")]
    fn late(&self, _: Pending) -> Done {
        Done
    }

    #[state]
    fn lost(&self, _: Lost) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
