use workflow_runtime::prelude::*;

struct Order;

impl Order {
    #[state]
    async fn pending(&self) {}
}

fn main() {
    drop(Order.pending());
}
