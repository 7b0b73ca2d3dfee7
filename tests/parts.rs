//! A workflow in two files, and a handler from another crate.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{Trigger, Workflow};
use workflow_tests::turns::{call, decide};

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("the bank says no")]
pub struct RefundError;

#[state]
pub struct Pending;
#[state]
pub struct Shipped {
    weight: u32,
}
#[state(end)]
pub struct Delivered {
    weight: u32,
}
#[state(end)]
pub struct Lost;
#[state(end)]
pub struct Refunded {
    cents: u32,
}
#[event]
pub struct Sent {
    weight: u32,
}
#[event]
pub struct Delivery;
#[event]
pub struct Return;

pub trait Bank: Send + Sync + 'static {
    fn cents(&self) -> u32;
}

pub struct Parcel<B> {
    bank: B,
}

/// As if it came from another crate: it knows no workflow.
mod returns {
    use super::*;

    pub trait Provides<T> {
        fn provide(&self) -> T;
    }

    #[state]
    pub struct Returning {
        pub weight: u32,
    }

    /// Pays the customer back.
    #[state]
    pub async fn returning<W: Provides<u32>>(workflow: &W, cx: &Cx, state: Returning) -> Result<Refunded, RefundError> {
        assert_eq!(cx.visit(), 1);
        if state.weight == 0 {
            return Err(RefundError);
        }
        Ok(Refunded { cents: workflow.provide() })
    }
}

use returns::Returning;

impl<B: Bank> returns::Provides<u32> for Parcel<B> {
    fn provide(&self) -> u32 {
        self.bank.cents()
    }
}

mod shipped {
    use super::*;

    #[workflow(part)]
    impl<B: Bank> Parcel<B> {
        /// It arrived.
        #[on]
        fn delivered(&self, shipped: Shipped, _: Delivery) -> Delivered {
            Delivered { weight: shipped.weight }
        }

        #[on]
        async fn returned(&self, _: &Cx, shipped: Shipped, _: Return) -> Result<Returning> {
            Ok(Returning { weight: shipped.weight })
        }

        #[after("2w")]
        fn lost(&self, shipped: Shipped) -> Next<(Lost, Wait)> {
            if shipped.weight > 100 { goto(Wait) } else { goto(Lost) }
        }
    }
}

#[workflow(start = Pending, include(
    on delivered(Shipped, Delivery) -> Delivered,
    on returned(Shipped, Return) -> Returning,
    after lost(Shipped) -> (Lost, Wait),
    state returning(Returning) -> Refunded,
))]
impl<B: Bank> Parcel<B> {
    #[on(allow(endless_wait))]
    fn sent(&self, _: Pending, sent: Sent) -> Shipped {
        Shipped { weight: sent.weight }
    }
}

struct Cents;

impl Bank for Cents {
    fn cents(&self) -> u32 {
        250
    }
}

fn parcel() -> Arc<Parcel<Cents>> {
    Arc::new(Parcel { bank: Cents })
}

fn goes(state: &str, data: &str, handler: &str, payload: Option<&str>) -> (String, String) {
    decide(&parcel(), call(state, data, handler, payload))
}

#[test]
fn handlers_of_all_places_run() {
    assert_eq!(goes("pending", "null", "sent", Some(r#"{"weight":3}"#)).0, "shipped");
    assert_eq!(goes("shipped", r#"{"weight":3}"#, "delivered", Some("null")).1, r#"{"weight":3}"#);
    assert_eq!(goes("shipped", r#"{"weight":3}"#, "returned", Some("null")).0, "returning");
    assert_eq!(goes("shipped", r#"{"weight":3}"#, "lost", None).0, "lost");
    assert_eq!(goes("shipped", r#"{"weight":300}"#, "lost", None).0, "wait");
    assert_eq!(goes("returning", r#"{"weight":3}"#, "returning", None).1, r#"{"cents":250}"#);
}

#[test]
fn the_graph_is_whole() {
    let graph = <Parcel<Cents> as Workflow>::GRAPH;
    let names: Vec<_> = graph.handlers.iter().map(|handler| handler.name).collect();
    assert_eq!(names, ["sent", "delivered", "returned", "lost", "returning"]);
    let delivered = graph.handler("delivered").unwrap();
    assert_eq!((delivered.doc, delivered.pure), ("It arrived.", true));
    assert_eq!(delivered.trigger, Trigger::On { event: "delivery" });
    assert!(delivered.line > 0);
    let delay = std::time::Duration::from_secs(14 * 24 * 3600);
    assert_eq!(graph.handler("lost").unwrap().trigger, Trigger::After { delay });
    assert_eq!(ParcelTransition::LostToLost.trigger(), Trigger::After { delay });
    assert_eq!(graph.handler("returning").unwrap().doc, "Pays the customer back.");
    assert_eq!(graph.handler("returning").unwrap().to, ["refunded"]);
}
