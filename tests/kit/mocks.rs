//! What is said in place of a step.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{CrashTest, Sim, crash_everywhere, when};
use workflow_runtime::{EngineError, StepPanicked, StepTimedOut};

use super::fixture::{Outside, Paid, Shop, ShopOutcome, Unpaid};
use super::planted::panics;

#[state]
#[derive(Debug)]
pub struct Placed {
    pub item: String,
    pub count: u32,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Done {
    pub told: String,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Refused {
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("only {left} left")]
pub struct NoStock {
    pub left: u32,
}

/// An error that is not saved, and so is known by its type only until it is.
#[derive(Debug, thiserror::Error)]
#[error("the line is dead")]
pub struct Dead;

pub trait Bank: Send + Sync + 'static {
    fn name(&self) -> &'static str;
}

pub struct FakeBank;

impl Bank for FakeBank {
    fn name(&self) -> &'static str {
        "fake"
    }
}

/// A client that no journal can hold.
pub struct Client;

/// A workflow with a type parameter, and steps of each kind.
pub struct Fulfilment<B> {
    pub bank: B,
}

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl<B: Bank> Fulfilment<B> {
    #[state]
    async fn fulfil(&self, cx: &Cx, order: Placed) -> Result<Done> {
        let reserved = self.reserve(cx, &order.item, order.count).await?;
        let bank = self.pay(cx, order.count).await?;
        let weight = self.weigh(cx, order.item.clone()).await?;
        let receipt = tell(cx, &Client, &order.item).await?;
        Ok(Done { told: format!("{reserved} {bank} {weight} {receipt}") })
    }

    #[catch]
    fn no_stock(&self, _: Placed, error: NoStock) -> Refused {
        Refused { why: format!("stock: {error}") }
    }

    #[catch(source)]
    fn too_slow(&self, _: Placed, error: StepTimedOut) -> Refused {
        Refused { why: format!("too slow: {}", error.step) }
    }

    #[catch(source)]
    fn broken(&self, _: Placed, error: StepPanicked) -> Refused {
        Refused { why: format!("broken: {}", error.message) }
    }

    #[step]
    async fn reserve(&self, _: &Cx, item: &str, count: u32) -> Result<String, NoStock> {
        Ok(format!("{count} {item}"))
    }

    #[step(retry(max = 4, backoff = "1s..1s", jitter = none), timeout = "10s")]
    pub async fn pay(&self, _: &Cx, _: u32) -> Result<String> {
        Ok(self.bank.name().to_owned())
    }

    #[step(blocking)]
    pub fn weigh(&self, _: &Cx, item: String) -> Result<u64> {
        Ok(item.len() as u64)
    }
}

/// Tells the customer.
#[step(retry(max = 3))]
async fn tell(_: &Cx, _: &Client, item: &str) -> Result<usize> {
    Ok(item.len())
}

pub fn order() -> Placed {
    Placed { item: "kettle".into(), count: 2 }
}

pub type Order = Fulfilment<FakeBank>;

/// What an order comes to, in words.
pub async fn fulfilled(sim: &Sim, id: &str) -> Result<String, EngineError> {
    told(sim.start::<Order>(id, order()).await?.outcome().await)
}

pub fn told(outcome: Result<FulfilmentOutcome, EngineError>) -> Result<String, EngineError> {
    match outcome {
        Ok(FulfilmentOutcome::Done(done)) => Ok(done.told),
        Ok(FulfilmentOutcome::Refused(refused)) => Ok(refused.why),
        Err(EngineError::Parked { error, .. }) => Ok(format!("parked: {error}")),
        Err(error) => Err(error),
    }
}

/// What an order comes to with these mocks.
fn with(mock: impl FnOnce(&Sim)) -> String {
    Sim::run(1, |sim| async move {
        mock(&sim);
        sim.workflow(|| Fulfilment { bank: FakeBank });
        Ok(fulfilled(&sim, "a").await?)
    })
}

