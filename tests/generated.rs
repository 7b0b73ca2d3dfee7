//! What `#[workflow]` generates, on the order of the design.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::driver::Decided;
use workflow_runtime::prelude::*;
use workflow_runtime::{Trigger, Workflow};
use workflow_tests::turns::{call, decide, run};

#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    id: u64,
}

/// Waits for the customer.
#[state(was = "pending")]
pub struct PendingPayment {
    order: Order,
}

#[state(name = "in_fulfilment")]
pub struct Fulfilling {
    order: Order,
    payment: Payment,
}

#[state(end)]
pub struct Shipped {
    tracking: u64,
}

#[state(end)]
pub struct Cancelled {
    reason: String,
}

#[event]
pub struct Payment {
    reference: String,
}

#[event]
pub struct Note(String);

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("no carrier goes there")]
pub struct ShipError;

pub trait Bank: Send + Sync + 'static {
    fn charge(&self, key: String) -> impl Future<Output = Result<u64, ShipError>> + Send;
}

/// Fulfils one order.
pub struct Fulfilment<B> {
    bank: B,
}

/// From payment to delivery.
#[workflow(start = PendingPayment)]
impl<B: Bank> Fulfilment<B> {
    /// The customer paid.
    #[on]
    fn paid(&self, s: PendingPayment, payment: Payment) -> Fulfilling {
        Fulfilling { order: s.order, payment }
    }

    #[on]
    fn noted(&self, s: PendingPayment, note: Note) -> Next<(Stay<PendingPayment>, Wait)> {
        if note.0.is_empty() {
            return goto(Wait);
        }
        goto(Stay(PendingPayment { order: Order { id: s.order.id + 1 } }))
    }

    #[after("15m")]
    fn unpaid(&self, _: PendingPayment) -> Cancelled {
        Cancelled { reason: "unpaid".into() }
    }

    #[state]
    async fn fulfilling(&self, cx: &Cx, s: Fulfilling) -> Result<Next<(Shipped, Cancelled)>> {
        let tracking = self.ship(cx, &s.order, s.payment.reference.clone()).await?;
        let label = print_label(cx, tracking).await?;
        if label.is_empty() {
            return Ok(goto(Cancelled { reason: "no label".into() }));
        }
        Ok(goto(Shipped { tracking }))
    }

    #[catch]
    fn gave_up(&self, _: Fulfilling, error: ShipError) -> Cancelled {
        Cancelled { reason: error.to_string() }
    }

    #[catch]
    async fn failed(&self, _: &Cx, _: Fulfilling, error: Error) -> Result<Cancelled> {
        Ok(Cancelled { reason: format!("failed: {error}") })
    }

    /// Hands the parcel over.
    #[step(retry(max = 5, backoff = "200ms..30s"), timeout = "10s")]
    async fn ship(&self, cx: &Cx, order: &Order, reference: String) -> Result<u64, ShipError> {
        if reference == "lost" {
            return Err(ShipError);
        }
        let charged = self.bank.charge(cx.idempotency_key()).await?;
        Ok(charged + order.id)
    }
}

#[step]
async fn print_label(_: &Cx, tracking: u64) -> Result<String> {
    Ok(format!("label {tracking}"))
}

struct FakeBank;

impl Bank for FakeBank {
    async fn charge(&self, key: String) -> Result<u64, ShipError> {
        assert_eq!(key.len(), 32);
        Ok(7)
    }
}

fn workflow() -> Arc<Fulfilment<FakeBank>> {
    Arc::new(Fulfilment { bank: FakeBank })
}

