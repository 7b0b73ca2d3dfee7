//! A workflow that goes round for ever: its visits cost the same at the end as at the start.

use std::sync::{Arc, Mutex};

use workflow_runtime::Engine;
use workflow_runtime::prelude::*;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::store::{Change, Query, Store};
use workflow_runtime::stores::MemoryStore;

use super::fixture::test;
use super::hooked::{Call, Hooked};

#[state]
pub struct Ping {
    left: u32,
}

#[state]
pub struct Pong {
    left: u32,
}

#[state(end)]
pub struct Over;

#[event]
pub struct Stop;

pub struct Rally;

#[workflow(start = Ping)]
impl Rally {
    #[state]
    async fn ping(&self, cx: &Cx, ping: Ping) -> Result<Pong> {
        self.hit(cx, ping.left).await?;
        Ok(Pong { left: ping.left })
    }

    #[state]
    async fn pong(&self, cx: &Cx, pong: Pong) -> Result<Next<(Ping, Over)>> {
        self.hit(cx, pong.left).await?;
        Ok(match pong.left.checked_sub(1) {
            Some(left) => goto(Ping { left }),
            None => goto(Over),
        })
    }

    #[on]
    fn stopped(&self, _: Ping, _: Stop) -> Over {
        Over
    }

    #[step(retry(max = 2))]
    async fn hit(&self, _: &Cx, _: u32) -> Result<u32> {
        Ok(0)
    }
}

/// What one commit writes: commits of one size, whatever came before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    record_bytes: usize,
    journal: usize,
    history: usize,
    attempts: u32,
}

#[test]
fn each_of_a_hundred_thousand_visits_writes_as_much_as_the_first_ones() {
    const ROUNDS: u32 = 50_000;
    test(async {
        let written: Arc<Mutex<Vec<Written>>> = Arc::default();
        let (seen, store) = (Arc::clone(&written), MemoryStore::new());
        let hooked = Hooked::new(store.clone(), move |call| {
            let Call::Commit(commits) = call else { return Ok(()) };
            for commit in commits {
                let Change::Advance { advance, .. } = &commit.change else { continue };
                let record = advance.record.as_ref().map(|record| serde_json::to_string(record).unwrap());
                let attempts = advance.history.iter().map(|row| match row.kind {
                    HistoryKind::Transition { attempts, .. } => attempts,
                    _ => 0,
                });
                seen.lock().unwrap().push(Written {
                    record_bytes: record.map_or(0, |record| record.len()),
                    journal: advance.journal.len() + advance.forget.len() + advance.consumed.len(),
                    history: advance.history.len(),
                    attempts: attempts.sum(),
                });
            }
            Ok(())
        });
        let engine = Engine::on(hooked).workflow(Rally).start().await.unwrap();
        let rally = engine.start::<Rally>("a", Ping { left: ROUNDS - 1 }).await.unwrap();
        rally.outcome().await.unwrap();
        let written = std::mem::take(&mut *written.lock().unwrap());
        // One commit for each visit: the last result of one and its transition are one.
        assert_eq!(written.len(), 2 * ROUNDS as usize);
        let (early, late) = (written[100], written[2 * ROUNDS as usize - 100]);
        // Numbers that count down, and the visit that counts up, are a few digits longer or shorter.
        assert!(late.record_bytes.abs_diff(early.record_bytes) < 20, "{early:?} {late:?}");
        assert_eq!(Written { record_bytes: 0, ..early }, Written { record_bytes: 0, ..late });
        assert_eq!((late.journal, late.history, late.attempts), (0, 1, 1));

        let key = engine.list(&Query::default()).await.unwrap().executions[0].key();
        let stored = store.load(&key).await.unwrap().unwrap();
        assert_eq!((stored.journal.len(), stored.inbox.len()), (0, 0));
        assert_eq!(stored.record.visit, u64::from(2 * ROUNDS) + 1);
    });
}

#[test]
fn events_that_are_taken_leave_nothing_to_read() {
    test(async {
        let (reads, store) = (Arc::new(Mutex::new(Vec::new())), MemoryStore::new());
        let inner = store.clone();
        let seen = Arc::clone(&reads);
        let hooked = Hooked::new(store, move |call| {
            if let Call::Load(key) = call {
                // The memory store answers at once.
                let stored = futures::FutureExt::now_or_never(inner.load(key)).unwrap().unwrap();
                let rows = stored.map_or(0, |stored| stored.journal.len() + stored.inbox.len());
                seen.lock().unwrap().push(rows);
            }
            Ok(())
        });
        let engine = Engine::on(hooked).workflow(Turnstile).start().await.unwrap();
        let turnstile = engine.start::<Turnstile>("a", Shut { count: 0 }).await.unwrap();
        for _ in 0..2_000 {
            turnstile.send(Coin).await.unwrap();
            turnstile.send(Push).await.unwrap();
        }
        turnstile.send(Stop).await.unwrap();
        let TurnstileOutcome::Closed(closed) = turnstile.outcome().await.unwrap();
        assert_eq!(closed.count, 2_000);
        let reads = reads.lock().unwrap();
        assert!(reads.iter().all(|rows| *rows <= 4), "what is read grows: {:?}", reads.iter().max());
    });
}

#[state]
pub struct Shut {
    count: u32,
}

#[state]
pub struct Open {
    count: u32,
}

#[state(end)]
pub struct Closed {
    count: u32,
}

#[event]
pub struct Coin;

#[event]
pub struct Push;

pub struct Turnstile;

#[workflow(start = Shut, allow(endless_wait))]
impl Turnstile {
    #[on]
    fn paid(&self, shut: Shut, _: Coin) -> Open {
        Open { count: shut.count }
    }

    #[on]
    fn passed(&self, open: Open, _: Push) -> Shut {
        Shut { count: open.count + 1 }
    }

    #[on]
    fn closed(&self, shut: Shut, _: Stop) -> Closed {
        Closed { count: shut.count }
    }
}

#[test]
fn of_a_long_history_the_last_rows_are_kept_if_the_engine_is_told_so() {
    test(async {
        let (mut histories, mut ends) = (Vec::new(), Vec::new());
        for keep in [None, Some(7), Some(0)] {
            let builder =
                Engine::in_memory().clock(workflow_runtime::ManualClock::new(workflow_runtime::Timestamp::EPOCH));
            let builder = keep.into_iter().fold(builder, workflow_runtime::EngineBuilder::keep_history);
            let engine = builder.workflow(Rally).start().await.unwrap();
            let rally = engine.start::<Rally>("a", Ping { left: 100 }).await.unwrap();
            rally.outcome().await.unwrap();
            histories.push(rally.history(0, 1_000).await.unwrap());
            ends.push(rally.record().await.unwrap());
        }
        assert_eq!(histories[0].len(), 203, "the start, and two visits a round");
        assert_eq!(histories[1], histories[0][196..], "the rows keep their places");
        assert_eq!(histories[2], histories[0][202..], "one row is the least");
        assert!(ends.iter().all(|end| *end == ends[0]));
    });
}
