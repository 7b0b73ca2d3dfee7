use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn pay(&self, cx: &Cx, _: Pending) -> Result<Done> {
        cx.call::<Self>("invoice", Done).await?;
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
