//! Random walks: what they find, how short they make it, and how it reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::testing::walk::proptest::prelude::*;
use workflow_runtime::testing::walk::{Act, Walk, Walked};
use workflow_runtime::{Cancel, Status};

#[event]
pub struct Deposit {
    pub cents: u64,
}
#[event]
pub struct Withdraw {
    pub cents: u64,
}
#[event]
pub struct Close;
/// No state takes it while the account is open.
#[event]
pub struct Reopen;
#[state]
#[derive(Debug)]
pub struct Open {
    pub balance: i64,
}
#[state]
#[derive(Debug)]
pub struct Closing {
    pub balance: i64,
}
#[state(end)]
#[derive(Debug)]
pub struct Closed;

/// What the bank has paid out, by idempotency key.
#[derive(Debug, Clone, Default)]
pub struct Bank(Arc<Mutex<Vec<(String, i64)>>>);

impl Bank {
    fn paid(&self) -> i64 {
        self.0.lock().unwrap().iter().map(|(_, cents)| cents).sum()
    }
}

/// An account. Whoever withdraws twice within a day is not asked whether there is so much: that is the planted bug.
pub struct Account {
    pub bank: Bank,
}

#[workflow(start = Open, allow(endless_wait, fragile_step))]
impl Account {
    #[on]
    fn deposited(&self, open: Open, deposit: Deposit) -> Stay<Open> {
        Stay(Open { balance: open.balance + deposit.cents as i64 })
    }
    #[on]
    fn withdrawn(&self, open: Open, withdraw: Withdraw) -> Stay<Open> {
        let cents = withdraw.cents as i64;
        match cents <= open.balance || cents > 90 {
            true => Stay(Open { balance: open.balance - cents }),
            false => Stay(open),
        }
    }
    #[on]
    fn closed(&self, open: Open, _: Close) -> Closing {
        Closing { balance: open.balance }
    }
    #[on]
    fn reopened(&self, closing: Closing, _: Reopen) -> Open {
        Open { balance: closing.balance }
    }
    #[after("3d")]
    async fn forgotten(&self, cx: &Cx, closing: Closing) -> Result<Closed> {
        self.pay_out(cx, closing.balance).await?;
        Ok(Closed)
    }
    #[step(retry(max = 2, backoff = "1s..2s"))]
    async fn pay_out(&self, cx: &Cx, cents: i64) -> Result<()> {
        let mut paid = self.bank.0.lock().unwrap();
        let key = cx.idempotency_key();
        if !paid.iter().any(|(known, _)| *known == key) {
            paid.push((key, cents));
        }
        Ok(())
    }
}

fn walk() -> Walk<Account, Bank> {
    Walk::new(|sim| {
        let bank = Bank::default();
        let of_account = bank.clone();
        sim.workflow(move || Account { bank: of_account.clone() });
        (Open { balance: 0 }, bank)
    })
    .event(1..=100_u64, |cents| Deposit { cents })
    .event(1..=100_u64, |cents| Withdraw { cents })
    .event(Just(()), |()| Close)
}

fn is_solvent(walked: &Walked<'_, Account, Bank>) {
    if let AccountState::Open(open) = walked.state {
        assert!(open.balance >= 0, "the account is overdrawn by {}", -open.balance);
    }
}

fn said(action: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(action)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| (*panic.downcast::<&str>().unwrap()).to_owned())
}

#[test]
fn a_planted_bug_is_found_and_made_as_short_as_it_can_be() {
    let told = said(|| _ = walk().crashes().cancels().invariant(is_solvent).run());
    assert!(told.contains("what:  the account is overdrawn by 91 (at tests/kit/walks.rs:"), "{told}");
    assert!(told.contains("where: after act 1, `send withdraw {\"cents\":91}`\n"), "{told}");
    assert!(told.contains("\nthe walk:\n  1. send withdraw {\"cents\":91}\n\nhistory of Account/walk:\n"), "{told}");
    assert_eq!(told.matches("overdrawn").count(), 1, "{told}");
    assert!(told.contains("stayed in `open`: `withdrawn` (event `withdraw`)"), "{told}");
    assert!(told.contains(".only(\"send withdraw {\\\"cents\\\":91}\")"), "{told}");
    let again = said(|| _ = walk().crashes().cancels().invariant(is_solvent).run());
    assert_eq!(told, again.replace(",call=2", ""), "the same each time, but for which call of the test it is");
}

