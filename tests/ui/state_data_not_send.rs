use workflow_runtime::prelude::*;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[derive(serde::Serialize, serde::Deserialize)]
struct Name {
    #[serde(skip)]
    shared: std::rc::Rc<u32>,
}

#[state]
struct Pending {
    name: Name,
}

#[state]
struct Paid;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }

    #[state]
    async fn ship(&self, _: &Cx, _: Paid) -> Result<Next<(Done, Pending)>> {
        todo!()
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
