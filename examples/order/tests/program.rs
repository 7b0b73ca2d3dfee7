//! The program, run, killed and run again, as a person would.

use std::time::Duration;

use example_support::testing::{End, Folder};
use fastrand::Rng;

const KILLS: usize = 12;
const ORDERS: &str = "orders.json";

#[test]
fn orders_come_out_right_over_a_dozen_kills() {
    let shop = shop_with(include_str!("../orders.json"));
    let mut random = Rng::with_seed(4711);
    for _ in 0..KILLS {
        // A quiet run takes three seconds, of which the orders that are paid take one.
        drop(shop.run(&[ORDERS]).kill_after(Duration::from_millis(random.u64(..150))));
    }
    let End { code, output, .. } = shop.run(&[ORDERS]).end();
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn an_unexpected_outcome_fails_the_check() {
    let shop = shop_with(&orders(r#""payment": { "reference": "p", "card": "c", "cents": 1 },"#, "fraud"));
    let End { code, output, .. } = shop.run(&[ORDERS]).end();
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("order-1 was to be `cancelled: fraud`, and is `shipped`"), "{output}");
}

#[test]
fn a_payment_that_comes_too_late_is_refused_and_nothing_is_shipped() {
    let shop = shop_with(&orders("", "unpaid"));
    let _ = shop.succeeds(&[ORDERS]);
    shop.write(ORDERS, &orders(r#""payment": { "reference": "p", "card": "c", "cents": 1 },"#, "shipped"));
    let End { code, output, .. } = shop.run(&[ORDERS]).end();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("paid too late"), "{output}");
}

#[test]
fn a_file_that_is_no_list_of_orders_is_refused() {
    let shop = shop_with("[{}]");
    let End { code, output, .. } = shop.run(&[ORDERS]).end();
    assert_eq!((code, output.as_str()), (Some(1), ""));
}

fn orders(payment: &str, expect: &str) -> String {
    let order = r#"{ "id": "order-1", "item": "mug", "quantity": 1, "address": "Brno" }"#;
    format!(r#"[{{ "order": {order}, {payment} "expect": "{expect}" }}]"#)
}

/// A folder with this list of orders.
fn shop_with(orders: &str) -> Folder {
    let folder = Folder::of(env!("CARGO_BIN_EXE_order"));
    folder.write(ORDERS, orders);
    folder
}
