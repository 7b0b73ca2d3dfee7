use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Next<(Done, Dropped, Wait, Done)> {
        if true { goto(Wait) } else { goto(Done) }
    }

    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }
}

fn uses(order: &Order) -> Option<()> {
    match OrderPendingNext::from(order.pending(Pending)) {
        OrderPendingNext::Done(_) | OrderPendingNext::Dropped(_) | OrderPendingNext::Wait => {}
    }
    let _ = OrderTransition::PendingToDone;
    match None::<OrderOutcome>? {
        OrderOutcome::Done(_) | OrderOutcome::Dropped(_) => Some(()),
    }
}

fn main() {
    let _ = uses(&Order);
}
