use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending, include(after ship(Paid) -> (Done, Dropped)))]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }
}

#[workflow(part)]
impl Order {
    #[state]
    async fn ship(&self, _: &Cx, _: Paid) -> Result<Next<(Done, Dropped)>> {
        todo!()
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
