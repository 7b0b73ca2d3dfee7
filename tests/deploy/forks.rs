//! Executions that begin where another one was, and tests that go back in time.

use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::{
    Engine, EngineBuilder, EngineError, Execution, ForkRefused, MemoryStore, Rest, SqliteStore, Stepper, block_on,
};

#[state]
pub struct Cart {
    items: u32,
}
#[state]
#[derive(Debug, PartialEq)]
pub struct Paying {
    items: u32,
    attempts: u32,
}
#[state]
pub struct Packing {
    items: u32,
    receipt: String,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Sent {
    parcel: String,
}
#[state(end)]
pub struct Withdrawn;
#[event]
pub struct Attempt;
#[event]
pub struct Pay;
#[event]
pub struct Withdraw;

type Calls = Arc<Mutex<Vec<String>>>;

/// A sale that is paid for, packed and sent.
pub struct Sale {
    calls: Calls,
}

#[workflow(start = Cart, allow(endless_wait))]
impl Sale {
    #[state]
    fn check_out(&self, cart: Cart) -> Paying {
        Paying { items: cart.items, attempts: 0 }
    }

    #[on]
    fn attempted(&self, paying: Paying, _: Attempt) -> Stay<Paying> {
        Stay(Paying { attempts: paying.attempts + 1, ..paying })
    }

    #[on]
    async fn paid(&self, cx: &Cx, paying: Paying, _: Pay) -> Result<Packing> {
        let receipt = self.charge(cx, paying.items).await?;
        Ok(Packing { items: paying.items, receipt })
    }

    #[state]
    async fn pack(&self, cx: &Cx, packing: Packing) -> Result<Sent> {
        let parcel = self.send(cx, packing.items).await?;
        Ok(Sent { parcel })
    }

    #[on]
    fn withdrawn(&self, _: Packing, _: Withdraw) -> Unwind<Withdrawn> {
        Unwind(Withdrawn)
    }

    #[step(undo = refund, allow(fragile_step))]
    async fn charge(&self, cx: &Cx, _items: u32) -> Result<String> {
        self.call(&format!("charge {}", cx.idempotency_key()));
        Ok(format!("receipt of {}", cx.id()))
    }

    async fn refund(&self, _: &Cx, receipt: String) -> Result<()> {
        self.call(&format!("refund {receipt}"));
        Ok(())
    }

