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
    #[event]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

async fn uses(order: workflow_runtime::Execution<Order>) {
    let _ = order.send(Payment).await;
}

fn main() {
    let _ = uses;
}
