use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order {
    _cell: std::cell::Cell<u32>,
}

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
