use workflow_runtime::prelude::*;

struct Order;

impl Order {
    #[on]
    async fn pending(&self) {}
}

fn main() {
    drop(Order.pending());
}
