use workflow_runtime::prelude::*;

struct Order;

impl Order {
    #[every("1h")]
    async fn pending(&self) {}
}

fn main() {
    drop(Order.pending());
}
