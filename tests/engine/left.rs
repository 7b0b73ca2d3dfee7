//! Requests by hand that come just before their execution ends.

use workflow_runtime::prelude::*;
use workflow_runtime::testing::Sim;
use workflow_runtime::{EngineError, HistoryKind};

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
    let mut left = 0;
    for seed in 0..150 {
        let (parked, events_left) = Sim::run(seed, |sim| async move {
            sim.workflow(|| Case);
            sim.start::<Case>("c", Open).await?;
            let parked = sim.with("both", |engine| async move {
                let case = engine.execution::<Case>("c")?;
                let (ended, parked) = futures::join!(case.terminate("enough"), case.park("wait"));
                ended?;
                Ok::<_, EngineError>(parked)
            });
            let parked = parked.await?;
            let rows = sim.execution::<Case>("c").history().await?;
            let left = |kind: &HistoryKind| matches!(kind, HistoryKind::EventLeft { .. });
            Ok((parked, rows.iter().filter(|row| left(&row.record.kind)).count()))
        });
        match parked {
            Ok(()) => assert_eq!(events_left, 0, "seed {seed}: it was told that it is parked"),
            Err(error) => assert!(matches!(error, EngineError::Ended { .. }), "seed {seed}: {error}"),
        }
        left += events_left;
    }
    assert!(left > 0, "in none of them had the execution a request when it ended");
}
