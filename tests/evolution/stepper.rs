//! Migrations in unit tests: without an engine, and without a store.

use workflow_runtime::prelude::*;
use workflow_runtime::{ErrorKind, Json, Rest, Stepper};

use super::world::{Calls, DAY, Payment, test, v1, v2, v3};

#[test]
fn a_migration_is_a_plain_call() {
    let old = Json::encode(&serde_json::json!({ "euros": 5 })).unwrap();
    let v3::SaleState::Unpaid(unpaid) = v3::Sale::migrate(1, "pending", &old).unwrap() else { panic!("another state") };
    assert_eq!(unpaid.cents, 500);
    let text = |version, state| format!("{:?}", v2::Sale::migrate(version, state, &old).unwrap_err());
    assert!(text(3, "pending").contains("newer than this code, of version 2"), "{}", text(3, "pending"));
    assert!(text(1, "nothing").contains("version 1 of the workflow had no state `nothing`"), "{}", text(1, "nothing"));
    assert!(text(2, "nothing").contains("the workflow has no state `nothing`"), "{}", text(2, "nothing"));
    let wrong = Json::encode(&serde_json::json!({ "pounds": 5 })).unwrap();
    let error = format!("{:?}", v2::Sale::migrate(1, "pending", &wrong).unwrap_err());
    assert!(error.contains("the migration `pending` of the state `pending` from version 1 to 2 failed"), "{error}");
    assert!(error.contains("missing field `euros`"), "{error}");
}

#[test]
fn a_stepper_begins_with_an_old_state() {
    test(async {
        let sale = v2::Sale { calls: Calls::default() };
        let mut stepper = Stepper::of_version(sale, 1, &v1::Pending { euros: 5 }).unwrap();
        assert!(matches!(stepper.state().unwrap(), v2::SaleState::Pending(pending) if pending.cents == 500));
        stepper.advance(DAY).await.unwrap();
        stepper.send(Payment).await.unwrap();
        assert!(matches!(stepper.state().unwrap(), v2::SaleState::Shipping(shipping) if shipping.cents == 500));

        let sale = v2::Sale { calls: Calls::default() };
        let mut stepper = Stepper::of_version(sale, 1, &v1::Pending { euros: 13 }).unwrap();
        let Rest::Parked(error) = stepper.run().await.unwrap() else { panic!("not parked") };
        assert_eq!(error.kind, ErrorKind::Migration);
    });
}
