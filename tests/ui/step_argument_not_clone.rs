use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

struct Socket;

#[workflow(start = Pending, allow(fragile_step, small_machine))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        self.ship(cx, Socket).await?;
        Ok(Done)
    }

    #[step(retry(max = 5))]
    async fn ship(&self, _: &Cx, _: Socket) -> Result<u32> {
        Ok(1)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
