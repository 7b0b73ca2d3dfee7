use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }

    #[after("1h")]
    fn late(&self, _: u32) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