#[test]
fn every_kind_of_step_is_mocked_by_its_function() {
    assert_eq!(with(|_| ()), "2 kettle fake 6 6");
    assert_eq!(with(|sim| sim.mock(when(Order::reserve).returns("none".to_owned()))), "none fake 6 6");
    assert_eq!(with(|sim| sim.mock(when(Fulfilment::<FakeBank>::pay).then("paid".into()))), "2 kettle paid 6 6");
    assert_eq!(with(|sim| sim.mock(when(Order::weigh).returns(70))), "2 kettle fake 70 6");
    assert_eq!(with(|sim| sim.mock(when(tell).returns_with(|call| call.id().len()))), "2 kettle fake 6 1");
    let all = with(|sim| {
        sim.mock(when(Order::reserve).returns_with(|call| call.argument::<String>(0)));
        sim.mock(when(Order::pay).answers(|call| Ok(call.argument::<u32>(0).to_string())));
        sim.mock(when(Order::weigh).returns(0));
        sim.mock(when(tell).returns(1));
    });
    assert_eq!(all, "kettle 2 0 1");
}

#[test]
fn errors_are_of_the_type_of_the_step_and_are_caught_by_it() {
    let reserve = || when(Order::reserve);
    assert_eq!(with(|sim| sim.mock(reserve().fails(NoStock { left: 1 }))), "stock: only 1 left");
    assert_eq!(with(|sim| sim.mock(reserve().fails(|| NoStock { left: 3 }))), "stock: only 3 left");
    let sold_out = reserve().answers(|call| Err(NoStock { left: call.argument::<u32>(1) + 1 }));
    assert_eq!(with(|sim| sim.mock(sold_out)), "stock: only 3 left");
    // The boxed error: a text, an error, or a function that makes one.
    assert_eq!(with(|sim| sim.mock(when(Order::pay).fails("no bank"))), "parked: no bank");
    assert_eq!(with(|sim| sim.mock(when(tell).fails(Error::msg("dead").context("no line")))), "parked: no line: dead");
    assert_eq!(with(|sim| sim.mock(when(Order::weigh).fails(|| Dead.into()))), "parked: the line is dead");
}

#[test]
fn panics_and_what_takes_too_long_are_cut_off_as_with_the_step() {
    assert_eq!(with(|sim| sim.mock(when(Order::weigh).panics("crack"))), "broken: crack");
    let (pay, outcome) = Sim::run(1, |sim| async move {
        let pay = when(Order::pay).hangs();
        sim.mock(&pay);
        sim.workflow(|| Fulfilment { bank: FakeBank });
        let outcome = fulfilled(&sim, "a").await?;
        assert_eq!(sim.elapsed(), Duration::from_secs(4 * 10 + 3), "four timeouts, three pauses");
        Ok((pay, outcome))
    });
    assert_eq!((pay.calls().len(), pay.attempts()), (1, 4));
    assert_eq!(outcome, "too slow: pay");
    assert_eq!(with(|sim| sim.mock(when(Order::pay).returns("slow".into()).takes("9s"))), "2 kettle slow 6 6");
    assert_eq!(
        with(|sim| sim.mock(when(Order::pay).returns("slow".into()).takes(Duration::from_secs(11)))),
        "too slow: pay"
    );
}

#[test]
fn answers_follow_each_other_and_then_the_step_itself_runs() {
    let counted = |mock: fn() -> workflow_runtime::testing::Mock<String>| {
        let pay = mock();
        let told = with(|sim| sim.mock(&pay));
        (told, pay.attempts())
    };
    let paid = |told: &str, attempts| (format!("2 kettle {told} 6 6"), attempts);
    assert_eq!(counted(|| when(Order::pay).fails_times(2, "busy").then("later".into())), paid("later", 3));
    assert_eq!(counted(|| when(Order::pay).fails_times(3, "busy")), paid("fake", 4));
    assert_eq!(counted(|| when(Order::pay).hangs().times(1).panics("oh").times(1).runs()), paid("fake", 3));
    assert_eq!(counted(|| when(Order::pay)), paid("fake", 1));
    assert_eq!(counted(|| when(Order::pay).fails_times(0, "busy").then("now".into())), paid("now", 1));
    assert_eq!(counted(|| when(Order::pay).fails_times(4, "busy")), ("parked: busy".to_owned(), 4));
}

