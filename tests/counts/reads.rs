//! How often the store is asked for what it holds.

use std::sync::Arc;

use tokio::sync::Semaphore;
use workflow_runtime::Engine;
use workflow_runtime::prelude::*;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::stores::MemoryStore;

use super::load::{self, Begun, Steps, settle};
use super::tally::Tallied;

/// What waits for a place is loaded in groups, as many at a time as there are free places.
///
/// When it breaks: the scheduler (`engine/scheduler.rs`) reads executions one by one, or looks for what is due too often.
#[test]
fn a_backlog_is_read_in_groups() {
    const EXECUTIONS: u64 = 10_000;
    let (store, tally) = Tallied::on(MemoryStore::new());
    let [_, loads, looks] = load::run(async {
        let engine = load::on(store).start().await.unwrap();
        settle(&engine).await;
        tally.take();
        let starts = (0..EXECUTIONS).map(|id| (id.to_string(), Begun));
        engine.start_all::<Steps, _>(starts).await.unwrap();
        settle(&engine).await;
        tally.take()
    });
    println!("{loads} loads and {looks} looks for a backlog of {EXECUTIONS}");
    assert!(loads * 20 <= EXECUTIONS, "{loads} loads for {EXECUTIONS} executions");
    assert!(looks * 100 <= EXECUTIONS, "{looks} looks for {EXECUTIONS} executions");
}

#[state]
pub struct Open {
    asked: u32,
}

#[state]
pub struct Busy;

#[state(end)]
pub struct Closed;

#[event]
pub struct Question;

#[event]
pub struct Close;

/// Answers until it has something to do.
pub struct Desk {
    gate: Arc<Semaphore>,
}

#[workflow(start = Open, allow(endless_wait, fragile_step))]
impl Desk {
    #[on]
    fn asked(&self, open: Open, _: Question) -> Reply<u32, Stay<Open>> {
        let asked = open.asked + 1;
        reply(asked, Stay(Open { asked }))
    }

    #[on]
    fn closing(&self, _: Open, _: Close) -> Busy {
        Busy
    }

    #[state]
    async fn close(&self, cx: &Cx, _: Busy) -> Result<Closed> {
        self.tidy(cx).await?;
        Ok(Closed)
    }

    #[step]
    async fn tidy(&self, _: &Cx) -> Result<()> {
        self.gate.acquire().await?.forget();
        Ok(())
    }
}

/// To ask, the execution is loaded once, by whoever runs it. The answer is read by itself.
///
/// When it breaks: `engine/ask.rs` looks at the execution where somebody will tell it anyway.
#[test]
fn a_question_loads_the_execution_once() {
    const QUESTIONS: u32 = 20;
    let (store, tally) = Tallied::on(MemoryStore::new());
    let [_, loads, _] = load::run(async {
        let engine = Engine::on(store).workflow(Desk { gate: Arc::new(Semaphore::new(0)) }).start().await.unwrap();
        let desk = engine.start::<Desk>("a", Open { asked: 0 }).await.unwrap();
        settle(&engine).await;
        tally.take();
        for asked in 1..=QUESTIONS {
            assert_eq!(desk.ask(Question).await.unwrap(), asked);
        }
        tally.take()
    });
    assert!(loads <= u64::from(QUESTIONS), "{loads} loads for {QUESTIONS} questions");
}

/// Of an execution that runs, an event has only the events read that are new.
///
/// When it breaks: `look_at_inbox` of `engine/run.rs` loads more.
#[test]
fn an_event_for_what_runs_loads_nothing() {
    let (store, tally) = Tallied::on(MemoryStore::new());
    let gate = Arc::new(Semaphore::new(0));
    let [_, loads, _] = load::run(async {
        let engine = Engine::on(store).workflow(Desk { gate: Arc::clone(&gate) }).start().await.unwrap();
        let desk = engine.start::<Desk>("a", Open { asked: 0 }).await.unwrap();
        desk.send(Close).await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(engine.active(), 1);
        tally.take();
        for _ in 0..20 {
            // No edge of the state takes it.
            desk.send(Question).await.unwrap();
        }
        let counts = tally.take();
        gate.add_permits(1);
        let DeskOutcome::Closed(_) = desk.outcome().await.unwrap();
        let left = desk.history(0, 100).await.unwrap();
        let left = left.iter().filter(|row| matches!(row.record.kind, HistoryKind::EventLeft { .. }));
        assert_eq!(left.count(), 20, "none of them was overlooked");
        counts
    });
    assert_eq!(loads, 0);
}
