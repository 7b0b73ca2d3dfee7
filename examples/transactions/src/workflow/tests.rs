//! Each way through the machine, without an engine.

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::ledger::Account;

workflow_runtime::lock!(Booking);

struct Fixture {
    ledger: Ledger,
    _folder: TempDir,
}

impl Fixture {
    /// Ada has 100 cents, Linus none.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let account = |name: &str, cents| Account { name: name.into(), currency: "EUR".into(), cents };
        let accounts = [account("ada", 100), account("linus", 0)];
        Self { ledger: Ledger::open(&folder.path().join("ledger.db"), &accounts).await.unwrap(), _folder: folder }
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

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), BookingState::GRAPH);
}
