use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

async fn uses(order: workflow_runtime::Execution<Order>) {
    let _ = order.send(String::new()).await;
}

fn main() {
    let _ = uses;
}
