#![deny(deprecated)]

use workflow_runtime::prelude::*;

#[state]
struct Pending {
    cents: u64,
}

#[state(end)]
struct Paid;

struct Invoice;

#[workflow(start = Pending, version = 2)]
impl Invoice {
    #[after("14d")]
    fn overdue(&self, _: Pending) -> Paid {
        Paid
    }
}

fn main() {
    let _ = Invoice;
}
