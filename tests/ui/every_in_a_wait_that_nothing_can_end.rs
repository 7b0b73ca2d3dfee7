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
    #[every("1d")]
    fn remind(&self, _: Open) -> Wait {
        Wait
    }
    #[state]
    fn start(&self, open: Open) -> Next<(Closed, Wait)> {
        if open.text.is_empty() { goto(Closed) } else { goto(Wait) }
    }
}

fn main() {}