    #[step(allow(fragile_step, no_undo))]
    async fn send(&self, cx: &Cx, items: u32) -> Result<String> {
        self.call(&format!("send {}", cx.idempotency_key()));
        match items {
            0 => Err(Error::msg("there is nothing to send")),
            items => Ok(format!("{items} items of {}", cx.id())),
        }
    }
}

impl Sale {
    fn call(&self, call: &str) {
        self.calls.lock().unwrap().push(call.to_owned());
    }
}

fn builder(store: &MemoryStore, calls: &Calls) -> EngineBuilder {
    Engine::on(Arc::new(store.clone())).workflow(Sale { calls: Arc::clone(calls) })
}

/// A sale that has come to its end, in four visits.
async fn sold(engine: &Engine, id: &str) -> Execution<Sale> {
    let sale = engine.start::<Sale>(id, Cart { items: 3 }).await.unwrap();
    for _ in 0..2 {
        sale.send(Attempt).await.unwrap();
    }
    sale.send(Pay).await.unwrap();
    assert!(matches!(sale.outcome().await.unwrap(), SaleOutcome::Sent(_)));
    sale
}

async fn refused(engine: &Engine, from: &str, visit: u64, id: &str) -> ForkRefused {
    match engine.fork::<Sale>(from, visit, id).await {
        Err(EngineError::CannotFork { why, .. }) => why,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[test]
fn an_execution_that_has_ended_is_forked_at_any_visit_whose_data_is_kept() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).keep_state_data(true).start().await?;
        sold(&engine, "a").await;
        let rows = engine.execution::<Sale>("a")?.history(0, 100).await?;

        // The data that the state had last: two attempts were made.
        let again = engine.fork::<Sale>("a", 2, "again").await?;
        let SaleState::Paying(paying) = again.state().await? else { panic!("another state") };
        assert_eq!(paying, Paying { items: 3, attempts: 2 });
        again.send(Pay).await?;
        let SaleOutcome::Sent(sent) = again.outcome().await? else { panic!("another end") };
        assert_eq!(sent.parcel, "3 items of again");
        let history = again.history(0, 100).await?;
        let HistoryKind::Forked { from, visit, to } = &history[0].record.kind else { panic!("{history:?}") };
        assert_eq!((from.as_str(), *visit, to.as_str()), ("a", 2, "paying"));
        let charged: Vec<_> = calls.lock().unwrap().iter().filter(|call| call.starts_with("charge")).cloned().collect();
        assert_eq!(charged.len(), 2);
        assert_ne!(charged[0], charged[1], "it has idempotency keys of its own");

        // The start state, and a fork of a fork.
        let from_start = engine.fork::<Sale>("a", 1, "from start").await?;
        from_start.send(Pay).await?;
        from_start.outcome().await?;
        let fork_of_fork = engine.fork::<Sale>("again", 1, "fork of fork").await?;
        assert!(matches!(fork_of_fork.state().await?, SaleState::Paying(_)));
        assert_eq!(engine.execution::<Sale>("a")?.history(0, 100).await?, rows, "the other is not touched");
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_fork_has_nothing_to_undo_but_what_it_does_itself() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).keep_state_data(true).start().await?;
        let sale = engine.start::<Sale>("a", Cart { items: 0 }).await?;
        sale.send(Pay).await?;
        // It is parked, as there is nothing to send; its present visit can be forked, too.
        sale.outcome().await.unwrap_err();
        let fork = engine.fork::<Sale>("a", 3, "b").await?;
        fork.outcome().await.unwrap_err();
        let fork = engine.fork::<Sale>("a", 2, "c").await?;
        fork.send(Pay).await?;
        fork.outcome().await.unwrap_err();
        for id in ["a", "b", "c"] {
            let sale = engine.execution::<Sale>(id)?;
            sale.cancel("nobody wants it").await?;
            let cancelled = loop {
                match sale.outcome().await.unwrap_err() {
                    EngineError::Parked { .. } => {}
                    cancelled => break cancelled,
                }
            };
            assert!(matches!(cancelled, EngineError::Cancelled { .. }), "{cancelled}");
        }
        engine.shutdown().await?;
        let mut refunds = calls.lock().unwrap().clone();
        refunds.retain(|call| call.starts_with("refund"));
        assert_eq!(refunds, ["refund receipt of a", "refund receipt of c"]);
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_fork_can_be_repeated_also_after_a_crash_and_an_id_is_taken_once() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).keep_state_data(true).start().await?;
        sold(&engine, "a").await;
        for _ in 0..2 {
            engine.fork::<Sale>("a", 2, "b").await?;
        }
        let both = futures::join!(engine.fork::<Sale>("a", 2, "c"), engine.fork::<Sale>("a", 2, "c"));
        both.0?;
        both.1?;
        drop(engine);
        // Without the data of the states: it is there already.
        let engine = builder(&store, &calls).start().await?;
        let fork = engine.fork::<Sale>("a", 2, "b").await?;
        assert_eq!(fork.history(0, 100).await?.len(), 1);
        for (visit, id) in [(1, "b"), (2, "a")] {
            assert!(matches!(refused(&engine, "a", visit, id).await, ForkRefused::IdTaken { .. }));
        }
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn what_cannot_be_forked_says_why_and_what_to_do() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).start().await?;
        sold(&engine, "a").await;
        let none = "none of its visits can be forked, so start a new execution";
        let why = refused(&engine, "a", 2, "b").await;
        assert!(matches!(&why, ForkRefused::NotKept { .. }) && why.to_string().ends_with(none), "{why}");
        let why = refused(&engine, "a", 4, "b").await;
        assert!(matches!(&why, ForkRefused::EndState { state, .. } if state == "sent"), "{why}");
        assert!(why.to_string().ends_with(none), "{why}");
        for visit in [0, 5, u64::MAX] {
            let why = refused(&engine, "a", visit, "b").await;
            assert_eq!(why.to_string(), format!("visits are counted from 1, and it has had 4 so far; {none}"));
        }
        let unknown = engine.fork::<Sale>("z", 1, "b").await.unwrap_err();
        assert!(matches!(unknown, EngineError::UnknownExecution { .. }), "{unknown}");
        // What waits can be forked where it is.
        let waiting = engine.start::<Sale>("waiting", Cart { items: 1 }).await?;
        waiting.send(Attempt).await?;
        while waiting.record().await?.visit < 2 || waiting.history(0, 9).await?.len() < 3 {
            tokio::task::yield_now().await;
        }
        let fork = engine.fork::<Sale>("waiting", 2, "b").await?;
        assert!(matches!(fork.state().await?, SaleState::Paying(paying) if paying.attempts == 1));
        let why = refused(&engine, "waiting", 1, "c").await;
        assert!(why.to_string().ends_with("; these of its visits can be forked: 2"), "{why}");
        // So can what was terminated there.
        waiting.terminate("enough").await?;
        let why = refused(&engine, "waiting", 7, "c").await;
        assert!(why.to_string().ends_with("; these of its visits can be forked: 2"), "{why}");
        assert!(engine.fork::<Sale>("waiting", 2, "e").await?.is_new());
        engine.shutdown().await?;

        let engine = builder(&store, &calls).keep_state_data(true).keep_history(2).start().await?;
        sold(&engine, "trimmed").await;
        for (visit, begins) in
            [(1, "that visit is not in its history any more"), (4, "`sent` is an end state"), (7, "visits")]
        {
            let why = refused(&engine, "trimmed", visit, "c").await.to_string();
            assert!(why.starts_with(begins) && why.ends_with("; these of its visits can be forked: 3"), "{why}");
        }
        assert!(engine.fork::<Sale>("trimmed", 3, "c").await?.is_new());
        assert!(!engine.fork::<Sale>("trimmed", 3, "c").await?.is_new());
        engine.shutdown().await?;

        // The one row that is kept is that of the end.
        let engine = builder(&store, &calls).keep_state_data(true).keep_history(1).start().await?;
        sold(&engine, "short").await;
        for visit in 1..=4 {
            let why = refused(&engine, "short", visit, "d").await.to_string();
            assert!(why.ends_with("none of its visits can be forked, so start a new execution"), "{visit}: {why}");
        }
        let going = engine.start::<Sale>("going", Cart { items: 1 }).await?;
        going.send(Attempt).await?;
        while going.history(0, 9).await?.first().is_none_or(|row| row.seq < 3) {
            tokio::task::yield_now().await;
        }
        let why = refused(&engine, "going", 1, "d").await.to_string();
        assert!(why.contains("have it keep more from now on") && why.ends_with("can be forked: 2"), "{why}");
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn what_can_be_forked_is_named_in_few_words_however_much_it_is() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).keep_state_data(true).start().await?;
        sold(&engine, "a").await;
        let ForkRefused::EndState { forkable, .. } = refused(&engine, "a", 4, "b").await else { panic!("it ended") };
        assert_eq!(forkable.to_string(), "these of its visits can be forked: 1 to 3");
        assert!(forkable.contains(3) && !forkable.contains(4));
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_damaged_row_is_not_believed_and_hides_no_other_visit() {
    block_on(async {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sales.db");
        let calls = Calls::default();
        let open = || Engine::sqlite(&path).workflow(Sale { calls: Arc::clone(&calls) }).keep_state_data(true);
        let engine = open().start().await?;
        sold(&engine, "a").await;
        engine.shutdown().await?;
        drop(engine);
        let file = rusqlite::Connection::open(&path)?;
        let changed =
            file.execute("UPDATE history SET body = replace(body, '\"items\":3', '\"items\":4') WHERE seq = 5", [])?;
        assert_eq!(changed, 1);
        drop(file);
        let engine = open().start().await?;
        let why = refused(&engine, "a", 3, "b").await;
        assert!(matches!(&why, ForkRefused::Damaged { reason } if reason.contains("checksum")), "{why}");
        engine.fork::<Sale>("a", 2, "b").await?;
        engine.shutdown().await?;
        drop(engine);
        drop(SqliteStore::open(&path)?);
        Result::<()>::Ok(())
    })
    .unwrap();
}

