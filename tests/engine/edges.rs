//! Edges with effects that keep the visit: each time one is taken is a call of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, ManualClock, Timestamp};

use super::fixture::{settle, test};

#[state]
#[derive(Debug, PartialEq)]
pub struct Open {
    pub notes: u32,
}

#[state(end)]
pub struct Closed;

#[event]
pub struct Note;

#[event]
pub struct Close;

pub struct Board {
    told: Arc<Mutex<Vec<String>>>,
    failures: Arc<Mutex<u32>>,
}

#[workflow(start = Open)]
impl Board {
    #[on(allow(endless_wait))]
    async fn noted(&self, cx: &Cx, open: Open, _: Note) -> Result<Stay<Open>> {
        cx.sleep(Duration::from_secs(1)).await;
        self.tell(cx).await?;
        Ok(Stay(Open { notes: open.notes + 1 }))
    }

    #[on]
    fn closed(&self, _: Open, _: Close) -> Closed {
        Closed
    }

    #[catch]
    fn untold(&self, _: Open, _: Error) -> Wait {
        Wait
    }

    #[step]
    async fn tell(&self, cx: &Cx) -> Result<()> {
        self.told.lock().unwrap().push(cx.idempotency_key());
        let mut failures = self.failures.lock().unwrap();
        match failures.checked_sub(1) {
            Some(left) => {
                *failures = left;
                Err(Error::msg("nobody is there"))
            }
            None => Ok(()),
        }
    }
}

#[test]
fn a_second_event_runs_the_steps_of_its_edge_again() {
    test(async {
        let (told, failures) = (Arc::<Mutex<Vec<_>>>::default(), Arc::default());
        let clock = ManualClock::new(Timestamp::EPOCH);
        let board = Board { told: Arc::clone(&told), failures };
        let engine = Engine::in_memory().clock(clock.clone()).workflow(board).start().await.unwrap();
        let board = engine.start::<Board>("a", Open { notes: 0 }).await.unwrap();
        for notes in 1..4 {
            board.send(Note).await.unwrap();
            settle(&engine).await;
            assert_eq!(told.lock().unwrap().len(), notes - 1, "each sleeps anew");
            clock.advance(Duration::from_secs(1));
            settle(&engine).await;
            assert_eq!(told.lock().unwrap().len(), notes);
        }
        let keys: std::collections::BTreeSet<_> = told.lock().unwrap().iter().cloned().collect();
        assert_eq!(keys.len(), 3, "each has its idempotency key");
        assert!(matches!(board.state().await.unwrap(), BoardState::Open(Open { notes: 3 })));
    });
}

#[test]
fn a_failure_that_was_caught_in_place_is_not_the_next_events() {
    test(async {
        let (told, failures) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(Mutex::new(1)));
        let clock = ManualClock::new(Timestamp::EPOCH);
        let board = Board { told: Arc::clone(&told), failures };
        let engine = Engine::in_memory().clock(clock.clone()).workflow(board).start().await.unwrap();
        let board = engine.start::<Board>("a", Open { notes: 0 }).await.unwrap();
        for _ in 0..2 {
            board.send(Note).await.unwrap();
            settle(&engine).await;
            clock.advance(Duration::from_secs(1));
            settle(&engine).await;
        }
        assert_eq!(told.lock().unwrap().len(), 2);
        assert!(matches!(board.state().await.unwrap(), BoardState::Open(Open { notes: 1 })));
    });
}
