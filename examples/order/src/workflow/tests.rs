//! Each way through the machine, without an engine, where time is moved by hand; and crashed everywhere.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::backoffice::{Backoffice, Circumstances, Effects};
use crate::services::Outage;

type Orders = Fulfilment<Backoffice, Backoffice, Backoffice>;
type Machine = Stepper<Orders>;

workflow_runtime::lock!(Orders);

struct Fixture {
    services: Backoffice,
    _folder: TempDir,
}

impl Fixture {
    fn new(circumstances: Circumstances) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { services: services(&folder.path().join("services.db"), circumstances), _folder: folder }
    }

    fn orders(&self) -> Orders {
        orders(&self.services)
    }

    fn place(&self) -> Machine {
        Stepper::start(self.orders(), PendingPayment { order: order() }).unwrap()
    }

    /// Pays an order and waits for what becomes of it.
    async fn pay(&self) -> FulfilmentOutcome {
        let mut machine = self.place();
        machine.send(payment()).await.unwrap();
        assert_eq!(machine.run_to_end().await.unwrap(), Rest::Ended);
        machine.outcome().unwrap().unwrap()
    }

    async fn reason(&self) -> Reason {
        match self.pay().await {
            FulfilmentOutcome::Cancelled(cancelled) => cancelled.reason,
            FulfilmentOutcome::Shipped(shipped) => panic!("{shipped:?}"),
        }
    }

    fn effects(&self) -> Effects {
        self.services.effects(&order().id).unwrap()
    }

    fn calls(&self, service: &str) -> u32 {
        self.services.calls(service, &order().id).unwrap()
    }
}

fn services(path: &Path, circumstances: Circumstances) -> Backoffice {
    Backoffice::open(path, HashMap::from([(order().id, circumstances)]), Duration::ZERO).unwrap()
}

fn orders(services: &Backoffice) -> Orders {
    Fulfilment { bank: services.clone(), stock: services.clone(), carrier: services.clone() }
}

fn order() -> Order {
    Order { id: "order-1".into(), item: "teapot".into(), quantity: 1, address: "Lisbon".into() }
}

fn payment() -> Payment {
    Payment { reference: "pay-1".into(), card: "4929".into(), cents: 3_900 }
}

fn outage(service: &str) -> Outage {
    Outage { service: service.into() }
}

const SHIPPED: Effects = Effects { collections: 1, reservations: 1, releases: 0, parcels: 1, refunds: 0 };
const TAKEN_BACK: Effects = Effects { collections: 1, reservations: 1, releases: 1, parcels: 0, refunds: 1 };
const PAID_BACK: Effects = Effects { collections: 1, reservations: 0, releases: 0, parcels: 0, refunds: 1 };

#[test]
fn a_paid_order_is_shipped() {
    let fixture = Fixture::new(Circumstances::default());
    block_on(async {
        assert!(matches!(fixture.pay().await, FulfilmentOutcome::Shipped(_)));
        assert_eq!(fixture.effects(), SHIPPED);
    });
}

#[test]
fn an_order_that_nobody_pays_is_cancelled_after_three_seconds() {
    let fixture = Fixture::new(Circumstances::default());
    block_on(async {
        let mut machine = fixture.place();
        machine.advance(Duration::from_millis(2_999)).await.unwrap();
        assert!(matches!(machine.state().unwrap(), FulfilmentState::PendingPayment(_)));
        assert_eq!(machine.advance(Duration::from_millis(1)).await.unwrap(), Rest::Ended);
        let Some(FulfilmentOutcome::Cancelled(cancelled)) = machine.outcome().unwrap() else { panic!("not cancelled") };
        assert_eq!(cancelled.reason, Reason::Unpaid);
        assert_eq!(fixture.effects(), Effects::default());
    });
}

#[test]
fn a_stolen_card_gets_no_parcel_and_its_money_back() {
    let fixture = Fixture::new(Circumstances { fraud_score: 0.95, ..Circumstances::default() });
    block_on(async {
        assert_eq!(fixture.reason().await, Reason::Fraud);
        assert_eq!(fixture.effects(), TAKEN_BACK);
    });
}

#[test]
fn a_carrier_that_keeps_failing_is_given_up() {
    let fixture = Fixture::new(Circumstances { carrier_outages: 99, ..Circumstances::default() });
    block_on(async {
        assert_eq!(fixture.reason().await, Reason::NoCarrier(ShipError { outage: outage("carrier") }));
        assert_eq!(fixture.effects(), TAKEN_BACK);
        assert_eq!(fixture.calls("carrier"), 4);
    });
}

