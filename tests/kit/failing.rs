//! Failures that a test injects: at one place, and at all of them.

use std::sync::atomic::{AtomicU32, Ordering};

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{FailEnd, FailTest, Injection, Sim, fail_everywhere, when};
use workflow_runtime::{EngineError, Status};

use super::fixture::{Outside, Paid, Shop, ShopOutcome, Unpaid};
use super::planted::panics;

async fn order(sim: Sim, order: u32) -> Result<Vec<String>> {
    let outside = Outside::default();
    let of_shop = outside.clone();
    sim.workflow(move || Shop { outside: of_shop.clone() });
    let run = sim.start::<Shop>(format!("order-{order}"), Unpaid { order }).await?;
    run.send(Paid).await?;
    run.outcome().await?;
    Ok(outside.done())
}

#[test]
fn a_workflow_bears_a_failure_at_each_place() {
    let report = fail_everywhere(|sim| order(sim, 1));
    assert_eq!((report.attempts, report.runs as u64), (6, 2 * (report.attempts + report.handlers)), "{report}");
    assert!(report.refused as u64 > report.handlers, "nothing catches: {report}");
    let report = fail_everywhere(|sim| order(sim, 13));
    assert_eq!(report.attempts, 4, "two steps and their undos: {report}");
}

#[state]
#[derive(Debug)]
pub struct Begun {
    pub amount: u32,
}
#[state]
#[derive(Debug)]
pub struct Review;
#[state(end)]
#[derive(Debug)]
pub struct Over {
    pub amount: u32,
}
#[event]
pub struct Decided;

/// Hands what fails to a person.
pub struct Careful;

#[workflow(start = Begun, allow(fragile_step, endless_wait, small_machine))]
impl Careful {
    #[state]
    async fn begin(&self, cx: &Cx, begun: Begun) -> Result<Over> {
        Ok(Over { amount: self.take(cx, begun.amount).await? })
    }

    #[catch]
    fn broken(&self, _: Begun, _: Error) -> Review {
        Review
    }

    #[on]
    fn decided(&self, _: Review, _: Decided) -> Over {
        Over { amount: 0 }
    }

    #[step(retry(max = 3, backoff = "1s..1s"))]
    async fn take(&self, _: &Cx, amount: u32) -> Result<u32> {
        Ok(amount)
    }
}

async fn careful(sim: Sim) -> Result<u32> {
    sim.workflow(|| Careful);
    let CarefulOutcome::Over(over) = sim.start::<Careful>("a", Begun { amount: 5 }).await?.outcome().await?;
    Ok(over.amount)
}

#[test]
fn who_waits_for_a_person_is_no_mistake() {
    let report = fail_everywhere(careful);
    assert_eq!((report.attempts, report.handlers, report.runs), (1, 1, 4));
    assert_eq!(report.refused, 3, "all but the attempt that fails once: {report}");
}

