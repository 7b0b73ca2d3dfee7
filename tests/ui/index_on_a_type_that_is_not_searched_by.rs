//! A list has no one value to be found by.

use workflow_runtime::prelude::*;

#[state]
pub struct Open {
    #[index]
    customers: Vec<String>,
}

#[state(end)]
pub struct Done;

#[event]
pub struct Close;

pub struct Ticket;

#[workflow(start = Open)]
impl Ticket {
    #[on(allow(endless_wait))]
    fn closed(&self, _: Open, _: Close) -> Done {
        Done
    }
}

fn main() {}
