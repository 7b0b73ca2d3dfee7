use workflow_runtime::prelude::*;

struct Order;

#[workflow(start = Pending)]
impl Clone for Order {
    fn clone(&self) -> Self {
        Order
    }
}

fn main() {}
