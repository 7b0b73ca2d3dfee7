use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

struct Dropped;

#[workflow(start = Pending)]
impl Order {
    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Next<(Done, Dropped)> {
        goto(Done)
    }

    #[after("15min")]
    fn late(&self, _: Pending) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
