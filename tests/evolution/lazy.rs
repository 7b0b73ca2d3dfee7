//! Executions of an older version are brought to the present one when they are next touched.

use workflow_runtime::store::Query;
use workflow_runtime::{ErrorKind, Status};

use super::world::{DAY, Delivery, Payment, World, settle, test, v1, v2, v3};

#[test]
fn an_execution_carries_the_version_that_it_began_with() {
    test(async {
        let world = World::default();
        world.pending(&[("old", 5)]).await;
        let engine = world.engine_of(world.v2()).await;
        engine.start::<v2::Sale>("new", v2::Pending { cents: 700 }).await.unwrap();
        settle(&engine).await;
        assert_eq!((world.version("old").await, world.version("new").await), (1, 2));
        let left = engine.list(&Query::of::<v2::Sale>().version(1)).await.unwrap().executions;
        assert_eq!(left.iter().map(|found| (found.id.as_str(), found.version)).collect::<Vec<_>>(), [("old", 1)]);
        assert_eq!((v1::SaleState::GRAPH.version, v2::SaleState::GRAPH.version), (1, 2));
    });
}

#[test]
fn an_event_migrates_it_before_it_is_taken() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 5)]).await;
        let engine = world.engine_of(world.v2()).await;
        let sale = engine.execution::<v2::Sale>("a").unwrap();
        // Reading it goes through the migration, and changes nothing.
        assert!(matches!(sale.state().await.unwrap(), v2::SaleState::Pending(pending) if pending.cents == 500));
        assert_eq!(world.version("a").await, 1);
        sale.send(Payment).await.unwrap();
        settle(&engine).await;
        assert!(matches!(sale.state().await.unwrap(), v2::SaleState::Shipping(shipping) if shipping.cents == 500));
        assert_eq!(world.migrations("a").await, [(1, 2, "pending".into(), "pending".into())]);
        assert_eq!(world.calls(), ["pack of v2", "label of v2"]);
        sale.send(Delivery).await.unwrap();
        let v2::SaleOutcome::Shipped(shipped) = sale.outcome().await.unwrap();
        assert_eq!(shipped.cents, 500);
    });
}

#[test]
fn a_timer_migrates_it_and_stays_what_it_was() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 5)]).await;
        world.clock.advance(4 * DAY);
        let engine = world.engine_of(world.v2()).await;
        let sale = engine.execution::<v2::Sale>("a").unwrap();
        world.pass(&engine, 6 * DAY - std::time::Duration::from_secs(1)).await;
        assert_eq!(world.version("a").await, 1, "nothing has touched it");
        world.pass(&engine, std::time::Duration::from_secs(2)).await;
        assert!(matches!(sale.outcome().await.unwrap(), v2::SaleOutcome::Shipped(shipped) if shipped.cents == 500));
    });
}

#[test]
fn several_versions_are_one_commit() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 5), ("review", 2_000)]).await;
        let old = world.engine_of(world.v1()).await;
        old.execution::<v1::Sale>("review").unwrap().send(Payment).await.unwrap();
        settle(&old).await;
        old.shutdown().await.unwrap();

        let engine = world.engine_of(v3::Sale).await;
        let sale = engine.execution::<v3::Sale>("a").unwrap();
        let v3::SaleState::Unpaid(unpaid) = sale.state().await.unwrap() else { panic!("another state") };
        assert_eq!((unpaid.cents, unpaid.currency.as_str()), (500, "EUR"));
        sale.send(Payment).await.unwrap();
        settle(&engine).await;
        assert_eq!(world.migrations("a").await, [(1, 3, "pending".into(), "unpaid".into())]);
        // The state is one that the third version has by its type, so that the second has none to migrate.
        let review = engine.execution::<v3::Sale>("review").unwrap();
        assert!(
            matches!(review.state().await.unwrap(), v3::SaleState::Shipping(shipping) if shipping.cents == 200_000)
        );
        review.send(Delivery).await.unwrap();
        assert!(matches!(review.outcome().await.unwrap(), v3::SaleOutcome::Shipped(_)));
        assert_eq!(world.migrations("review").await, [(1, 3, "reviewing".into(), "shipping".into())]);
    });
}

#[test]
fn what_a_removed_state_has_become_is_entered_then() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 2_000), ("b", 6_000)]).await;
        let old = world.engine_of(world.v1()).await;
        for id in ["a", "b"] {
            old.execution::<v1::Sale>(id).unwrap().send(Payment).await.unwrap();
        }
        settle(&old).await;
        old.shutdown().await.unwrap();
        world.clock.advance(100 * DAY);

        let engine = world.engine_of(world.v2()).await;
        let report = engine.migrate_all(&Query::default()).await.unwrap();
        assert_eq!(report.to_string(), "2 migrated, 0 kept, 0 failed");
        settle(&engine).await;
        // Its entry handler runs.
        assert_eq!(world.calls(), ["pack of v2", "label of v2"]);
        assert_eq!(world.migrations("a").await, [(1, 2, "reviewing".into(), "shipping".into())]);
        // The timers of the other one count from the migration, and not from the day on which its review began.
        world.pass(&engine, 9 * DAY).await;
        let late = engine.execution::<v2::Sale>("b").unwrap();
        assert!(matches!(late.state().await.unwrap(), v2::SaleState::Pending(_)));
        assert_eq!(world.calls().iter().filter(|call| *call == "reminded").count(), 4);
        world.pass(&engine, 2 * DAY).await;
        assert!(matches!(late.outcome().await.unwrap(), v2::SaleOutcome::Shipped(_)));
    });
}

