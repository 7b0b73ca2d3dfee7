//! All executions of a query are brought to the present version, and not one by one when they are touched.

use workflow_runtime::store::Query;
use workflow_runtime::{ErrorKind, Status};

use super::world::{Payment, World, settle, test, v1, v2, v3};

#[test]
fn ten_thousand_are_migrated_a_page_at_a_time_while_others_run() {
    test(async {
        let world = World::default();
        let old = world.engine_of(world.v1()).await;
        let sales = (0..10_000).map(|number| (format!("sale-{number}"), v1::Pending { euros: number % 10 }));
        assert_eq!(old.start_all::<v1::Sale, _>(sales).await.unwrap(), 10_000);
        old.shutdown().await.unwrap();

        let engine = world.builder().max_active(8).workflow(world.v2()).start().await.unwrap();
        let paying = engine.clone();
        // Some are paid for while all are migrated.
        let paid = tokio::spawn(async move {
            for number in (0..10_000).step_by(100) {
                let sale = paying.execution::<v2::Sale>(format!("sale-{number}")).unwrap();
                sale.send(Payment).await.unwrap();
            }
        });
        let report = engine.migrate_all(&Query::of::<v2::Sale>()).await.unwrap();
        paid.await.unwrap();
        settle(&engine).await;
        assert_eq!((report.kept, report.failed), (0, 0));
        assert!(report.migrated >= 9_900, "{report}");
        assert!(engine.list(&Query::of::<v2::Sale>().version(1)).await.unwrap().executions.is_empty());
        for number in (0..10_000).step_by(97) {
            let id = format!("sale-{number}");
            assert_eq!(world.migrations(&id).await.len(), 1, "{id}");
            let cents = match engine.execution::<v2::Sale>(&id).unwrap().state().await.unwrap() {
                v2::SaleState::Pending(pending) => pending.cents,
                v2::SaleState::Shipping(shipping) => shipping.cents,
                v2::SaleState::Shipped(shipped) => panic!("{shipped:?}"),
            };
            assert_eq!(cents, number % 10 * 100, "{id}");
        }
        // A second time, there is nothing to do.
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().migrated, 0);
    });
}

#[test]
fn those_that_fail_are_named_and_the_others_done() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 1), ("b", 13), ("c", 66), ("d", 4)]).await;
        let engine = world.engine_of(world.v2()).await;
        let report = engine.migrate_all(&Query::default().limit(1)).await.unwrap();
        assert_eq!(report.to_string(), "2 migrated, 0 kept, 2 failed");
        let failed: Vec<_> = report.why_failed.iter().map(|(key, error)| (key.id.as_str(), error.kind)).collect();
        assert_eq!(failed, [("b", ErrorKind::Migration), ("c", ErrorKind::Migration)]);
        assert_eq!(world.record("b").await.status(), Status::Parked);
        // They fail again, and are told of again; a newer build mends them, also without a retry.
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().failed, 2);
        engine.shutdown().await.unwrap();
        let mended = world.engine_of(v3::Sale).await;
        assert_eq!(mended.migrate_all(&Query::default()).await.unwrap().to_string(), "4 migrated, 0 kept, 0 failed");
        settle(&mended).await;
        assert_eq!(world.record("b").await.status(), Status::Waiting);
        assert!(matches!(
            mended.execution::<v3::Sale>("b").unwrap().state().await.unwrap(),
            v3::SaleState::Unpaid(unpaid) if unpaid.cents == 1_300
        ));
    });
}

#[test]
fn a_query_says_which_and_none_is_no_work() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 1), ("b", 2)]).await;
        let engine = world.engine_of(world.v2()).await;
        let none = engine.migrate_all(&Query::default().status(Status::Parked)).await.unwrap();
        assert_eq!(none.to_string(), "0 migrated, 0 kept, 0 failed");
        let newer = engine.migrate_all(&Query::default().version(2)).await.unwrap();
        assert_eq!(newer.migrated, 0);
        let all = engine.migrate_all(&Query::of::<v2::Sale>().state::<v1::Pending>()).await.unwrap();
        assert_eq!(all.migrated, 2);
    });
}

#[test]
fn timers_that_are_new_are_set_with_the_migration() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 1)]).await;
        let engine = world.engine_of(world.v2()).await;
        let handlers = |record: workflow_runtime::ExecutionRecord| -> Vec<String> {
            record.timers.into_iter().map(|timer| timer.handler.into()).collect()
        };
        assert_eq!(handlers(world.record("a").await), ["unpaid"], "nobody has touched it");
        engine.migrate_all(&Query::default()).await.unwrap();
        assert_eq!(handlers(world.record("a").await), ["unpaid", "remind"]);
    });
}
