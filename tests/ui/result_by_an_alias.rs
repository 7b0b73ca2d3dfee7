use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

type Outcome<T> = std::result::Result<T, Error>;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Outcome<Next<(Done, Dropped)>> {
        Ok(goto(Done))
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
