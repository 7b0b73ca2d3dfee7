use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("bad")]
struct Bad;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Next<(Paid, Done)>> {
        todo!()
    }

    #[catch]
    fn failed(&self, _: Paid, _: Bad) -> Dropped {
        Dropped
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
