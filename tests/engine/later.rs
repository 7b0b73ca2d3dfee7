//! Executions that begin later than they were asked for.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::record::{HistoryKind, Status};
use workflow_runtime::store::Query;
use workflow_runtime::stores::SqliteStore;
use workflow_runtime::{Clock as _, EngineError, Timestamp};

use super::fixture::{Draft, Go, Job, JobOutcome, JobState, World, settle, test};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_later_start_is_only_a_row_until_its_time_also_over_a_restart() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(SqliteStore::open(folder.path().join("later.db")).unwrap());
        let world = World::on(open());
        let engine = world.engine().await;
        let job = engine.start_after::<Job>("a", Draft { number: 1 }, HOUR).await.unwrap();
        let again = engine.start::<Job>("a", Draft { number: 2 }).await.unwrap();
        assert_eq!(again.record().await.unwrap(), job.record().await.unwrap(), "it is there already");
        settle(&engine).await;
        assert_eq!(engine.active(), 0);
        let page = engine.list(&Query::default()).await.unwrap();
        let [listed] = page.executions.as_slice() else { panic!("{page:?}") };
        assert_eq!((listed.status, listed.wake_at), (Status::Waiting, Some(Timestamp::from_millis(3_600_000))));
        // It does not interest the execution before it begins.
        job.send(Go).await.unwrap();
        settle(&engine).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(_)));
        engine.shutdown().await.unwrap();
        drop((engine, job, again));

        let World { clock, script, store } = world;
        drop(store);
        let world = World { store: open(), clock, script };
        let engine = world.engine().await;
        let job = engine.execution::<Job>("a").unwrap();
        world.clock.advance(HOUR);
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        let rows = job.history(0, 9).await.unwrap();
        assert!(
            matches!(&rows[0].record.kind, HistoryKind::Planned { to, starts_at } if to == "draft" && starts_at.as_millis() == 3_600_000)
        );
        assert!(matches!(&rows[1].record.kind, HistoryKind::Started { .. }));
        assert_eq!(rows[1].record.at.as_millis(), 3_600_000);
    });
}

#[test]
fn the_timers_of_the_start_state_count_from_the_start() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let at = world.clock.now() + HOUR;
        let job = engine.start_at::<Job>("a", Draft { number: 1 }, at).await.unwrap();
        world.pass(&engine, HOUR + HOUR / 2).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(_)), "its hour is not over");
        world.pass(&engine, HOUR / 2).await;
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Cancelled(_)));
    });
}

#[test]
fn a_start_that_is_over_is_one_at_once_and_one_to_come_can_be_cancelled() {
    test(async {
        let world = World::default();
        world.clock.advance(HOUR);
        let engine = world.engine().await;
        let now = engine.start_at::<Job>("now", Draft { number: 1 }, Timestamp::EPOCH).await.unwrap();
        now.send(Go).await.unwrap();
        assert!(matches!(now.outcome().await.unwrap(), JobOutcome::Done(_)));
        let later = engine.start_after::<Job>("later", Draft { number: 1 }, HOUR).await.unwrap();
        later.cancel("not needed").await.unwrap();
        assert!(matches!(later.outcome().await, Err(EngineError::Cancelled { .. })));
        world.pass(&engine, HOUR + HOUR).await;
        assert_eq!(later.history(0, 9).await.unwrap().len(), 4, "planned, asked for, unwound, closed");
    });
}