#[test]
fn what_the_test_says_has_to_hold_is_looked_at_in_each_run() {
    let looked = AtomicU32::new(0);
    let told = panics(|| {
        FailTest::new()
            .check(|ends| {
                looked.fetch_add(1, Ordering::Relaxed);
                match &ends[0] {
                    end if end.state == "review" => Err(Error::msg(format!("{} bothers a person", end.key))),
                    end => {
                        assert_eq!((end.status, end.data["amount"].as_u64()), (Status::Ended, Some(5)));
                        Ok(())
                    }
                }
            })
            .run(careful)
    });
    for part in [
        "what has to hold does not, where something fails",
        "where: seed=0,attempt=1,for-good",
        "fails: attempt 1 of step `take` of Careful/a, visit 1",
        "what:  Careful/a bothers a person",
        "`begun` -> `review` by `broken` (catch)",
        "this run alone: WORKFLOW_FAIL='seed=0,attempt=1,for-good' cargo test -p workflow-tests -- --exact failing::",
        "FailTest::new().only(\"seed=0,attempt=1,for-good\").run(…)",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    assert_eq!(looked.load(Ordering::Relaxed), 3, "the run without a failure, and two with one");
    let report = FailTest::new().only("seed=4,handler=1").run(careful);
    assert_eq!((report.runs, report.refused), (1, 1));
    let asserts = |ends: &[FailEnd]| {
        assert!(ends.is_empty(), "there are {}", ends.len());
        Ok(())
    };
    let asserted = panics(|| FailTest::new().check(asserts).run(careful));
    assert!(asserted.contains("what:  there are 1") && asserted.contains("history of"), "{asserted}");
}

#[state]
#[derive(Debug)]
pub struct Going;
#[state(end)]
#[derive(Debug)]
pub struct Gone;

/// Begins again whatever happens.
pub struct Stubborn;

#[workflow(start = Going, allow(fragile_step, small_machine))]
impl Stubborn {
    #[state]
    async fn go(&self, cx: &Cx, _: Going) -> Result<Gone> {
        self.walk(cx).await?;
        Ok(Gone)
    }

    #[catch]
    fn again(&self, going: Going, _: Error) -> Going {
        going
    }

    #[step]
    async fn walk(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

#[test]
fn what_goes_round_for_ever_where_it_fails_is_found() {
    let stubborn = |sim: Sim| async move {
        sim.patience(std::time::Duration::from_secs(3_600), 500);
        sim.workflow(|| Stubborn);
        sim.start::<Stubborn>("a", Going).await?.outcome().await?;
        Ok(())
    };
    let told = panics(|| fail_everywhere(stubborn));
    assert!(told.contains("where: seed=0,attempt=1,for-good") && told.contains("goes round and round"), "{told}");
}

#[test]
fn a_scenario_that_panics_or_fails_by_itself_is_told_so() {
    let told = panics(|| {
        fail_everywhere(|sim| async move {
            assert_eq!(careful(sim).await?, 5, "the amount");
            Ok(())
        });
        fail_everywhere(|sim| async move {
            sim.workflow(|| Careful);
            let run = sim.start::<Careful>("a", Begun { amount: 5 }).await?;
            sim.advance("1h").await;
            assert!(matches!(run.state().await?, CarefulState::Over(_)), "nobody is bothered");
            Ok(())
        })
    });
    assert!(told.contains("the scenario panicked: nobody is bothered"), "{told}");
    let told = panics(|| fail_everywhere(|_| async { Err::<(), _>(Error::msg("no")) }));
    assert!(
        told.contains("the scenario fails without a failure already")
            && told.contains("what:  the scenario failed: no"),
        "{told}"
    );
    let told = panics(|| FailTest::new().only("seed=0,attempt=9").run(careful));
    assert!(
        told.contains("fails nothing") && told.contains("there are 1 attempts of steps and 1 runs of handlers"),
        "{told}"
    );
    let told = panics(|| FailTest::new().only("before=5").run(careful));
    assert!(told.contains("names no run"), "{told}");
}

/// What an order comes to, and how often each of its steps began.
fn injected(inject: impl FnOnce(&Sim)) -> (String, [usize; 2]) {
    Sim::run(1, |sim| async move {
        inject(&sim);
        sim.workflow(|| Shop { outside: Outside::default() });
        let run = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
        run.send(Paid).await?;
        let told = match run.outcome().await {
            Ok(ShopOutcome::Delivered(delivered)) => delivered.parcel,
            Err(EngineError::Parked { error, .. }) => format!("parked: {error}"),
            other => panic!("{other:?}"),
        };
        Ok((told, ["charge", "mail"].map(|step| sim.attempts(step))))
    })
}

#[test]
fn a_failure_is_injected_at_a_step_or_a_handler() {
    let delivered = "parcel of box of 1+label of 1";
    assert_eq!(injected(|_| ()), (delivered.to_owned(), [1, 1]));
    assert_eq!(injected(|sim| sim.inject(Injection::step("charge"))), (delivered.to_owned(), [2, 1]));
    let twice = |sim: &Sim| {
        sim.inject(Injection::step("charge").attempt(1));
        sim.inject(Injection::step("charge").attempt(2).of("a"));
        sim.inject(Injection::step("mail").error("no mail"));
    };
    assert_eq!(injected(twice), (delivered.to_owned(), [3, 2]));
    let for_good = injected(|sim| sim.inject(Injection::step("mail").for_good().error("no mail")));
    assert_eq!(for_good, ("parked: no mail".to_owned(), [1, 20]));
    let edge = |sim: &Sim| sim.inject(Injection::handler("unpaid", "paid").error("no edge"));
    assert_eq!(injected(edge), ("parked: no edge".to_owned(), [0, 0]));
}

#[test]
fn a_failure_goes_before_a_mock_and_one_that_nothing_comes_to_is_told() {
    let charge = when(Shop::charge).returns(1);
    let told = injected(|sim| {
        sim.mock(&charge);
        sim.inject(Injection::step("charge"));
    });
    assert_eq!((told.1, charge.attempts()), ([2, 1], 1), "the mock is not asked where it fails");
    let told = panics(|| injected(|sim| sim.inject(Injection::step("charge").nth(2))));
    assert!(told.contains("a failure was injected at number 2 of step `charge`, of which there were 1"), "{told}");
    let told = panics(|| drop(Injection::step("charge").nth(0)));
    assert!(told.contains("counted from 1"), "{told}");
    let told = panics(|| drop(Injection::step("charge").attempt(0)));
    assert!(told.contains("counted from 1"), "{told}");
}
