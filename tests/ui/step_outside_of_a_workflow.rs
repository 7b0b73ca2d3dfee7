use workflow_runtime::prelude::*;

struct Order;

impl Order {
    #[step]
    async fn pending(&self) {}
}

fn main() {
    drop(Order.pending());
}
