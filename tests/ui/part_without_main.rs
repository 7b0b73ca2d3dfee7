use workflow_runtime::prelude::*;

#[state]
struct Paid;

#[state(end)]
struct Done;

struct Order;

#[workflow(part)]
impl Order {
    #[state]
    fn paid(&self, _: Paid) -> Done {
        Done
    }
}

fn main() {
    let _ = Order.paid(Paid);
}
