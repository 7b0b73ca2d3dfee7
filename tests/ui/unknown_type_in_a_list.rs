use workflow_runtime::prelude::*;

#[state]
struct Pending {
    items: Vec<Itm>,
}

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[after("1d")]
    fn done(&self, _: Pending) -> Done {
        Done
    }
}

fn main() {}