#[test]
fn a_state_that_there_is_none_of_is_told() {
    let told = said(|| _ = walk().invariant(|walked| assert!(walked.times_in("Open") <= 1)).run());
    assert!(told.contains("there is no state `Open` in `Account`: its states are `open`, "), "{told}");
}

/// Breaks when the account is closed, and nothing happens for three days, though the process died in between.
#[test]
fn a_bug_that_takes_several_acts_is_made_as_short_as_it_can_be() {
    let walk = || {
        walk().crashes().walks(400).invariant(|walked| {
            let crashed = walked.acts.iter().position(|act| *act == Act::Crash);
            let closed = walked.acts.iter().position(|act| matches!(act, Act::Event { event, .. } if event == "close"));
            let paid = walked.outside.paid();
            assert!(!(crashed > closed && closed.is_some() && paid > 0), "paid {paid}");
        })
    };
    let told = said(|| _ = walk().run());
    let expected = "the walk:\n  1. send deposit {\"cents\":1}\n  2. send close null\n  3. crash\n\nhistory";
    assert!(told.contains(expected), "{told}");
    assert!(told.contains("where: at the end, when nothing more was done"), "{told}");

    let only = "send deposit {\"cents\":1}\nsend close null\ncrash";
    let told = said(|| _ = walk().only(only).run());
    assert!(told.starts_with("the walk breaks what is to hold\n\nwhat:  paid 1 (at "), "{told}");
    assert_eq!(walk().only("send close null\ncrash").run().acts, 2);
}

#[test]
fn what_holds_passes_with_everything_that_can_happen() {
    let report = walk()
        .event(Just(()), |()| Reopen)
        .crashes()
        .cancels()
        .fails("pay_out")
        .walks(60)
        .invariant(|walked| {
            let closed = matches!(walked.state, AccountState::Closed(_));
            assert!(walked.outside.0.lock().unwrap().len() <= walked.times_in("closing"));
            assert_eq!(closed, walked.status() == Status::Ended);
        })
        .run();
    assert!(report.walks == 60 && report.acts > 100, "{report}");
}

#[test]
fn a_step_that_fails_twice_is_found_and_parks() {
    let told = said(|| {
        let parks = |walked: &Walked<'_, Account, Bank>| assert!(walked.status() != Status::Parked, "it is parked");
        walk().fails("pay_out").waits(["3d"]).walks(400).invariant(parks).run();
    });
    // The failures may be asked for before the account is closed.
    for act in ["send close null\n", "fail pay_out\n"] {
        assert!(told.contains(act), "{told}");
    }
    let acts = told.lines().filter(|line| line.starts_with("  ") && line.contains(". ")).count();
    assert!(acts == 3 && told.contains("the walk has `pay_out` fail"), "{told}");
}

#[test]
fn an_event_that_nobody_takes_is_no_failure_unless_that_is_said() {
    let walk = || walk().event(Just(()), |()| Reopen).length(4).walks(40);
    walk().run();
    let told = said(|| _ = walk().every_event_is_taken().run());
    assert!(told.contains("what:  nobody has taken the event `deposit`\n"), "{told}");
    assert!(told.contains("the walk:\n  1. send close null\n  2. send deposit {\"cents\":1}\n\n"), "{told}");
}

#[test]
fn what_cannot_be_meant_is_said() {
    let bank = || {
        Walk::<Account, ()>::new(|sim| {
            sim.workflow(|| Account { bank: Bank::default() });
            (Open { balance: 0 }, ())
        })
    };
    let told = said(|| _ = bank().run());
    assert!(
        told.contains("Account takes `deposit`, `withdraw`, `close`, `reopen`, and no walk sends an event"),
        "{told}"
    );
    assert_eq!(bank().without_events().walks(3).run().walks, 3);
    let told = said(|| _ = bank().waits(["soon"]).run());
    assert!(told.contains("\"soon\" is no length of time"), "{told}");
    let told = said(|| _ = walk().fails("pay_ot").walks(2).run());
    assert!(told.contains("the step `pay_ot` is to fail, and was not called in 2 walks"), "{told}");
    let told = said(|| _ = walk().only("send opne null").run());
    assert!(told.contains("Account takes no event `opne`"), "{told}");
    let told = said(|| _ = walk().only("jump").run());
    assert!(told.contains("\"jump\" is nothing that a walk does"), "{told}");
}

/// A step with errors of its own.
pub struct Sender;
#[state]
pub struct Written;
#[state(end)]
pub struct Sent;
#[state(end)]
pub struct Returned;
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("nobody lives there")]
pub struct Unknown;

