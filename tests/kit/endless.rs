//! Scenarios that do not end, or end badly: what is said of them.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{CrashTest, Fault, FaultyStore, Sim};
use workflow_runtime::{EngineError, Schedule};

use super::fixture::*;
use super::planted::panics;

#[state]
#[derive(Debug)]
pub struct Begun {
    pub goes_round: bool,
}
#[state]
#[derive(Debug)]
pub struct Round;
#[state]
#[derive(Debug)]
pub struct Stuck;
#[state(end)]
#[derive(Debug)]
pub struct Over;
#[event]
pub struct Enough;

/// Goes round and round, or waits in a step for ever.
pub struct Endless;

#[workflow(start = Begun, allow(fragile_step, endless_wait))]
impl Endless {
    #[state]
    fn begin(&self, begun: Begun) -> Next<(Round, Stuck)> {
        if begun.goes_round { goto(Round) } else { goto(Stuck) }
    }

    #[state]
    fn round(&self, round: Round) -> Round {
        round
    }

    #[state]
    async fn stuck(&self, cx: &Cx, _: Stuck) -> Result<Over> {
        self.hang(cx).await?;
        Ok(Over)
    }

    #[on]
    fn enough(&self, _: Round, _: Enough) -> Over {
        Over
    }

    #[step]
    async fn hang(&self, _: &Cx) -> Result<()> {
        std::future::pending().await
    }
}

#[test]
fn an_outcome_that_never_comes_is_told_with_who_waits_for_what() {
    let told = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Endless);
            sim.workflow(|| Shop { outside: Outside::default() });
            // What ticks on and on does not hide that nothing comes of it.
            sim.with("a schedule", |engine| async move {
                engine.schedule("monthly", Schedule::every("30d").start::<Shop>(Unpaid { order: 1 })).await
            })
            .await?;
            let endless = sim.start::<Endless>("a", Begun { goes_round: false }).await?;
            endless.outcome().await?;
            Ok(())
        });
    });
    for part in [
        "the simulation with seed 1 failed: the scenario does not end: it has waited for 366d of virtual time",
        "it waits for the outcome of Endless/a",
        "Endless/a in `stuck` (visit 2): its handler runs",
        "step `hang` of Endless/a runs since +00.000",
        "WorkflowSchedule/monthly in `active`",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
}

#[test]
fn what_goes_round_without_time_passing_is_given_up() {
    let told = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Endless);
            sim.patience(Duration::from_secs(60), 1_000);
            let endless = sim.start::<Endless>("a", Begun { goes_round: true }).await?;
            endless.outcome().await?;
            Ok(())
        });
    });
    assert!(told.contains("something goes round and round, 1000 commits"), "{told}");
    assert!(told.contains("Endless/a in `round`"), "{told}");
}

#[test]
fn what_waits_for_something_that_no_simulation_knows_is_told_so() {
    let told = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Shop { outside: Outside::default() });
            let order = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
            order.park("to be looked at").await?;
            std::future::pending::<()>().await;
            Ok(())
        });
    });
    assert!(told.contains("it waits for something of its own"), "{told}");
    assert!(told.contains("Shop/a in `unpaid` (visit 1): is parked"), "{told}");
}

#[test]
fn what_waits_for_an_event_is_told_with_its_name() {
    let told = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Shop { outside: Outside::default() });
            sim.patience(Duration::from_secs(3_600), 1_000);
            sim.start::<Shop>("a", Unpaid { order: 1 }).await?.outcome().await?;
            Ok(())
        });
    });
    assert!(told.contains("waits for the event `paid`; `remind` is due at +3d 00:00:00.000"), "{told}");
}

