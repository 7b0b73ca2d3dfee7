//! What a stack of steps that are to be undone costs, as it grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use workflow_runtime::Engine;
use workflow_runtime::prelude::*;
use workflow_runtime::stores::MemoryStore;

use super::load::{self, settle};
use super::tally::Tallied;

#[state]
pub struct Collecting {
    left: u64,
}

#[state]
pub struct Collected;

#[state(end)]
pub struct Returned;

#[event]
pub struct Collect {
    pub rounds: u64,
}

#[event]
pub struct GiveBack;

/// A visit for each thing that it takes, all of which it may have to give back.
pub struct Collection {
    returned: Arc<AtomicU64>,
}

#[workflow(start = Collected, allow(endless_wait, fragile_step, small_machine))]
impl Collection {
    #[on]
    fn begin(&self, _: Collected, collect: Collect) -> Collecting {
        Collecting { left: collect.rounds }
    }

    #[state]
    async fn collect(&self, cx: &Cx, collecting: Collecting) -> Result<Next<(Collecting, Collected)>> {
        self.take(cx, 7).await?;
        match collecting.left.checked_sub(1) {
            Some(left) if left > 0 => Ok(goto(Collecting { left })),
            _ => Ok(goto(Collected)),
        }
    }

    #[on]
    fn give_back(&self, _: Collected, _: GiveBack) -> Unwind<Returned> {
        Unwind(Returned)
    }

    #[step(undo = put_back)]
    async fn take(&self, _: &Cx, thing: u64) -> Result<u64> {
        Ok(thing)
    }

    async fn put_back(&self, _: &Cx, _: u64) -> Result<()> {
        self.returned.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A commit with a thousand steps below it writes what the first did, and so does the undo of each; what is read to undo
/// them is read but once.
///
/// When it breaks: the stack, or a part of it, is in the record again (`kernel/stack.rs`, `record/execution.rs`).
#[test]
fn a_commit_writes_no_more_with_a_thousand_steps_to_undo() {
    const ROUNDS: u64 = 100;
    const PARTS: u64 = 11;
    let (store, tally) = Tallied::on(MemoryStore::new());
    let returned = Arc::new(AtomicU64::new(0));
    load::run(async {
        let workflow = Collection { returned: Arc::clone(&returned) };
        let engine = Engine::on(store).workflow(workflow).start().await.unwrap();
        let collection = engine.start::<Collection>("a", Collected).await.unwrap();
        settle(&engine).await;
        let mut written = Vec::new();
        for _ in 0..PARTS {
            tally.bytes.store(0, Ordering::Relaxed);
            collection.send(Collect { rounds: ROUNDS }).await.unwrap();
            settle(&engine).await;
            written.push(tally.bytes.load(Ordering::Relaxed) / ROUNDS);
        }
        let (first, last) = (written[0], written[written.len() - 1]);
        println!("{first} bytes a visit at first, {last} with {} steps to undo", PARTS * ROUNDS);
        assert_eq!(collection.record().await.unwrap().left_to_undo(), PARTS * ROUNDS);
        assert!(last * 100 <= first * 103, "{first} bytes a visit at first, {last} in the end: {written:?}");

        tally.bytes.store(0, Ordering::Relaxed);
        tally.loads.store(0, Ordering::Relaxed);
        collection.send(GiveBack).await.unwrap();
        settle(&engine).await;
        let CollectionOutcome::Returned(_) = collection.outcome().await.unwrap();
        assert_eq!(returned.load(Ordering::Relaxed), PARTS * ROUNDS);
        let each = tally.bytes.load(Ordering::Relaxed) / (PARTS * ROUNDS);
        let loads = tally.loads.load(Ordering::Relaxed);
        println!("{each} bytes and {loads} loads to undo {}", PARTS * ROUNDS);
        assert!(each <= first, "{each} bytes to undo a step, and {first} to do one");
        assert!(loads <= PARTS * ROUNDS / 60 + 5, "{loads} loads");
    });
}
