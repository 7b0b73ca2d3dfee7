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
    #[at(deadline)]
    fn close(&self, _: Open) -> Closed {
        Closed
    }
}

fn main() {}
