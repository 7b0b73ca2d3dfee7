//! A workflow in two files, and a handler from another crate.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{NotTaken, Trigger, Workflow};
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

#[test]
fn handlers_of_all_places_run_without_an_engine() -> Result<()> {
    let parcel = Parcel { bank: Cents };
    let shipped = |weight| ParcelState::Shipped(Shipped { weight });
    let state = parcel.take(Pending.into(), Sent { weight: 3 })?;
    assert!(matches!(state, ParcelState::Shipped(Shipped { weight: 3 })));
    assert!(matches!(parcel.take(state, Delivery)?, ParcelState::Delivered(Delivered { weight: 3 })));
    let state = parcel.take_any(shipped(5), Delivery.into())?;
    assert!(matches!(state, ParcelState::Delivered(Delivered { weight: 5 })));
    assert!(matches!(parcel.enter(Shipped { weight: 4 })?, ParcelState::Shipped(Shipped { weight: 4 })));
    assert!(matches!(parcel.take(Pending.into(), Delivery), Err(NotTaken::NoEdge { asked: "delivery", .. })));
    // What a part does is known to the compiler alone, and so is that it has effects, or may wait.
    let returned = parcel.take(shipped(6), Return).err();
    assert!(matches!(&returned, Some(NotTaken::Effects { handler: "returned", .. })));
    let state = returned.and_then(NotTaken::into_state);
    assert!(matches!(state, Some(ParcelState::Shipped(Shipped { weight: 6 }))));
    let lost = parcel.fire(shipped(7), ParcelTransition::LostToLost).err();
    assert!(matches!(lost, Some(NotTaken::NotClone { handler: "lost", .. })));
    Ok(())
}

/// A door whose handlers all stand in a part.
mod door {
    use super::*;

    #[state]
    #[derive(Clone, Debug)]
    pub struct Shut {
        pub knocks: u32,
    }

    #[state(end)]
    #[derive(Debug)]
    pub struct Open {
        pub knocks: u32,
    }

    #[event]
    pub struct Knock;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Busy;

    pub struct Door;

    mod handlers {
        use super::*;

        #[workflow(part)]
        impl Door {
            #[on]
            fn knocked(&self, shut: Shut, _: Knock) -> Reply<u32, Next<(Stay<Shut>, Open)>, Busy> {
                let knocks = shut.knocks + 1;
                match knocks {
                    2 => refuse(Busy),
                    4.. => reply(knocks, goto(Open { knocks })),
                    _ => reply(knocks, goto(Stay(Shut { knocks }))),
                }
            }

            #[after("1h")]
            fn forced(&self, shut: Shut) -> Next<(Open, Wait)> {
                if shut.knocks == 0 { goto(Wait) } else { goto(Open { knocks: shut.knocks }) }
            }
        }
    }

    #[workflow(start = Shut, include(
        on knocked(Shut, Knock) -> Reply<u32, Next<(Stay<Shut>, Open)>, Busy>,
        after forced(Shut) -> (Open, Wait),
    ))]
    impl Door {}
}

#[test]
fn a_part_answers_refuses_and_waits_without_an_engine() -> Result<()> {
    use door::{Busy, Door, DoorState, DoorTransition, Knock, Open, Shut};

    let (state, answer) = Door.ask(Shut { knocks: 2 }.into(), Knock)?;
    assert_eq!(answer, Ok(3));
    let (state, answer) = Door.ask(state, Knock)?;
    assert_eq!(answer, Ok(4));
    assert!(matches!(state, DoorState::Open(Open { knocks: 4 })), "{state:?}");
    let (state, refusal) = Door.ask(Shut { knocks: 1 }.into(), Knock)?;
    assert_eq!(refusal, Err(Busy));
    assert!(matches!(state, DoorState::Shut(Shut { knocks: 1 })), "{state:?}");
    let state = Door.fire(state, DoorTransition::ForcedToOpen)?;
    assert!(matches!(state, DoorState::Open(Open { knocks: 1 })), "{state:?}");
    let waits = Door.fire(Shut { knocks: 0 }.into(), DoorTransition::ForcedToOpen)?;
    assert!(matches!(waits, DoorState::Shut(Shut { knocks: 0 })), "{waits:?}");
    Ok(())
}
