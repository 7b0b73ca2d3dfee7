//! The program, run, killed and run again.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn orders_come_out_right_over_a_dozen_kills() {
    let shop = Folder::of(env!("CARGO_BIN_EXE_returns"));
    for moment in 1..=12 {
        drop(shop.run(&[]).kill_after(Duration::from_millis(moment * 9)));
    }
    let output = shop.succeeds(&[]);
    assert!(output.contains("checked: what was not kept was taken back"), "{output}");
    let again = shop.succeeds(&[]);
    assert!(again.contains("8 orders, 0 of them new"), "{again}");
}

#[test]
fn another_outcome_than_expected_fails_the_check() {
    let shop = Folder::of(env!("CARGO_BIN_EXE_returns"));
    let order = r#"{ "id": "x", "item": "mug", "cents": 1, "card": "c", "trouble": "no_carrier", "expect": "kept" }"#;
    shop.write("orders.json", &format!(r#"{{ "pay_within_ms": 500, "return_within_ms": 0, "orders": [{order}] }}"#));
    let end = shop.run(&["orders.json"]).end();
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.output.contains("WRONG: x was to be kept"), "{}", end.output);
}
