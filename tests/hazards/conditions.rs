//! Handlers, steps and states that are there only under a condition.

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on]
    #[cfg(all())]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }

    #[cfg(any())]
    #[on]
    fn refunded(&self, _: Pending, _: Refund) -> Refunded {
        Refunded
    }

    #[after("1h")]
    #[cfg(not(any()))]
    fn late(&self, _: Pending) -> Done {
        Done
    }

    #[after("1h")]
    #[cfg(any())]
    fn late(&self, _: Pending) -> Refunded {
        Refunded
    }

    #[state]
    async fn ship(&self, cx: &Cx, _: Paid) -> Result<Done> {
        self.send(cx).await?;
        Ok(Done)
    }

    #[cfg(any())]
    #[catch]
    fn failed(&self, _: Paid, _: Missing) -> Refunded {
        Refunded
    }

    #[cfg(any())]
    #[state]
    fn refund(&self, _: Refunded) -> Done {
        Done
    }

    #[cfg(all())]
    #[step(allow(fragile_step))]
    async fn send(&self, _: &Cx) -> Result<()> {
        Ok(())
    }

    #[cfg(any())]
    #[step]
    async fn send(&self, _: &Cx) -> Result<Missing> {
        Missing
    }
}

#[test]
fn only_what_is_there_is_in_the_graph() {
    let graph = Order::GRAPH;
    assert_eq!(graph.handlers.iter().map(|handler| handler.name).collect::<Vec<_>>(), ["paid", "late", "ship"]);
    assert_eq!(graph.states.iter().map(|state| state.name).collect::<Vec<_>>(), ["pending", "paid", "done"]);
    assert_eq!(graph.steps.len(), 1);
    assert_eq!(OrderTransition::ALL.len(), 3);
}
