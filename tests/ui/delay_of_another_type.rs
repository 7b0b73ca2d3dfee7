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
    #[after(Self::delay)]
    fn close(&self, _: Open) -> Closed {
        Closed
    }

    fn delay(open: &Open) -> u64 {
        open.text.len() as u64
    }
}

fn main() {}
