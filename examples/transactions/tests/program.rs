//! The program, run, killed and run again.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn no_cent_is_lost_over_a_dozen_kills() {
    let bank = Folder::of(env!("CARGO_BIN_EXE_transactions"));
    for moment in 1..=12 {
        drop(bank.run(&[]).kill_after(Duration::from_millis(moment * 4)));
    }
    let output = bank.succeeds(&[]);
    assert!(output.contains("checked: no cent came or went"), "{output}");
    let again = bank.succeeds(&[]);
    assert!(again.contains("12 transfers, 0 of them new"), "{again}");
}

#[test]
fn another_outcome_than_expected_fails_the_check() {
    let bank = Folder::of(env!("CARGO_BIN_EXE_transactions"));
    bank.write(
        "bank.json",
        r#"{ "accounts": [{ "name": "ada", "currency": "EUR", "cents": 5 }],
             "transfers": [{ "id": "x", "from": "ada", "to": "bob", "cents": 1, "currency": "EUR", "expect": "booked" }] }"#,
    );
    let end = bank.run(&["bank.json"]).end();
    assert_eq!(end.code, Some(1), "{}", end.output);
    assert!(end.output.contains("WRONG: x was to be booked, is failed"), "{}", end.output);
}
