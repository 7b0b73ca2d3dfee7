use workflow_runtime::prelude::*;
use workflow_runtime::Timestamp;

#[state]
struct Open {
    until: Timestamp,
    text: String,
}
#[state(end)]
struct Closed;

struct Offer;

#[workflow(start = Open)]
impl Offer {
    #[at(until)]
    fn close(&self, _: Open) -> Closed {
        Closed
    }
    #[at(until)]
    fn close_too(&self, _: Open) -> Closed {
        Closed
    }
}

fn main() {}