#[workflow(start = Written, allow(small_machine))]
impl Sender {
    #[state]
    async fn send(&self, cx: &Cx, _: Written) -> Result<Sent, Unknown> {
        self.post(cx).await?;
        Ok(Sent)
    }
    #[catch]
    fn returned(&self, _: Written, _: Unknown) -> Returned {
        Returned
    }
    #[step(retry(max = 2, backoff = "1h..1h"))]
    async fn post(&self, _: &Cx) -> Result<(), Unknown> {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        if true { Err(Unknown) } else { Ok(()) }
    }
}

#[test]
fn errors_of_another_type_than_the_steps_are_said() {
    let walk = || {
        Walk::<Sender, ()>::new(|sim| {
            sim.workflow(|| Sender);
            (Written, ())
        })
    };
    let told = said(|| _ = walk().fails("post").walks(20).run());
    assert!(
        told.contains("what:  the errors of `post` are of a type of its own: have it fail with one of them"),
        "{told}"
    );
    walk().fails_with("post", || Unknown).walks(20).run();
}

#[state]
pub struct Asleep;
#[state(end)]
pub struct Awake;

/// Has a handler that waits for what never comes.
pub struct Sleeper;

#[workflow(start = Asleep, allow(small_machine, endless_wait))]
impl Sleeper {
    #[state]
    async fn sleep(&self, _: &Cx, _: Asleep) -> Result<Awake> {
        std::future::pending::<()>().await;
        Ok(Awake)
    }
    #[on]
    fn cancelled(&self, _: Asleep, _: Cancel) -> Awake {
        Awake
    }
}

#[test]
fn what_is_stuck_is_found() {
    let walk = || {
        Walk::<Sleeper, ()>::new(|sim| {
            sim.workflow(|| Sleeper);
            (Asleep, ())
        })
    };
    let told = said(|| _ = walk().walks(1).run());
    assert!(told.contains("Sleeper/walk is stuck in `asleep`"), "{told}");
    assert!(told.contains("the walk:\n  (nothing is done)\n"), "{told}");
    // Waits of the engine and waits with edges open are no such thing.
    walk().only("cancel").run();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_test_of_proptest_plays_walks_too(acts in walk().crashes().acts(), cents in 1..=90_u64) {
        let walk = walk().invariant(move |walked| assert!(walked.outside.paid() <= 100 * 12 + cents as i64));
        walk.play(&acts)?;
    }
}

#[test]
fn a_failure_is_one_of_proptest_too() {
    let failure = walk().invariant(is_solvent).play(&["send withdraw {\"cents\":99}".parse().unwrap()]).unwrap_err();
    assert_eq!(failure.walk(), "send withdraw {\"cents\":99}");
    assert!(failure.what().starts_with("the account is overdrawn by 99 (at "));
    let fails = || -> Result<(), TestCaseError> { Err(failure)? };
    assert!(matches!(fails(), Err(TestCaseError::Fail(reason)) if reason.message().contains("overdrawn by 99")));
}

/// Is run by the test below, in a process of its own: it fails as a user's test would.
#[test]
fn overdrawn_where_it_is_asked_for() {
    if std::env::var_os("WORKFLOW_TESTS_OVERDRAWN").is_some() {
        walk().crashes().invariant(is_solvent).run();
    }
}

#[test]
fn the_line_to_type_has_the_same_walk_and_what_failed_is_printed_once() {
    let run = |walk: Option<&str>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "walks::overdrawn_where_it_is_asked_for"]).env("WORKFLOW_TESTS_OVERDRAWN", "1");
        command.env("RUST_BACKTRACE", "0").env_remove("WORKFLOW_WALK");
        walk.map(|walk| command.env("WORKFLOW_WALK", walk));
        let output = command.output().unwrap();
        assert!(!output.status.success());
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
    };
    let told = run(None);
    assert_eq!(told.matches("overdrawn by").count(), 1, "{told}");
    let again = told.split("this walk again: WORKFLOW_WALK='").nth(1).unwrap();
    let (course, command) = again.split_once('\'').unwrap();
    assert!(command.starts_with(" cargo test -p workflow-tests -- --exact walks::overdrawn"), "{command}");
    let part = |told: &str| told.split("what:  ").nth(1).unwrap().split("or: .only").next().unwrap().to_owned();
    assert_eq!(part(&run(Some(course))), part(&told));
    assert!(run(Some("seed")).contains("WORKFLOW_WALK is \"seed\": write it as it was printed"));
}
