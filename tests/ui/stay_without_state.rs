use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    fn pending(&self, s: Pending) -> Next<(Done, Stay)> {
        if true { goto(Stay(s)) } else { goto(Done) }
    }

    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
