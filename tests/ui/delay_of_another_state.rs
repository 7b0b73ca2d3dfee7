use workflow_runtime::prelude::*;
use workflow_runtime::Timestamp;
use std::time::Duration;

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
    #[after(Self::delay)]
    fn close(&self, _: Open) -> Closed {
        Closed
    }

    fn delay(_: &Closed) -> Duration {
        Duration::ZERO
    }
}

fn main() {}
