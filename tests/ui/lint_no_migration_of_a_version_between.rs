#![deny(deprecated)]

use workflow_runtime::prelude::*;

mod v1 {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub euros: u64,
    }

    #[state(group)]
    pub enum States {
        Pending(Pending),
        Paid(super::Paid),
    }
}

#[state]
struct Pending {
    cents: u64,
}

#[state(end)]
struct Paid;

struct Invoice;

#[workflow(start = Pending, version = 3, from(1 = v1::States))]
impl Invoice {
    #[migrate(from = 1)]
    fn in_cents(old: v1::Pending) -> Pending {
        Pending { cents: old.euros * 100 }
    }

    #[after("14d")]
    fn overdue(&self, _: Pending) -> Paid {
        Paid
    }
}

fn main() {
    let _ = Invoice;
}
