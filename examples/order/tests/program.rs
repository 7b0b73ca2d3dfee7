//! The program, run, killed and run again, as a person would.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use fastrand::Rng;
use tempfile::TempDir;

const KILLS: usize = 12;
/// No run takes longer, or the program hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn orders_come_out_right_over_a_dozen_kills() {
    let shop = Folder::new(include_str!("../orders.json"));
    let mut random = Rng::with_seed(4711);
    for _ in 0..KILLS {
        // A quiet run takes three seconds, of which the orders that are paid take one.
        shop.run().kill_after(Duration::from_millis(random.u64(..150)));
    }
    let (code, output) = shop.run().end();
    assert_eq!(code, Some(0), "{output}");
}

#[test]
fn an_unexpected_outcome_fails_the_check() {
    let shop = Folder::new(&orders(r#""payment": { "reference": "p", "card": "c", "cents": 1 },"#, "fraud"));
    let (code, output) = shop.run().end();
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("order-1 was to be `cancelled: fraud`, and is `shipped`"), "{output}");
}

#[test]
fn a_payment_that_comes_too_late_is_refused_and_nothing_is_shipped() {
    let shop = Folder::new(&orders("", "unpaid"));
    assert_eq!(shop.run().end().0, Some(0));
    shop.write(&orders(r#""payment": { "reference": "p", "card": "c", "cents": 1 },"#, "shipped"));
    let (code, output) = shop.run().end();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("paid too late"), "{output}");
}

#[test]
fn a_file_that_is_no_list_of_orders_is_refused() {
    let shop = Folder::new("[{}]");
    let (code, output) = shop.run().end();
    assert_eq!((code, output.as_str()), (Some(1), ""));
}

fn orders(payment: &str, expect: &str) -> String {
    let order = r#"{ "id": "order-1", "item": "mug", "quantity": 1, "address": "Brno" }"#;
    format!(r#"[{{ "order": {order}, {payment} "expect": "{expect}" }}]"#)
}

struct Folder(TempDir);

impl Folder {
    fn new(orders: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write(orders);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, orders: &str) {
        fs::write(self.path("orders.json"), orders).unwrap();
    }

    fn run(&self) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_order"))
            .arg("orders.json")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            // The test may have failed and gone.
            let _ = sender.send(text);
        });
        Run { child, output }
    }
}

/// The program, running. It does not outlive this.
struct Run {
    child: Child,
    output: Receiver<String>,
}

impl Run {
    /// Kills it when so much time has passed, unless it has ended by then: that gives its exit code and output.
    fn kill_after(mut self, moment: Duration) -> Option<(Option<i32>, String)> {
        let output = self.output.recv_timeout(moment).ok()?;
        Some((self.child.wait().unwrap().code(), output))
    }

    fn end(self) -> (Option<i32>, String) {
        self.kill_after(PATIENCE).unwrap_or_else(|| panic!("it hangs"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Neither fails if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
