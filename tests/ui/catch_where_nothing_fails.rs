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
    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }

    #[catch]
    fn failed(&self, _: Pending, _: Bad) -> Done {
        Done
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
