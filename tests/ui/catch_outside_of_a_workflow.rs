use workflow_runtime::prelude::*;

struct Order;

impl Order {
    #[catch]
    async fn pending(&self) {}
}

fn main() {
    drop(Order.pending());
}
