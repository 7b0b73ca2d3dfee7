use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[event]
struct Refund;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

fn send<W: workflow_runtime::Workflow + workflow_runtime::Accepts<E>, E>(_: E) {}

fn main() {
    send::<Order, Payment>(Payment);
    send::<Order, Refund>(Refund);
}
