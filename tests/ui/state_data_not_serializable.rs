use workflow_runtime::prelude::*;

#[state]
struct Paid;

#[state(end)]
struct Done;

struct Order;

struct Socket;

#[state]
struct Pending {
    number: u32,
    socket: Socket,
}

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Done> {
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
