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
struct Returned;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }

    #[state]
    async fn ship(&self, _: &Cx, _: Paid) -> Result<Done> {
        Ok(Done)
    }

    #[state]
    async fn returned(&self, _: &Cx, _: Returned) -> Result<Done> {
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