/// The same workflow, as it was written later: a state is gone, and one has other fields.
mod later {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Cart {
        pub items: String,
    }
    #[state(end)]
    pub struct Sent;

    pub struct Sale;

    #[workflow(start = Cart, allow(small_machine))]
    impl Sale {
        #[state]
        fn check_out(&self, _: Cart) -> Sent {
            Sent
        }
    }
}

#[test]
fn data_that_the_code_cannot_read_begins_nothing() {
    block_on(async {
        let (store, calls) = (MemoryStore::new(), Calls::default());
        let engine = builder(&store, &calls).keep_state_data(true).start().await?;
        sold(&engine, "a").await;
        engine.shutdown().await?;
        drop(engine);
        let engine = Engine::on(Arc::new(store)).workflow(later::Sale).start().await?;
        for (visit, what) in [(1, "data of `cart` cannot be read by this code: invalid type"), (2, "no state `paying`")]
        {
            let why = engine.fork::<later::Sale>("a", visit, "b").await.unwrap_err();
            assert!(why.to_string().contains(what), "{why}");
        }
        assert!(engine.execution::<later::Sale>("b")?.record().await.is_err());
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_stepper_goes_back_to_a_visit_and_another_way_from_there() {
    block_on(async {
        let calls = Calls::default();
        let mut sale = Stepper::start(Sale { calls: Arc::clone(&calls) }, Cart { items: 3 })?;
        sale.run().await?;
        sale.advance(std::time::Duration::from_secs(60)).await?;
        sale.send(Attempt).await?;
        assert_eq!(sale.send(Pay).await?, Rest::Ended);
        let visits: Vec<_> = sale.visits().iter().map(|visit| format!("{} {}", visit.visit, visit.state)).collect();
        assert_eq!(visits, ["1 cart", "2 paying", "3 packing", "4 sent"]);
        let history = sale.history().len();

        // What was to be undone when it began to pack is to be undone again.
        sale.back_to(3)?;
        assert_eq!(sale.now(), workflow_runtime::Timestamp::from_millis(60_000));
        assert_eq!(sale.send(Withdraw).await?, Rest::Ended);
        assert!(matches!(sale.outcome()?, Some(SaleOutcome::Withdrawn(_))));
        assert!(calls.lock().unwrap().iter().any(|call| call.starts_with("refund receipt of")));

        sale.back_to(2)?;
        assert!(matches!(sale.state()?, SaleState::Paying(Paying { attempts: 0, .. })), "as it was entered");
        assert!(sale.visits().len() == 2 && sale.history().len() < history);
        assert_eq!(sale.now(), workflow_runtime::Timestamp::EPOCH);
        sale.send(Attempt).await?;
        sale.send(Pay).await?;
        assert!(matches!(sale.outcome()?, Some(SaleOutcome::Sent(_))));
        let keys: Vec<_> = calls.lock().unwrap().iter().filter(|call| call.starts_with("charge")).cloned().collect();
        assert_eq!(keys[0], keys[1], "the same edge of the same visit has the same idempotency keys");
        for visit in [0, 9] {
            assert!(sale.back_to(visit).unwrap_err().to_string().contains("from 1 to 4"));
        }
        Result::<()>::Ok(())
    })
    .unwrap();
}