#[test]
fn what_a_mock_was_called_with_can_be_asked_for() {
    Sim::run(1, |sim| async move {
        let (reserve, tell) = (when(Order::reserve), when(tell).fails_times(1, "busy"));
        sim.mock(&reserve);
        sim.mock(&tell);
        sim.workflow(|| Fulfilment { bank: FakeBank });
        for id in ["a", "b"] {
            fulfilled(&sim, id).await?;
        }
        let ids: Vec<_> = reserve.calls().iter().map(|call| (call.id().to_owned(), call.handler.clone())).collect();
        assert_eq!(ids, [("a".to_owned(), "fulfil".to_owned()), ("b".to_owned(), "fulfil".to_owned())]);
        assert_eq!(reserve.calls()[1].arguments, [serde_json::json!("kettle"), serde_json::json!(2)]);
        let told: Vec<_> = tell.all_attempts().iter().map(|call| (call.number, call.attempt)).collect();
        assert_eq!(told, [(1, 1), (2, 2), (3, 1)], "a was told in its second attempt");
        assert_eq!(tell.calls().len(), 2);
        let call = &tell.calls()[0];
        assert_eq!((call.arguments[0].is_null(), call.argument::<String>(1)), (true, "kettle".to_owned()));
        let key = |(_, event)| match event {
            workflow_runtime::testing::SimEvent::Began { call, .. } if call.step == "tell" => {
                Some(call.idempotency_key())
            }
            _ => None,
        };
        assert_eq!(sim.events().into_iter().find_map(key), Some(call.idempotency_key()));
        Ok(())
    });
}

#[test]
fn a_mock_may_be_for_some_executions_alone() {
    Sim::run(1, |sim| async move {
        sim.mock(when(Order::pay).returns("each".into()));
        sim.mock(when(Order::pay).returns("b".into()).only_for("b"));
        sim.mock(when(Order::pay).returns("c or d".into()).only_for("c").only_for("d"));
        sim.workflow(|| Fulfilment { bank: FakeBank });
        for (id, paid) in [("a", "each"), ("b", "b"), ("c", "c or d"), ("d", "c or d")] {
            assert_eq!(fulfilled(&sim, id).await?, format!("2 kettle {paid} 6 6"));
        }
        Ok(())
    });
}

#[test]
fn an_undo_is_mocked_too() {
    Sim::run(1, |sim| async move {
        let (release, refund) = (when(Shop::release).returns(()), when(Shop::refund).returns(()));
        sim.mock(&release);
        sim.mock(&refund);
        let outside = Outside::default();
        let of_shop = outside.clone();
        sim.workflow(move || Shop { outside: of_shop.clone() });
        let shop = sim.start::<Shop>("a", Unpaid { order: 13 }).await?;
        shop.send(Paid).await?;
        assert!(matches!(shop.outcome().await?, ShopOutcome::GivenUp(_)));
        assert_eq!((release.attempts(), refund.attempts()), (1, 1));
        assert_eq!(outside.done(), ["charged 13", "reserved 13"]);
        Ok(())
    });
}

/// Orders whose bank fails at first, and whose stock is empty.
async fn mocked(sim: Sim) -> Result<(Vec<String>, Vec<String>)> {
    let pay = when(Order::pay).fails_times(2, "busy").panics("oh").times(1).then("paid".into()).takes("1s");
    let reserve = when(Order::reserve).fails(NoStock { left: 0 }).times(1).only_for("b").returns("taken".into());
    sim.mock(&pay);
    sim.mock(&reserve);
    sim.workflow(|| Fulfilment { bank: FakeBank });
    let mut outcomes = Vec::new();
    for id in ["a", "b", "c"] {
        outcomes.push(fulfilled(&sim, id).await?);
    }
    let told = pay
        .all_attempts()
        .iter()
        .chain(&reserve.calls())
        .map(|call| format!("{} {}", call.id(), call.attempt))
        .collect();
    Ok((outcomes, told))
}

#[test]
fn a_crash_changes_nothing_of_what_a_mock_says_and_counts() {
    let (outcomes, told) = Sim::run(0, mocked);
    assert_eq!(outcomes[1], "stock: only 0 left");
    assert_eq!(told, ["a 1", "a 2", "a 3", "a 4", "c 1", "b 1"]);
    let report = CrashTest::new().pairs(150).run(mocked);
    assert!(report.steps > 10 && report.pairs == 150, "{report}");
}

#[test]
fn what_is_tried_again_by_hand_is_a_new_attempt() {
    let report = crash_everywhere(|sim| async move {
        let weigh = when(Order::weigh).fails_times(2, "no scale").then(5);
        sim.mock(&weigh);
        sim.workflow(|| Fulfilment { bank: FakeBank });
        let run = sim.start::<Order>("a", order()).await?;
        for _ in 0..2 {
            assert!(matches!(run.outcome().await, Err(EngineError::Parked { .. })));
            run.retry("there is one now").await?;
        }
        let outcome = told(run.outcome().await)?;
        Ok((outcome, weigh.attempts(), weigh.calls().len()))
    });
    assert!(report.single > 20, "{report}");
}

