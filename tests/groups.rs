//! Superstates: handlers that are written once for several states, or for any.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, Graph, ManualClock, Rest, Stepper, Timestamp, Trigger};
use workflow_tests::turns::now;

const HOUR: Duration = Duration::from_secs(3_600);

#[state(was = "awaiting")]
#[derive(Debug, PartialEq)]
pub struct PendingPayment {
    notes: u32,
}

#[state]
#[derive(Debug, PartialEq)]
pub struct Packing {
    notes: u32,
}

#[state]
#[derive(Debug, PartialEq)]
pub struct Shipping {
    parcel: u32,
}

#[state]
pub struct OfAnotherWorkflow;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Delivered;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Cancelled {
    by: String,
}

/// Nothing has left the house yet.
#[state(group)]
pub enum Inside {
    Unpaid(PendingPayment),
    Packing(Packing),
    Foreign(OfAnotherWorkflow),
}

#[event]
pub struct Payment;

#[event]
pub struct Packed {
    parcel: u32,
}

#[event]
pub struct Delivery;

#[event]
pub struct Cancel;

#[event]
pub struct Note;

#[event]
pub struct Mixed;

#[event]
pub struct Lost;

pub struct Order;

#[workflow(start = PendingPayment, include(on lost(OrderLive, Lost) -> Cancelled))]
impl Order {
    #[on]
    fn paid(&self, order: PendingPayment, _: Payment) -> Packing {
        Packing { notes: order.notes }
    }

    #[on]
    fn packed(&self, _: Packing, packed: Packed) -> Shipping {
        Shipping { parcel: packed.parcel }
    }

    /// Goes before what holds for the group.
    #[on]
    fn cancelled_while_packing(&self, _: Packing, _: Cancel) -> Cancelled {
        Cancelled { by: "packing".to_owned() }
    }

    #[on]
    fn cancelled_inside(&self, inside: Inside, _: Cancel) -> Cancelled {
        let by = match inside {
            Inside::Unpaid(order) => format!("unpaid with {} notes", order.notes),
            Inside::Packing(_) | Inside::Foreign(_) => "never".to_owned(),
        };
        Cancelled { by }
    }

    #[on]
    fn cancelled_anywhere(&self, live: OrderLive, _: Cancel) -> Cancelled {
        let by = match live {
            OrderLive::Shipping(shipping) => format!("shipping {}", shipping.parcel),
            OrderLive::PendingPayment(_) | OrderLive::Packing(_) => "never".to_owned(),
        };
        Cancelled { by }
    }

    #[on]
    fn noted(&self, inside: Inside, _: Note) -> Stay<Inside> {
        Stay(match inside {
            Inside::Unpaid(order) => Inside::Unpaid(PendingPayment { notes: order.notes + 1 }),
            Inside::Packing(order) => Packing { notes: order.notes + 1 }.into(),
            other @ Inside::Foreign(_) => other,
        })
    }

    /// A mistake that only shows when it runs.
    #[on]
    fn mixed(&self, _: Inside, _: Mixed) -> Stay<Inside> {
        Stay(Inside::Packing(Packing { notes: 9 }))
    }

    #[after("2h")]
    fn forgotten(&self, _: Inside) -> Cancelled {
        Cancelled { by: "nobody".to_owned() }
    }

    #[after("1w")]
    fn overdue(&self, _: OrderLive) -> Cancelled {
        Cancelled { by: "time".to_owned() }
    }

    #[state]
    async fn ship(&self, cx: &Cx, shipping: Shipping) -> Result<Next<(Delivered, Wait)>> {
        match shipping.parcel {
            0 => Err(Error::msg("there is no parcel")),
            1 => {
                self.hand_over(cx).await?;
                Ok(goto(Delivered))
            }
            _ => Ok(goto(Wait)),
        }
    }

    #[on]
    fn delivered(&self, _: Shipping, _: Delivery) -> Delivered {
        Delivered
    }

