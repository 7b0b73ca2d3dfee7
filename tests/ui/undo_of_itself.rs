use workflow_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Reservation {
    number: u32,
}

#[state]
struct Pending {
    number: u32,
}

#[state(end)]
struct Done;

#[state(end)]
struct Cancelled;

struct Order;

#[workflow(start = Pending, allow(fragile_step, small_machine, no_undo))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, s: Pending) -> Result<Next<(Done, Unwind<Cancelled>)>> {
        let reservation = self.reserve(cx, s.number).await?;
        if reservation.number > 5 {
            return Ok(unwind(Cancelled));
        }
        Ok(goto(Done))
    }

    #[step(undo = reserve)]
    async fn reserve(&self, _: &Cx, number: u32) -> Result<Reservation> {
        Ok(Reservation { number })
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
