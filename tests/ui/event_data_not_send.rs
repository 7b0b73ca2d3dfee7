use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[derive(serde::Serialize, serde::Deserialize)]
struct Name {
    #[serde(skip)]
    shared: std::rc::Rc<u32>,
}

#[event]
struct Payment {
    name: Name,
}

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    async fn paid(&self, _: &Cx, _: Pending, payment: Payment) -> Result<Done> {
        drop(payment);
        Ok(Done)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