#[test]
fn a_crash_by_hand_is_survived_too() {
    Sim::run(1, |sim| async move {
        let pay = when(Order::pay).fails_times(1, "busy").then("paid".into()).takes("4s");
        sim.mock(&pay);
        sim.workflow(|| Fulfilment { bank: FakeBank });
        let run = sim.start::<Order>("a", order()).await?;
        sim.advance("2s").await;
        sim.crash().await;
        assert_eq!((sim.attempts("pay"), pay.attempts()), (1, 1));
        run.outcome().await?;
        assert_eq!((sim.attempts("pay"), pay.attempts()), (3, 2), "the first one was made twice, and is one");
        Ok(())
    });
}

#[test]
fn a_mock_that_is_never_called_is_a_failure() {
    let told = panics(|| with(|sim| sim.mock(when(Shop::charge).returns(1))));
    for part in [
        "the mock of `charge` of `Shop` was never called",
        "the steps that were called are `pay` of `Fulfilment`, `reserve` of `Fulfilment`",
        "`.optional()`",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    let told = panics(|| with(|sim| sim.mock(when(tell).returns(1).only_for("b"))));
    assert!(told.contains("the mock of `tell` for `b` was never called"), "{told}");
    assert_eq!(with(|sim| sim.mock(when(Shop::charge).returns(1).optional())), "2 kettle fake 6 6");
    let nothing = panics(|| {
        Sim::run(1, |sim| async move {
            sim.mock(when(tell));
            Ok(())
        });
    });
    assert!(nothing.contains("no step was called at all"), "{nothing}");
    let crashed = panics(|| {
        crash_everywhere(|sim| async move {
            sim.mock(when(Shop::charge).returns(1));
            sim.workflow(|| Fulfilment { bank: FakeBank });
            Ok(fulfilled(&sim, "a").await?)
        })
    });
    assert!(crashed.contains("fails without a crash already") && crashed.contains("never called"), "{crashed}");
}

#[test]
fn a_step_has_one_mock() {
    let told = panics(|| {
        with(|sim| {
            sim.mock(when(tell).returns(1));
            sim.mock(when(tell).returns(2));
        })
    });
    assert!(told.contains("`tell` has a mock already") && told.contains("`only_for`"), "{told}");
    let told = panics(|| {
        with(|sim| {
            sim.mock(when(Order::pay).only_for("a").only_for("b"));
            sim.mock(when(Order::pay).only_for("b"));
        })
    });
    assert!(told.contains("`pay` of `Fulfilment` for `b` has a mock already"), "{told}");
    let twice = when(tell).returns(1);
    with(|sim| sim.mock(&twice));
    let told = panics(|| with(|sim| sim.mock(&twice)));
    assert!(told.contains("in another world already: make it inside the scenario"), "{told}");
}

async fn no_step(_: &Cx, _: u32) -> Result<u32> {
    Ok(1)
}

#[test]
fn what_is_no_step_is_told_so() {
    let told = panics(|| when(Order::fulfil));
    for part in ["`fulfil` is no step of `Fulfilment`", "the steps of `Fulfilment` are `reserve`, `pay`, `weigh`"] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    let told = panics(|| when(Shop::parts));
    assert!(told.contains("`parts` is no step of `Shop`"), "{told}");
    let told = panics(|| when(no_step));
    assert!(told.contains("`no_step` is no step, so it cannot be mocked: put `#[step]` on it"), "{told}");
    let told = panics(|| when(|cx: &'static Cx, item: &'static str| tell(cx, &Client, item)));
    assert!(told.contains("which has no name: name the step itself"), "{told}");
}

#[test]
fn an_answer_that_nothing_would_come_to_is_told_so() {
    let told = panics(|| when(tell).returns(1).returns(2));
    assert!(told.contains("the mock of `tell` says something after an answer for all attempts"), "{told}");
    let told = panics(|| when(tell).times(2));
    assert!(told.contains("`times(2)` of the mock of `tell` comes after no answer"), "{told}");
    let told = panics(|| when(tell).returns(1).takes("a while"));
    assert!(told.contains("\"a while\" is no length of time"), "{told}");
    let told = panics(|| when(Order::weigh).returns(1).clone().calls()[0].clone());
    assert!(told.contains("index out of bounds"), "{told}");
}
