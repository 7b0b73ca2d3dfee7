//! The program, run, killed and run again.

use std::fs;
use std::time::Duration;

use example_support::testing::Folder;

#[test]
fn a_night_comes_out_right_over_a_dozen_kills() {
    let home = Folder::of(env!("CARGO_BIN_EXE_backup"));
    fs::create_dir(home.path("photos")).unwrap();
    let photo = |number: usize| vec![number as u8; 1 << 18];
    for number in 0..24 {
        fs::write(home.path(format!("photos/{number}.raw")), photo(number)).unwrap();
    }
    for moment in 1..=12 {
        drop(home.run(&["now", "photos"]).kill_after(Duration::from_millis(moment * 8)));
    }
    let output = home.succeeds(&["now", "photos"]);
    assert!(output.contains(": 24 files, "), "{output}");
    let list = home.succeeds(&["list"]);
    let [name] = list.lines().collect::<Vec<_>>()[..] else { panic!("not one archive: {list}") };
    let restored = home.succeeds(&["restore", name, "restored"]);
    assert!(restored.contains("24 files restored"), "{restored}");
    for number in 0..24 {
        assert!(fs::read(home.path(format!("restored/{number}.raw"))).unwrap() == photo(number), "{number}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    let end = Folder::of(env!("CARGO_BIN_EXE_backup")).run(&["tomorrow"]).end();
    assert_eq!(end.code, Some(1));
    assert!(end.errors.contains("`tomorrow` is no command"), "{}", end.errors);
}
