use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
enum ShipError {
    #[error("busy")]
    Busy,
    #[error("too slow")]
    Slow,
}

struct Order;

#[workflow(start = Pending, allow(fragile_step, small_machine))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        self.ship(cx, 1).await?;
        Ok(Done)
    }

    #[step(retry(max = 3, only(Bussy)))]
    async fn ship(&self, _: &Cx, number: u32) -> Result<u32, ShipError> {
        if number == 0 { Err(ShipError::Busy) } else if number == 1 { Err(ShipError::Slow) } else { Ok(number) }
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
