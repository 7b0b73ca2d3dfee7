use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending, allow(small_machine))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        self.ship(cx).await?;
        Ok(Done)
    }

    #[step(allow(fragile_step, small_machine))]
    async fn ship(&self, cx: &Cx) -> Result<()> {
        let shared = std::rc::Rc::new(1);
        cx.sleep(std::time::Duration::from_secs(1)).await;
        drop(shared);
        Ok(())
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