#[test]
fn recorded_steps_are_not_run_again() {
    test(async {
        let world = World::default();
        // The handler of the first version fails after `pack`, and parks.
        world.pending(&[("a", 7)]).await;
        let old = world.engine_of(world.v1()).await;
        let sale = old.execution::<v1::Sale>("a").unwrap();
        sale.send(Payment).await.unwrap();
        sale.outcome().await.unwrap_err();
        old.shutdown().await.unwrap();
        assert_eq!(world.calls(), ["pack of v1"]);

        let engine = world.engine_of(world.v2()).await;
        let sale = engine.execution::<v2::Sale>("a").unwrap();
        engine.migrate_all(&Query::default()).await.unwrap();
        let record = world.record("a").await;
        assert_eq!((record.version, record.status()), (2, Status::Parked), "it stays parked");
        sale.retry().await.unwrap();
        settle(&engine).await;
        assert_eq!(world.calls(), ["pack of v1", "label of v2"]);
        sale.send(Delivery).await.unwrap();
        assert!(matches!(sale.outcome().await.unwrap(), v2::SaleOutcome::Shipped(shipped) if shipped.cents == 700));
    });
}

#[test]
fn a_migration_that_fails_parks_it_as_it_was_until_newer_code_retries() {
    test(async {
        let world = World::default();
        world.pending(&[("error", 13), ("panic", 66)]).await;
        let engine = world.engine_of(world.v2()).await;
        for (id, why) in [("error", "nobody sells for 13 euros"), ("panic", "it panicked: 66 euros")] {
            let sale = engine.execution::<v2::Sale>(id).unwrap();
            sale.send(Payment).await.unwrap();
            settle(&engine).await;
            let record = world.record(id).await;
            assert_eq!((record.version, record.state.as_str(), record.status()), (1, "pending", Status::Parked));
            let error = record.parked.unwrap().error;
            assert_eq!(error.kind, ErrorKind::Migration);
            assert_eq!(
                error.to_string(),
                format!("the migration `pending` of the state `pending` from version 1 to 2 failed: {why}")
            );
            // It fails the same way again.
            sale.retry().await.unwrap();
            settle(&engine).await;
            assert_eq!(world.record(id).await.status(), Status::Parked);
        }
        engine.shutdown().await.unwrap();

        let mended = world.engine_of(v3::Sale).await;
        for id in ["error", "panic"] {
            let sale = mended.execution::<v3::Sale>(id).unwrap();
            assert_eq!(world.version(id).await, 1, "nobody has asked for it again");
            sale.retry().await.unwrap();
            settle(&mended).await;
            // The payment was in its inbox all the time.
            assert!(matches!(sale.state().await.unwrap(), v3::SaleState::Shipping(_)), "{id}");
        }
    });
}

#[test]
fn one_that_cannot_be_migrated_can_be_cancelled_terminated_and_moved() {
    test(async {
        let world = World::default();
        world.pending(&[("cancelled", 13), ("terminated", 13), ("moved", 13)]).await;
        let engine = world.engine_of(world.v2()).await;
        let sale = |id| engine.execution::<v2::Sale>(id).unwrap();
        sale("cancelled").cancel("no").await.unwrap();
        sale("terminated").terminate("no").await.unwrap();
        sale("moved").move_to(v2::Shipping { cents: 1_300 }.into(), "by hand").await.unwrap();
        settle(&engine).await;
        assert_eq!(world.record("cancelled").await.status(), Status::Cancelled);
        assert_eq!(world.record("terminated").await.status(), Status::Terminated);
        assert_eq!(world.version("moved").await, 2);
        sale("moved").send(Delivery).await.unwrap();
        assert!(matches!(sale("moved").outcome().await.unwrap(), v2::SaleOutcome::Shipped(_)));
    });
}

#[test]
fn what_has_ended_is_read_through_the_migration_and_never_written() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 5)]).await;
        let old = world.engine_of(world.v1()).await;
        world.pass(&old, 11 * DAY).await;
        old.shutdown().await.unwrap();
        let before = world.record("a").await;
        assert_eq!(before.status(), Status::Ended);
        let engine = world.engine_of(world.v2()).await;
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().to_string(), "0 migrated, 0 kept, 0 failed");
        let sale = engine.execution::<v2::Sale>("a").unwrap();
        assert!(matches!(sale.outcome().await.unwrap(), v2::SaleOutcome::Shipped(shipped) if shipped.cents == 500));
        assert!(matches!(sale.state().await.unwrap(), v2::SaleState::Shipped(shipped) if shipped.cents == 500));
        assert_eq!(world.record("a").await, before);
        assert!(world.migrations("a").await.is_empty());
    });
}

#[test]
fn one_that_begins_later_is_migrated_too() {
    test(async {
        let world = World::default();
        let old = world.engine_of(world.v1()).await;
        old.start_after::<v1::Sale>("later", v1::Pending { euros: 3 }, 5 * DAY).await.unwrap();
        old.shutdown().await.unwrap();
        let engine = world.engine_of(world.v2()).await;
        world.pass(&engine, 4 * DAY).await;
        let sale = engine.execution::<v2::Sale>("later").unwrap();
        assert_eq!(world.calls(), [""; 0]);
        world.pass(&engine, 4 * DAY).await;
        assert!(matches!(sale.state().await.unwrap(), v2::SaleState::Pending(pending) if pending.cents == 300));
        assert_eq!(world.calls(), ["reminded"]);
    });
}