#[test]
fn a_panic_and_an_error_are_told_with_the_point() {
    let broken = |panics: bool| {
        move |sim: Sim| async move {
            sim.workflow(|| Shop { outside: Outside::default() });
            let order = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
            order.send(Paid).await?;
            order.outcome().await?;
            let crashes = sim.events().iter().filter(|(_, event)| format!("{event:?}").starts_with("Crashed")).count();
            assert!(!panics || crashes == 0, "the scenario has seen {crashes} crashes");
            if crashes > 0 { Err(Error::msg("boom").context("the scenario looks")) } else { Ok(()) }
        }
    };
    let told = panics(|| CrashTest::new().run(broken(true)));
    assert!(told.contains("the scenario panicked: the scenario has seen 1 crashes"), "{told}");
    assert!(told.contains("where: seed=0,before=1") && told.contains("dies at the start of Shop/a"), "{told}");
    let told = panics(|| CrashTest::new().run(broken(false)));
    assert!(told.contains("the scenario failed: the scenario looks: boom"), "{told}");
}

#[test]
fn mistakes_in_the_use_are_told() {
    let late = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Endless);
            sim.start::<Endless>("a", Begun { goes_round: false }).await?;
            sim.workflow(|| Shop { outside: Outside::default() });
            Ok(())
        });
    });
    assert!(late.contains("`workflow` comes too late"), "{late}");
    let unknown = panics(|| {
        Sim::run(1, |sim| async move {
            sim.start::<Endless>("a", Begun { goes_round: false }).await?;
            Ok(())
        });
    });
    assert!(unknown.contains("the engine has no workflow `Endless`") || unknown.contains("Endless"), "{unknown}");
    let twice = panics(|| {
        Sim::run(1, |sim| async move {
            sim.workflow(|| Endless);
            sim.workflow(|| Endless);
            sim.start::<Endless>("a", Begun { goes_round: false }).await?;
            Ok(())
        });
    });
    assert!(twice.contains("the engine cannot be started") && twice.contains("Endless"), "{twice}");
    let text = panics(|| {
        Sim::run(1, |sim| async move {
            sim.advance("a while").await;
            Ok(())
        });
    });
    assert!(text.contains("\"a while\" is no length of time"), "{text}");
    let course = panics(|| CrashTest::new().only("before=x").run(|_| async { Ok(()) }));
    assert!(course.contains("names no run") && course.contains("seed=7,before=5"), "{course}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let nested = panics(|| runtime.block_on(async { Sim::run(1, |_| async { Ok(()) }) }));
    assert!(nested.contains("a plain `#[test] fn`"), "{nested}");
}

#[test]
fn a_point_that_there_is_not_is_told_so() {
    let told = panics(|| {
        CrashTest::new().only("seed=3,after=900").run(|sim: Sim| async move {
            sim.workflow(|| Endless);
            sim.start::<Endless>("a", Begun { goes_round: false }).await?;
            Ok(())
        })
    });
    assert!(told.starts_with("the scenario does not come to this crash"), "{told}");
    assert!(told.contains("ended before it came to `after=900`: there were 2 writes"), "{told}");
}

#[test]
fn a_store_that_fails_is_an_error_to_whoever_asks() {
    Sim::run(1, |sim| async move {
        let store = FaultyStore::in_memory().at(2, Fault::Full);
        let disk = store.clone();
        sim.store(move || Ok(store.reopen()));
        sim.workflow(|| Shop { outside: Outside::default() });
        let order = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
        assert!(matches!(order.send(Paid).await, Err(EngineError::Store(_))));
        assert!(matches!(order.outcome().await, Err(EngineError::Store(_))), "the engine has stopped");
        sim.crash().await;
        order.send(Paid).await?;
        assert!(matches!(order.outcome().await?, ShopOutcome::Delivered(_)));
        assert_eq!(disk.suffered(), [Fault::Full]);
        Ok(())
    });
}

#[test]
fn a_disk_that_stays_full_is_no_hang() {
    let told = panics(|| {
        Sim::run(1, |sim| async move {
            let store = FaultyStore::in_memory().from(2, Fault::Full);
            sim.store(move || Ok(store.reopen()));
            sim.workflow(|| Shop { outside: Outside::default() });
            sim.supervised();
            let order = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
            order.send(Paid).await?;
            Ok(())
        });
    });
    assert!(told.contains("the engine cannot be started") && told.contains("the disk of the store is full"), "{told}");
}
