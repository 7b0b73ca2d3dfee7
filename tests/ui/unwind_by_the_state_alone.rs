use workflow_runtime::prelude::*;

#[state]
pub struct Pending;
#[state(end)]
pub struct Cancelled;
#[event]
pub struct Withdraw;

pub struct Sale;

#[workflow(start = Pending)]
impl Sale {
    #[on(allow(endless_wait))]
    fn withdrawn(&self, _: Pending, _: Withdraw) -> Unwind<Cancelled> {
        Cancelled
    }
}

fn main() {}
