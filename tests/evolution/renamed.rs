//! Steps that have another name now: what is recorded under the old one is found.

use std::sync::Arc;

use workflow_runtime::Status;

use super::world::{Calls, World, settle, test};

mod before {
    use super::Calls;
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Order;
    #[state(end)]
    pub struct Shipped {
        pub receipts: Vec<String>,
    }
    #[state(end)]
    pub struct Cancelled;

    pub struct Trade {
        pub calls: Calls,
    }

    #[workflow(start = Order, allow(fragile_step))]
    impl Trade {
        #[state]
        async fn trade(&self, cx: &Cx, _: Order) -> Result<Next<(Shipped, Unwind<Cancelled>)>> {
            let first = self.charge(cx, 1).await?;
            let second = self.charge(cx, 2).await?;
            let third = self.charge(cx, 2).await?;
            self.fail().map(|()| goto(Shipped { receipts: vec![first, second, third] }))
        }

        #[step(undo = refund)]
        async fn charge(&self, cx: &Cx, euros: u32) -> Result<String> {
            self.calls.lock().unwrap().push(format!("charge {euros}"));
            cx.step("inside", async || Ok::<(), Error>(())).await?;
            Ok(format!("{euros} by charge"))
        }

        async fn refund(&self, _: &Cx, receipt: String) -> Result<()> {
            self.calls.lock().unwrap().push(format!("refund {receipt}"));
            Ok(())
        }
    }

    impl Trade {
        fn fail(&self) -> Result<()> {
            Err(Error::msg("not yet"))
        }
    }
}

mod after {
    use super::Calls;
    pub use super::before::{Cancelled, Order, Shipped};
    use workflow_runtime::prelude::*;

    pub struct Trade {
        pub calls: Calls,
        pub unwinds: bool,
    }

    #[workflow(start = Order, allow(fragile_step))]
    impl Trade {
        #[state]
        async fn trade(&self, cx: &Cx, _: Order) -> Result<Next<(Shipped, Unwind<Cancelled>)>> {
            let first = self.pay(cx, 1).await?;
            let second = self.pay(cx, 2).await?;
            let third = self.pay(cx, 2).await?;
            let fourth = self.pay(cx, 4).await?;
            match self.unwinds {
                true => Ok(unwind(Cancelled)),
                false => Ok(goto(Shipped { receipts: vec![first, second, third, fourth] })),
            }
        }

        #[step(undo = pay_back, was("collect", "charge"))]
        async fn pay(&self, _: &Cx, euros: u32) -> Result<String> {
            self.calls.lock().unwrap().push(format!("pay {euros}"));
            Ok(format!("{euros} by pay"))
        }

        async fn pay_back(&self, _: &Cx, receipt: String) -> Result<()> {
            self.calls.lock().unwrap().push(format!("pay back {receipt}"));
            Ok(())
        }
    }
}

async fn parked(world: &World) {
    let old = world.engine_of(before::Trade { calls: Arc::clone(&world.calls) }).await;
    let trade = old.start::<before::Trade>("a", before::Order).await.unwrap();
    trade.outcome().await.unwrap_err();
    old.shutdown().await.unwrap();
    assert_eq!(world.calls(), ["charge 1", "charge 2", "charge 2"]);
    world.calls.lock().unwrap().clear();
}

#[test]
fn a_check_finds_its_results_and_undos_under_the_old_name() {
    test(async {
        let world = World::default();
        parked(&world).await;
        let after = after::Trade { calls: Arc::clone(&world.calls), unwinds: false };
        let report = world.builder().workflow(after).check().await.unwrap();
        assert!(report.is_fit(), "{report}");
        let told = report.to_string();
        assert!(!told.contains("charge"), "{told}");
        assert_eq!(world.calls(), [""; 0], "nothing was run");
    });
}

#[test]
fn its_results_are_found_under_the_old_name() {
    test(async {
        let world = World::default();
        parked(&world).await;
        let engine = world.engine_of(after::Trade { calls: Arc::clone(&world.calls), unwinds: false }).await;
        let trade = engine.execution::<after::Trade>("a").unwrap();
        trade.retry().await.unwrap();
        let after::TradeOutcome::Shipped(shipped) = trade.outcome().await.unwrap() else { panic!("cancelled") };
        assert_eq!(shipped.receipts, ["1 by charge", "2 by charge", "2 by charge", "4 by pay"]);
        assert_eq!(world.calls(), ["pay 4"]);
        let history = trade.history(0, 100).await.unwrap();
        assert!(!format!("{history:?}").contains("unclaimed: [\""), "{history:?}");
    });
}

#[test]
fn what_was_done_under_the_old_name_is_undone() {
    test(async {
        let world = World::default();
        parked(&world).await;
        let engine = world.engine_of(after::Trade { calls: Arc::clone(&world.calls), unwinds: true }).await;
        let trade = engine.execution::<after::Trade>("a").unwrap();
        trade.retry().await.unwrap();
        assert!(matches!(trade.outcome().await.unwrap(), after::TradeOutcome::Cancelled(_)));
        assert_eq!(
            world.calls(),
            ["pay 4", "pay back 4 by pay", "pay back 2 by charge", "pay back 2 by charge", "pay back 1 by charge"]
        );
    });
}

/// The step is gone, and nothing says what replaces it.
mod without {
    pub use super::before::{Cancelled, Order, Shipped};
    use workflow_runtime::prelude::*;

    pub struct Trade;

    #[workflow(start = Order)]
    impl Trade {
        #[state]
        fn trade(&self, _: Order) -> Next<(Shipped, Unwind<Cancelled>)> {
            match std::env::args().count() {
                0 => goto(Shipped { receipts: Vec::new() }),
                _ => unwind(Cancelled),
            }
        }
    }
}

#[test]
fn an_undo_that_has_gone_parks_with_what_to_do() {
    test(async {
        let world = World::default();
        parked(&world).await;
        let engine = world.engine_of(without::Trade).await;
        let trade = engine.execution::<without::Trade>("a").unwrap();
        trade.retry().await.unwrap();
        settle(&engine).await;
        let record = world.store.load(&record_key()).await.unwrap().unwrap().record;
        assert_eq!(record.status(), Status::Parked);
        let text = record.parked.unwrap().error.to_string();
        assert!(text.contains("the workflow has no step `charge` with an `undo` any more"), "{text}");
        assert!(text.contains("`was = \"charge\"`"), "{text}");
        engine.shutdown().await.unwrap();
        // With the step back, it goes on.
        let engine = world.engine_of(after::Trade { calls: Arc::clone(&world.calls), unwinds: true }).await;
        let trade = engine.execution::<after::Trade>("a").unwrap();
        trade.retry().await.unwrap();
        assert!(matches!(trade.outcome().await.unwrap(), after::TradeOutcome::Cancelled(_)));
        assert_eq!(world.calls(), ["pay back 2 by charge", "pay back 2 by charge", "pay back 1 by charge"]);
    });
}

fn record_key() -> workflow_runtime::ExecutionKey {
    workflow_runtime::ExecutionKey { workflow: "Trade".into(), ..super::world::key("a") }
}
