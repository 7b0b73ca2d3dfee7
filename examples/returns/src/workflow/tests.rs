//! Each way through the machine, without an engine: time is moved by hand.

use std::path::Path;

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::testing::{Sim, SimExecution, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::shop::Trouble;

workflow_runtime::lock!(Fulfilment);

const DAY: Duration = Duration::from_secs(24 * 3_600);

struct Fixture {
    shop: Shop,
    machine: Stepper<Fulfilment>,
    _folder: TempDir,
}

impl Fixture {
    /// An order that may be paid within a day, and sent back within fourteen.
    fn ordered(trouble: Trouble) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::open(&folder.path().join("shop.db")).unwrap();
        let order = Order { id: "order".into(), item: "teapot".into(), cents: 3_900, trouble };
        let terms = Terms { pay: DAY, send_back: 14 * DAY };
        let machine = Stepper::start(Fulfilment { shop: shop.clone(), terms }, PendingPayment { order }).unwrap();
        Self { shop, machine, _folder: folder }
    }

    async fn paid(trouble: Trouble) -> Self {
        let mut fixture = Self::ordered(trouble);
        fixture.machine.send(Card("visa".into())).await.unwrap();
        fixture.machine.advance(Duration::from_secs(3_600)).await.unwrap();
        fixture
    }

    async fn delivered() -> Self {
        let mut fixture = Self::paid(Trouble::None).await;
        fixture.machine.send(Delivery).await.unwrap();
        assert!(matches!(fixture.machine.state().unwrap(), FulfilmentState::Delivered(_)));
        fixture
    }

    async fn done(&self) -> Vec<String> {
        self.shop.done("order").await.unwrap()
    }

    fn reason(&self) -> String {
        match self.machine.outcome().unwrap().unwrap() {
            FulfilmentOutcome::Cancelled(cancelled) => cancelled.reason,
            FulfilmentOutcome::Returned(returned) => returned.reason,
            FulfilmentOutcome::Kept(_) => panic!("it is kept"),
        }
    }
}

#[test]
fn what_is_kept_long_enough_stays() {
    block_on(async {
        let mut fixture = Fixture::delivered().await;
        assert_eq!(fixture.machine.advance(14 * DAY).await.unwrap(), Rest::Ended);
        assert!(matches!(fixture.machine.outcome().unwrap(), Some(FulfilmentOutcome::Kept(_))));
        assert_eq!(fixture.done().await, ["charge", "reserve", "ship"]);
    });
}

#[test]
fn what_is_sent_back_in_time_is_paid_back() {
    block_on(async {
        let mut fixture = Fixture::delivered().await;
        fixture.machine.advance(13 * DAY).await.unwrap();
        assert_eq!(fixture.machine.send(Return("chipped".into())).await.unwrap(), Rest::Ended);
        assert_eq!(fixture.reason(), "chipped");
        assert_eq!(fixture.done().await, ["charge", "reserve", "ship", "release", "refund"]);
    });
}

#[test]
fn what_nobody_pays_is_cancelled_after_a_day() {
    block_on(async {
        let mut fixture = Fixture::ordered(Trouble::None);
        assert_eq!(fixture.machine.advance(DAY).await.unwrap(), Rest::Ended);
        assert_eq!(fixture.reason(), "nobody paid in time");
        assert!(fixture.done().await.is_empty());
    });
}

#[test]
fn a_card_that_is_declined_leaves_nothing_to_undo() {
    block_on(async {
        let fixture = Fixture::paid(Trouble::Declined).await;
        assert_eq!(fixture.reason(), "the bank declines visa");
        assert!(fixture.done().await.is_empty());
    });
}

#[test]
fn what_is_sold_out_is_paid_back() {
    block_on(async {
        let fixture = Fixture::paid(Trouble::SoldOut).await;
        assert_eq!(fixture.reason(), "teapot is sold out");
        assert_eq!(fixture.done().await, ["charge", "refund"]);
    });
}

#[test]
fn without_a_carrier_all_is_undone_newest_first() {
    block_on(async {
        let fixture = Fixture::paid(Trouble::NoCarrier).await;
        assert_eq!(fixture.reason(), "no carrier takes teapot");
        assert_eq!(fixture.done().await, ["charge", "reserve", "release", "refund"]);
    });
}

#[test]
fn services_that_fail_at_first_are_asked_again() {
    block_on(async {
        let fixture = Fixture::paid(Trouble::Outages).await;
        assert!(matches!(fixture.machine.state().unwrap(), FulfilmentState::Shipped(_)));
        assert_eq!(fixture.done().await, ["charge", "reserve", "ship"]);
    });
}

#[test]
fn a_parcel_that_is_lost_is_paid_back_and_not_put_back() {
    block_on(async {
        let mut fixture = Fixture::paid(Trouble::None).await;
        assert_eq!(fixture.machine.advance(30 * DAY).await.unwrap(), Rest::Ended);
        assert!(fixture.reason().ends_with("was lost"));
        assert_eq!(fixture.done().await, ["charge", "reserve", "ship", "refund"]);
    });
}

/// A shop in a simulated world, and an order in it that has been paid.
async fn paid(sim: &Sim, trouble: Trouble) -> Result<(Shop, SimExecution<Fulfilment>)> {
    let shop = Shop::open(Path::new(":memory:"))?;
    let of_workflow = shop.clone();
    let terms = Terms { pay: DAY, send_back: 14 * DAY };
    sim.workflow(move || Fulfilment { shop: of_workflow.clone(), terms });
    let order = Order { id: "order".into(), item: "teapot".into(), cents: 3_900, trouble };
    let order = sim.start::<Fulfilment>("order", PendingPayment { order }).await?;
    order.send(Card("visa".into())).await?;
    Ok((shop, order))
}

async fn sent_back(sim: Sim) -> Result<Vec<String>> {
    let (shop, order) = paid(&sim, Trouble::None).await?;
    sim.advance("2d").await;
    order.send(Delivery).await?;
    sim.advance("13d").await;
    order.send(Return("chipped".into())).await?;
    assert!(matches!(order.outcome().await?, FulfilmentOutcome::Returned(_)));
    let done = shop.done("order").await?;
    assert_eq!(done, ["charge", "reserve", "ship", "release", "refund"]);
    Ok(done)
}

async fn not_shipped(sim: Sim) -> Result<Vec<String>> {
    let (shop, order) = paid(&sim, Trouble::NoCarrier).await?;
    assert!(matches!(order.outcome().await?, FulfilmentOutcome::Cancelled(_)));
    let done = shop.done("order").await?;
    assert_eq!(done, ["charge", "reserve", "release", "refund"]);
    Ok(done)
}

async fn with_outages(sim: Sim) -> Result<Vec<String>> {
    let (shop, order) = paid(&sim, Trouble::Outages).await?;
    sim.advance("2d").await;
    order.send(Delivery).await?;
    assert!(matches!(order.outcome().await?, FulfilmentOutcome::Kept(_)));
    shop.done("order").await
}

#[test]
fn an_order_that_is_sent_back_survives_a_crash_at_every_point() {
    crash_everywhere(sent_back);
}

#[test]
fn an_order_that_nobody_ships_is_undone_over_a_crash_at_every_point() {
    crash_everywhere(not_shipped);
}

#[test]
fn an_order_with_outages_survives_a_crash_at_every_point() {
    crash_everywhere(with_outages);
}

#[test]
fn orders_bear_that_every_step_is_repeated() {
    repeat_everywhere(sent_back);
    repeat_everywhere(not_shipped);
    repeat_everywhere(with_outages);
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), FulfilmentState::GRAPH);
}
