use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[event]
struct Payment;

struct Order;

#[state(end)]
struct Done {
    cents: u32,
}

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done { cents: "5" }
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
