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

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Next<(Paid, Done)> {
        todo!()
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
