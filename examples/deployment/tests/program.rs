//! The program, run, killed and run again.

use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn releases_come_out_right_over_a_dozen_kills() {
    let home = Folder::of(env!("CARGO_BIN_EXE_deployment"));
    for moment in 1..=12 {
        drop(home.run(&[]).kill_after(Duration::from_millis(moment * 9)));
    }
    let output = home.succeeds(&[]);
    assert!(output.contains("1-opening       live, approved by ada"), "{output}");
    assert!(output.contains("3-gift-wrap     rolled back: grace said no"), "{output}");
    assert!(output.contains("production  cart 3, catalogue 1, checkout 1, mail 4"), "{output}");
    assert!(output.contains("checked: each release is where it was to stay"), "{output}");
}