#[test]
fn a_pure_handler_goes_on_with_data() {
    let call = call("pending_payment", r#"{"order":{"id":1}}"#, "paid", Some(r#"{"reference":"x"}"#));
    let (state, data) = decide(&workflow(), call);
    assert_eq!(state, "in_fulfilment");
    assert_eq!(data, r#"{"order":{"id":1},"payment":{"reference":"x"}}"#);
}

#[test]
fn a_handler_may_stay_or_wait() {
    let noted = |note: &str| decide(&workflow(), call("pending_payment", r#"{"order":{"id":1}}"#, "noted", Some(note)));
    assert_eq!(noted(r#""hello""#), ("stay".to_owned(), r#"{"order":{"id":2}}"#.to_owned()));
    assert_eq!(noted(r#""""#), ("wait".to_owned(), String::new()));
}

#[test]
fn steps_are_recorded_under_their_names() {
    let data = r#"{"order":{"id":1},"payment":{"reference":"x"}}"#;
    let (finished, journal) = run(&workflow(), call("in_fulfilment", data, "fulfilling", None));
    match finished.result.unwrap() {
        Decided::Goto { state, data } => assert_eq!((state, data.text()), ("shipped", r#"{"tracking":8}"#)),
        other => panic!("{other:?}"),
    }
    let keys: Vec<_> = journal.iter().map(|entry| entry.key.split(':').take(2).collect::<Vec<_>>().join(":")).collect();
    assert_eq!(keys, ["fulfilling:ship", "fulfilling:print_label"]);
}

#[test]
fn catches_are_asked_most_specific_first() {
    let workflow = workflow();
    let catch = |state: &str, error: Error| workflow.catch(state, &error).map(|(handler, _)| handler);
    assert_eq!(catch("in_fulfilment", ShipError.into()), Some("gave_up"));
    assert_eq!(catch("in_fulfilment", Error::msg("x")), Some("failed"));
    assert_eq!(catch("pending_payment", Error::msg("x")), None);
    let (state, data) = decide(
        &workflow,
        call("in_fulfilment", r#"{"order":{"id":1},"payment":{"reference":"x"}}"#, "gave_up", Some("null")),
    );
    assert_eq!((state.as_str(), data.as_str()), ("cancelled", r#"{"reason":"no carrier goes there"}"#));
}

#[test]
fn the_graph_says_what_was_declared() {
    let graph = FulfilmentState::GRAPH;
    assert_eq!(graph.workflow, "Fulfilment");
    assert_eq!(graph.doc, "From payment to delivery.");
    assert_eq!(graph.start, "pending_payment");
    let states: Vec<_> = graph.states.iter().map(|state| (state.name, state.type_name, state.end)).collect();
    assert_eq!(
        states,
        [
            ("pending_payment", "PendingPayment", false),
            ("in_fulfilment", "Fulfilling", false),
            ("cancelled", "Cancelled", true),
            ("shipped", "Shipped", true),
        ]
    );
    assert_eq!(graph.states[0].doc, "Waits for the customer.");
    assert_eq!(graph.states[0].was, ["pending"]);
    let paid = graph.handler("paid").unwrap();
    assert_eq!(paid.trigger, Trigger::On { event: "payment" });
    assert_eq!((paid.from, paid.to), ("pending_payment", &["in_fulfilment"][..]));
    assert_eq!((paid.doc, paid.pure, paid.waits), ("The customer paid.", true, false));
    assert!(paid.file.ends_with("generated.rs"));
    assert_eq!(graph.handler("unpaid").unwrap().trigger, Trigger::After { delay: Duration::from_secs(900) });
    assert!(graph.handler("noted").unwrap().waits);
    assert_eq!(graph.handler("gave_up").unwrap().trigger, Trigger::Catch { error: "ShipError" });
    let [ship] = graph.steps else { panic!("{:?}", graph.steps) };
    assert_eq!((ship.name, ship.doc, ship.timeout), ("ship", "Hands the parcel over.", Some(Duration::from_secs(10))));
    assert_eq!(ship.retry.unwrap().max, 5);
    assert!(line_of("fn paid") == paid.line && line_of("async fn ship") == ship.line);
}

fn line_of(text: &str) -> u32 {
    let line = include_str!("generated.rs").lines().position(|line| line.contains(text)).unwrap();
    u32::try_from(line).unwrap() + 1
}

#[test]
fn transitions_are_listed_in_declaration_order() {
    let names: Vec<_> = FulfilmentTransition::ALL.iter().map(|transition| format!("{transition:?}")).collect();
    assert_eq!(
        names,
        [
            "PaidToFulfilling",
            "UnpaidToCancelled",
            "FulfillingToShipped",
            "FulfillingToCancelled",
            "GaveUpToCancelled",
            "FailedToCancelled",
        ]
    );
    const UNPAID: FulfilmentTransition = FulfilmentTransition::UnpaidToCancelled;
    assert_eq!((UNPAID.from(), UNPAID.to(), UNPAID.handler()), ("pending_payment", "cancelled", "unpaid"));
    assert_eq!(UNPAID.trigger(), Trigger::After { delay: Duration::from_secs(900) });
}

#[test]
fn states_are_saved_under_their_names() {
    let state = FulfilmentState::from(PendingPayment { order: Order { id: 3 } });
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(json, r#"{"pending_payment":{"order":{"id":3}}}"#);
    assert_eq!(format!("{state:?}"), r#"pending_payment({"order":{"id":3}})"#);
    assert!(matches!(serde_json::from_str(&json).unwrap(), FulfilmentState::PendingPayment(_)));
    let old = serde_json::from_str(r#"{"pending":{"order":{"id":3}}}"#).unwrap();
    let FulfilmentState::PendingPayment(PendingPayment { order }) = old else { panic!("{old:?}") };
    assert_eq!(order.id, 3);
    let unknown = serde_json::from_str::<FulfilmentState>(r#"{"lost":null}"#).unwrap_err();
    assert!(unknown.to_string().contains("`lost`"), "{unknown}");
}

#[test]
fn the_smaller_enums_are_parts_of_the_whole() {
    let shipped = FulfilmentState::Shipped(Shipped { tracking: 1 });
    assert!(shipped.is_end());
    let shipped = FulfilmentLive::try_from(shipped).unwrap_err();
    match FulfilmentOutcome::try_from(shipped).unwrap() {
        FulfilmentOutcome::Shipped(shipped) => assert_eq!(shipped.tracking, 1),
        FulfilmentOutcome::Cancelled(_) => panic!("cancelled"),
    }
    let event = FulfilmentEvent::from(Payment { reference: "x".into() });
    assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"payment":{"reference":"x"}}"#);
}

#[test]
fn what_follows_a_state_can_be_matched() {
    let next: Next<(Shipped, Cancelled)> = goto(Cancelled { reason: "odd".into() });
    match FulfilmentFulfillingNext::from(next) {
        FulfilmentFulfillingNext::Shipped(_) => panic!("shipped"),
        FulfilmentFulfillingNext::Cancelled(cancelled) => assert_eq!(cancelled.reason, "odd"),
    }
    let next: Next<(Stay<PendingPayment>, Wait)> = goto(Wait);
    match FulfilmentPendingPaymentNext::from(next) {
        FulfilmentPendingPaymentNext::Wait => {}
        FulfilmentPendingPaymentNext::Stay(_)
        | FulfilmentPendingPaymentNext::Fulfilling(_)
        | FulfilmentPendingPaymentNext::Cancelled(_) => panic!("no wait"),
    }
}
