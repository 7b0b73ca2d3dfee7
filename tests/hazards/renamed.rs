//! The runtime under another name.

mod reexport {
    pub(super) mod inner {
        pub(crate) use ::workflow_runtime as machines;
    }
}

use reexport::inner::machines::{Cx, Result, event, state, step, workflow};

#[state(crate = "crate::renamed::reexport::inner::machines")]
struct Pending {
    number: u32,
}

#[state(end, crate = "crate::renamed::reexport::inner::machines")]
struct Done;

#[event(crate = "crate::renamed::reexport::inner::machines")]
struct Payment;

struct Order;

#[workflow(start = Pending, crate = "crate::renamed::reexport::inner::machines")]
impl Order {
    #[on]
    async fn paid(&self, cx: &Cx, pending: Pending, _: Payment) -> Result<Done> {
        ship(cx, pending.number).await?;
        Ok(Done)
    }

    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }
}

#[step(crate = "crate::renamed::reexport::inner::machines", retry(max = 2))]
async fn ship(_: &Cx, number: u32) -> Result<u32> {
    Ok(number)
}

#[test]
fn the_graph_is_there() {
    assert_eq!(OrderState::GRAPH.handlers.len(), 2);
}
