use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Payment;

struct Order;

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn wait(&self, cx: &Cx, _: Pending) -> Result<Done> {
        cx.recv_timeout::<Payment>(std::time::Duration::from_secs(1)).await;
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
