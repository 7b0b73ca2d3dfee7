use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

#[workflow(part, start = Paid)]
impl Order {
    #[state]
    async fn ship(&self, _: &Cx, _: Paid) -> Result<Next<(Done, Dropped)>> {
        Ok(goto(Done))
    }
}

fn main() {}
