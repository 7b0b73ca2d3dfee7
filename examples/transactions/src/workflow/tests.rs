//! Each way through the machine, without an engine, and crashed everywhere.

use std::path::Path;

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::ledger::Account;

workflow_runtime::lock!(Booking);

/// Ada has 100 cents, Linus none.
fn accounts() -> [Account; 2] {
    [("ada", 100), ("linus", 0)].map(|(name, cents)| Account { name: name.into(), currency: "EUR".into(), cents })
}

struct Fixture {
    ledger: Ledger,
    _folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { ledger: Ledger::open(&folder.path().join("ledger.db"), &accounts()).await.unwrap(), _folder: folder }
    }

    fn booking(&self) -> Booking {
        Booking { ledger: self.ledger.clone() }
    }

    async fn outcome(&self, transfer: Transfer) -> BookingOutcome {
        let mut machine = Stepper::start(self.booking(), Received { transfer }).unwrap();
        assert_eq!(machine.run_to_end().await.unwrap(), Rest::Ended);
        machine.outcome().unwrap().unwrap()
    }

    async fn balances(&self) -> Vec<i64> {
        self.ledger.accounts().await.unwrap().iter().map(|account| account.cents).collect()
    }
}

fn transfer(id: &str, cents: i64) -> Transfer {
    Transfer { id: id.into(), from: "ada".into(), to: "linus".into(), cents, currency: "EUR".into() }
}

fn reason(outcome: BookingOutcome) -> String {
    match outcome {
        BookingOutcome::Failed(failed) => failed.reason,
        BookingOutcome::Booked(booked) => panic!("{booked:?}"),
    }
}

#[test]
fn what_is_right_is_booked_once() {
    block_on(async {
        let fixture = Fixture::new().await;
        assert!(matches!(fixture.outcome(transfer("1", 40)).await, BookingOutcome::Booked(_)));
        assert_eq!(fixture.balances().await, [60, 40]);
        assert_eq!(fixture.ledger.traces("1").await.unwrap(), (1, 0));
    });
}

#[test]
fn a_failed_validation_ends_in_failed_with_one_alert_and_moves_nothing() {
    block_on(async {
        let fixture = Fixture::new().await;
        let wrong = Transfer { to: "lniux".into(), ..transfer("2", -5) };
        let reason = reason(fixture.outcome(wrong).await);
        assert_eq!(reason, "the amount is not positive; there is no account `lniux`");
        assert_eq!(fixture.balances().await, [100, 0]);
        assert_eq!(fixture.ledger.traces("2").await.unwrap(), (0, 1));
    });
}

#[test]
fn money_that_is_gone_between_validation_and_booking_fails_with_an_alert() {
    block_on(async {
        let fixture = Fixture::new().await;
        let validated = BookingState::Validated(Validated { transfer: transfer("late", 70) });
        let mut late = Stepper::enter(fixture.booking(), &validated).unwrap();
        fixture.outcome(transfer("early", 60)).await;
        assert_eq!(late.run_to_end().await.unwrap(), Rest::Ended);
        assert_eq!(reason(late.outcome().unwrap().unwrap()), "the account `ada` is 30 cents short");
        assert_eq!(fixture.ledger.traces("late").await.unwrap(), (0, 1));
        assert_eq!(fixture.balances().await, [40, 60]);
    });
}

#[test]
fn a_repeated_booking_moves_no_money_again() {
    block_on(async {
        let fixture = Fixture::new().await;
        let booked = fixture.ledger.book(&transfer("1", 40), "key".into()).await.unwrap().unwrap();
        assert_eq!(fixture.ledger.book(&transfer("1", 40), "key".into()).await.unwrap(), Ok(booked));
        assert_eq!(fixture.balances().await, [60, 40]);
    });
}

/// Two transfers in a simulated world: one that is right, and one that asks for more than there is. Whatever crashes, the money
/// moves once, and there is one alert.
async fn two_transfers(sim: Sim) -> Result<[(i64, i64); 2]> {
    let ledger = Ledger::open(Path::new(":memory:"), &accounts()).await?;
    let of_workflow = ledger.clone();
    sim.workflow(move || Booking { ledger: of_workflow.clone() });
    for (id, cents) in [("right", 40), ("large", 400)] {
        let booking = sim.start::<Booking>(id, Received { transfer: transfer(id, cents) }).await?;
        booking.outcome().await?;
    }
    assert_eq!(ledger.accounts().await?.iter().map(|account| account.cents).collect::<Vec<_>>(), [60, 40]);
    Ok([ledger.traces("right").await?, ledger.traces("large").await?])
}

#[test]
fn transfers_survive_a_crash_at_every_point() {
    crash_everywhere(two_transfers);
}

#[test]
fn transfers_bear_that_every_step_is_repeated() {
    repeat_everywhere(two_transfers);
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), BookingState::GRAPH);
}
