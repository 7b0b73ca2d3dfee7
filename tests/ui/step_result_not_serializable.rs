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
        self.ship(cx, 1).await?;
        Ok(Done)
    }

    #[step]
    async fn ship(&self, _: &Cx, _: u32) -> Result<Socket> {
        Ok(Socket)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
