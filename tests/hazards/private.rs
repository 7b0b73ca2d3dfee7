//! Everything is private, as in the `main.rs` of a program, and nothing but the workflow is used.

use workflow_runtime::Workflow;
use workflow_runtime::prelude::*;

#[state]
struct Pending {
    number: u32,
}

#[state(end)]
struct Done {
    number: u32,
}

#[event]
struct Payment {
    cents: u32,
}

struct Order {
    fee: u32,
}

#[workflow(start = Pending, vis = pub(self))]
impl Order {
    #[on]
    fn paid(&self, pending: Pending, payment: Payment) -> Done {
        Done { number: pending.number + payment.cents + self.fee }
    }

    #[after("1h")]
    fn late(&self, pending: Pending) -> Done {
        Done { number: self.add(pending.number) }
    }

    fn add(&self, number: u32) -> u32 {
        number + self.fee
    }
}

#[test]
fn it_is_used() {
    fn start<W: Workflow>(_: W, _: W::Start) -> usize {
        W::GRAPH.handlers.len()
    }
    assert_eq!(start(Order { fee: 1 }, Pending { number: 1 }), 2);
    let done = Done { number: 1 };
    assert_eq!(done.number, 1);
}
