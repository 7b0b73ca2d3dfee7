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

#[workflow(start = Pending, include(state ship(Paid) -> (Done, Dropped)))]
impl Order {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }
}

#[workflow(part, start = Paid)]
impl Order {
    #[state]
    async fn ship(&self, _: &Cx, _: Paid) -> Result<Next<(Done, Dropped)>> {
        todo!()
    }
}

fn main() {}
