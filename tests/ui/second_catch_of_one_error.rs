use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("bad")]
struct Bad;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Done, Bad> {
        Ok(Done)
    }

    #[catch]
    fn bad(&self, _: Pending, _: Bad) -> Done {
        Done
    }

    #[catch]
    fn also_bad(&self, _: Pending, _: Bad) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
