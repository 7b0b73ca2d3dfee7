use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn wait(&self, cx: &Cx, _: Pending) -> Result<Done> {
        cx.recv::<Payment>().await;
        Ok(Done)
    }

    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
