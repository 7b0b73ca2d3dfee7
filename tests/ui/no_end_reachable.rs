use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

struct Order;

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Paid> {
        Ok(Paid)
    }

    #[state]
    async fn paid(&self, _: &Cx, _: Paid) -> Result<Pending> {
        Ok(Pending)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
