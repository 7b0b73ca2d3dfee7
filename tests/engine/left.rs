//! Requests by hand that come just before their execution ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::{Engine, EngineError, HistoryKind};

use super::fixture::{settle, test};
use super::lagging::Lagging;

#[state]
pub struct Open;

#[state(end)]
pub struct Closed;

#[event]
pub struct Close;

pub struct Case;

#[workflow(start = Open, allow(endless_wait))]
impl Case {
    #[on]
    fn closed(&self, _: Open, _: Close) -> Closed {
        Closed
    }
}

#[test]
fn who_is_told_that_it_is_done_was_heard_and_who_was_not_is_told_that_it_has_ended() {
    test(async {
        let mut left = 0;
        for pause in 0..70 {
            let store = Lagging::new();
            let engine = Engine::on(Arc::clone(&store) as Arc<dyn Store>).workflow(Case).start().await.unwrap();
            let case = engine.start::<Case>("c", Open).await.unwrap();
            settle(&engine).await;
            store.lag.commit.store(20, Ordering::Relaxed);
            store.lag.load.store(5, Ordering::Relaxed);
            let later = async {
                for _ in 0..pause {
                    tokio::task::yield_now().await;
                }
                case.park("wait").await
            };
            let (ended, parked) = futures::join!(case.terminate("enough"), later);
            ended.unwrap();
            let rows = case.history(0, 99).await.unwrap();
            let is_left = |kind: &HistoryKind| matches!(kind, HistoryKind::EventLeft { .. });
            let events_left = rows.iter().filter(|row| is_left(&row.record.kind)).count();
            match parked {
                Ok(()) => assert_eq!(events_left, 0, "pause {pause}: it was told that it is parked"),
                Err(error) => assert!(matches!(error, EngineError::Ended { .. }), "pause {pause}: {error}"),
            }
            left += events_left;
        }
        assert!(left > 0, "in none of them had the execution a request when it ended");
    });
}
