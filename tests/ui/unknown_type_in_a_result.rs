use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Reviewing;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    async fn pending(&self, _: &Cx, _: Pending) -> Result<Reviewng> {
        Err(Error::msg("no"))
    }

    #[after("1d")]
    fn done(&self, _: Reviewing) -> Done {
        Done
    }
}

fn main() {}
