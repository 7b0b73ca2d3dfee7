use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[state]
struct Paid2;

#[workflow(start = Paid)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Paid2, _: Payment) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