    #[catch]
    fn failed(&self, live: OrderLive, error: Error) -> Cancelled {
        let state = OrderState::from(live);
        Cancelled { by: format!("{}: {error}", workflow_runtime::WorkflowState::name(&state)) }
    }

    #[step(retry(max = 2))]
    async fn hand_over(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

mod lost {
    use super::{Cancelled, Lost, Order, OrderLive};
    use workflow_runtime::prelude::*;

    #[workflow(part)]
    impl Order {
        #[on]
        fn lost(&self, _: OrderLive, _: Lost) -> Cancelled {
            Cancelled { by: "loss".to_owned() }
        }
    }
}

fn order() -> Stepper<Order> {
    Stepper::start(Order, PendingPayment { notes: 0 }).unwrap()
}

fn cancelled_by(order: &Stepper<Order>) -> String {
    match order.outcome().unwrap() {
        Some(OrderOutcome::Cancelled(cancelled)) => cancelled.by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_states_own_edge_goes_before_the_groups_and_that_before_any() {
    let mut unpaid = order();
    now(unpaid.send(Cancel)).unwrap();
    assert_eq!(cancelled_by(&unpaid), "unpaid with 0 notes");

    let mut packing = order();
    now(packing.send(Payment)).unwrap();
    now(packing.send(Cancel)).unwrap();
    assert_eq!(cancelled_by(&packing), "packing");

    let mut shipping = order();
    now(shipping.send(Payment)).unwrap();
    now(shipping.send(Packed { parcel: 7 })).unwrap();
    now(shipping.send(Cancel)).unwrap();
    assert_eq!(cancelled_by(&shipping), "shipping 7");
}

#[test]
fn a_group_stays_in_the_state_that_it_is_in() {
    let mut order = order();
    now(order.send(Note)).unwrap();
    assert!(matches!(order.state().unwrap(), OrderState::PendingPayment(PendingPayment { notes: 1 })));
    now(order.send(Payment)).unwrap();
    now(order.send(Note)).unwrap();
    assert!(matches!(order.state().unwrap(), OrderState::Packing(Packing { notes: 2 })));
    now(order.send(Mixed)).unwrap();
    assert!(matches!(order.state().unwrap(), OrderState::Packing(Packing { notes: 9 })));
}

#[test]
fn a_stay_in_another_state_is_a_failure_that_says_what_to_return() {
    let mut order = order();
    now(order.send(Mixed)).unwrap();
    assert_eq!(
        cancelled_by(&order),
        "pending_payment: the handler `mixed` stays in `pending_payment` with data of `packing`: return `packing` to go there",
        "it is caught like any other failure",
    );
}

#[test]
fn timers_of_a_group_count_in_each_of_its_states() {
    let mut unpaid = order();
    now(unpaid.advance(HOUR)).unwrap();
    now(unpaid.send(Payment)).unwrap();
    now(unpaid.advance(HOUR)).unwrap();
    assert!(matches!(unpaid.state().unwrap(), OrderState::Packing(_)), "another state, another visit");
    now(unpaid.advance(HOUR)).unwrap();
    assert_eq!(cancelled_by(&unpaid), "nobody");

    let mut shipping = Stepper::enter(Order, &OrderState::Shipping(Shipping { parcel: 7 })).unwrap();
    now(shipping.advance(6 * 24 * HOUR)).unwrap();
    assert!(matches!(shipping.state().unwrap(), OrderState::Shipping(_)));
    now(shipping.advance(24 * HOUR)).unwrap();
    assert_eq!(cancelled_by(&shipping), "time");
}

#[test]
fn a_catch_for_any_state_catches() {
    let mut shipping = Stepper::enter(Order, &OrderState::Shipping(Shipping { parcel: 0 })).unwrap();
    assert_eq!(now(shipping.run()).unwrap(), Rest::Ended);
    assert_eq!(cancelled_by(&shipping), "shipping: there is no parcel");
}

#[test]
fn a_part_may_have_handlers_for_any_state() {
    let mut order = order();
    now(order.send(Lost)).unwrap();
    assert_eq!(cancelled_by(&order), "loss");
}

#[test]
fn the_graph_has_an_edge_for_each_state_of_a_group() {
    let graph: &Graph = OrderState::GRAPH;
    let sources = |handler: &str| graph.sources(graph.handler(handler).unwrap()).collect::<Vec<_>>();
    assert_eq!(sources("cancelled_inside"), ["pending_payment"], "packing has one of its own");
    assert_eq!(sources("cancelled_anywhere"), ["shipping"]);
    assert_eq!(sources("forgotten"), ["pending_payment", "packing"]);
    assert_eq!(sources("lost"), ["pending_payment", "packing", "shipping"]);
    let of_packing: Vec<_> = graph.handlers_of("packing").map(|handler| handler.name).collect();
    assert_eq!(
        of_packing,
        ["packed", "cancelled_while_packing", "noted", "mixed", "forgotten", "overdue", "failed", "lost"]
    );
    assert_eq!(graph.handlers_of("cancelled").count(), 0, "an end has none, whatever holds for any state");
    let cancels = graph.edges().filter(|edge| edge.handler.trigger == Trigger::On { event: "cancel" });
    let cancels: Vec<_> = cancels.map(|edge| (edge.from, edge.to, edge.handler.name)).collect();
    assert_eq!(
        cancels,
        [
            ("packing", "cancelled", "cancelled_while_packing"),
            ("pending_payment", "cancelled", "cancelled_inside"),
            ("shipping", "cancelled", "cancelled_anywhere"),
        ]
    );
    assert!(
        graph.to_mermaid().contains("pending_payment --> cancelled : forgotten · after 2h"),
        "{}",
        graph.to_mermaid()
    );
}

#[test]
fn a_transition_of_a_group_is_one_and_says_which_states_it_may_leave() {
    let edge = OrderTransition::ForgottenToCancelled;
    assert_eq!((edge.from(), edge.to()), ("inside", "cancelled"));
    assert_eq!(edge.sources(), ["pending_payment", "packing", "of_another_workflow"]);
    assert_eq!(OrderTransition::PaidToPacking.sources(), ["pending_payment"]);
    assert_eq!(OrderTransition::LostToCancelled.from(), "order_live");
}

#[test]
fn an_execution_in_a_state_with_an_old_name_takes_the_edges_of_its_group() {
    let renamed = serde_json::from_str::<OrderState>("{\"awaiting\":{\"notes\":4}}").unwrap();
    assert!(matches!(renamed, OrderState::PendingPayment(_)));
    let read = |name: &str| {
        let data = serde_json::from_str("{\"notes\":4}").unwrap();
        <Inside as workflow_runtime::Group>::read(name, &data).map(Result::unwrap)
    };
    assert!(matches!(read("awaiting"), Some(Inside::Unpaid(PendingPayment { notes: 4 }))));
    assert!(read("shipping").is_none());
}

#[test]
fn an_engine_takes_the_edge_of_a_group_after_a_restart() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (store, clock) = (workflow_runtime::MemoryStore::new(), ManualClock::new(Timestamp::EPOCH));
        let build = || Engine::on(std::sync::Arc::new(store.clone())).clock(clock.clone()).workflow(Order);
        let engine = build().start().await.unwrap();
        let order = engine.start::<Order>("a", PendingPayment { notes: 0 }).await.unwrap();
        order.send(Note).await.unwrap();
        drop((order, engine));
        clock.advance(2 * HOUR);
        let engine = build().start().await.unwrap();
        let OrderOutcome::Cancelled(cancelled) = engine.execution::<Order>("a").unwrap().outcome().await.unwrap()
        else {
            panic!("it was cancelled");
        };
        assert_eq!(cancelled.by, "nobody");
    });
}
