use workflow_runtime::prelude::*;

#[state]
struct Pending;

struct Shipping;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Shipping {
        Shipping
    }

    #[state]
    fn ship(&self, _: Shipping) -> Done {
        Done
    }
}

fn main() {}
