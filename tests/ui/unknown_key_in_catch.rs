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

    #[catch(sorce)]
    fn failed(&self, _: Pending, _: Bad) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