#[test]
fn what_is_sold_out_is_paid_back() {
    let fixture = Fixture::new(Circumstances { sold_out: true, ..Circumstances::default() });
    block_on(async {
        assert_eq!(fixture.reason().await, Reason::NoStock(ReserveError::SoldOut { item: "teapot".into() }));
        assert_eq!(fixture.effects(), PAID_BACK);
    });
}

#[test]
fn a_stock_that_keeps_failing_is_given_up() {
    let fixture = Fixture::new(Circumstances { stock_outages: 99, ..Circumstances::default() });
    block_on(async {
        assert_eq!(fixture.reason().await, Reason::NoStock(outage("stock").into()));
        assert_eq!(fixture.effects(), PAID_BACK);
    });
}

#[test]
fn services_that_fail_now_and_then_are_tried_again() {
    let outages = Circumstances { stock_outages: 3, bank_outages: 3, carrier_outages: 3, ..Circumstances::default() };
    let fixture = Fixture::new(outages);
    block_on(async {
        assert!(matches!(fixture.pay().await, FulfilmentOutcome::Shipped(_)));
        assert_eq!(fixture.effects(), SHIPPED);
        assert_eq!(["stock", "bank", "carrier"].map(|service| fixture.calls(service)), [4, 5, 4]);
    });
}

#[test]
fn a_lost_reply_of_the_carrier_does_not_ship_twice() {
    let fixture = Fixture::new(Circumstances { lost_carrier_replies: 2, ..Circumstances::default() });
    block_on(async {
        assert!(matches!(fixture.pay().await, FulfilmentOutcome::Shipped(_)));
        assert_eq!(fixture.calls("carrier"), 3);
        assert_eq!(fixture.effects(), SHIPPED);
    });
}

#[test]
fn a_silent_bank_parks_the_order_and_a_retry_goes_on_from_there() {
    let fixture = Fixture::new(Circumstances { bank_outages: 5, ..Circumstances::default() });
    block_on(async {
        let mut machine = fixture.place();
        machine.send(payment()).await.unwrap();
        let Rest::Parked(error) = machine.run_to_end().await.unwrap() else { panic!("not parked") };
        assert_eq!(error.to_string(), "the bank does not answer");
        machine.retry().await.unwrap();
        assert_eq!(machine.run_to_end().await.unwrap(), Rest::Ended);
        assert!(matches!(machine.outcome().unwrap(), Some(FulfilmentOutcome::Shipped(_))));
        assert_eq!((fixture.calls("stock"), fixture.calls("bank")), (1, 7));
    });
}

/// Pays an order in a simulated world, and sees that services and customer end up as without a crash.
async fn paid(sim: Sim, circumstances: &Circumstances, effects: Effects) -> Result<FulfilmentOutcome> {
    let services = services(Path::new(":memory:"), circumstances.clone());
    let of_workflow = services.clone();
    sim.workflow(move || orders(&of_workflow));
    let placed = sim.start::<Orders>("order-1", PendingPayment { order: order() }).await?;
    placed.send(payment()).await?;
    let outcome = placed.outcome().await?;
    assert_eq!(services.effects(&order().id)?, effects);
    Ok(outcome)
}

/// What is to be survived, and what the services have done in the end.
fn to_survive() -> [(Circumstances, Effects); 3] {
    let lost_reply = Circumstances { lost_carrier_replies: 1, ..Circumstances::default() };
    let stolen = Circumstances { fraud_score: 0.95, ..Circumstances::default() };
    let sold_out = Circumstances { sold_out: true, stock_outages: 1, ..Circumstances::default() };
    [(lost_reply, SHIPPED), (stolen, TAKEN_BACK), (sold_out, PAID_BACK)]
}

#[test]
fn an_order_survives_a_crash_at_every_point() {
    for (circumstances, effects) in to_survive() {
        crash_everywhere(|sim| paid(sim, &circumstances, effects));
    }
}

#[test]
fn an_order_bears_that_every_step_is_repeated() {
    for (circumstances, effects) in to_survive() {
        repeat_everywhere(|sim| paid(sim, &circumstances, effects));
    }
}

#[test]
fn the_readme_shows_the_machine() {
    let readme = include_str!("../../README.md");
    let diagram = FulfilmentState::GRAPH.to_mermaid();
    assert!(readme.contains(diagram.trim()), "put this into README.md:\n{diagram}");
}
