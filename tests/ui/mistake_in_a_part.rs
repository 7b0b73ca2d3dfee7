use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending, include(state paid(Paid) -> Done))]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Paid {
        Paid
    }
}

#[workflow(part)]
impl Order {
    #[state(alow)]
    fn paid(&self, _: Paid) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
