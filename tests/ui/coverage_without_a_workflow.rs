use workflow_runtime::prelude::*;

#[state]
struct Open;
#[state(end)]
struct Paid;
#[event]
struct Payment;

struct Sale;

#[workflow(start = Open, allow(endless_wait))]
impl Sale {
    #[on]
    fn paid(&self, _: Open, _: Payment) -> Paid {
        Paid
    }
}

workflow_runtime::coverage!(at_least = 90);

fn main() {}
