//! A crash at any commit of a migration leaves what was before it or what is after it, and never a half.

use std::sync::Arc;

use workflow_runtime::Status;
use workflow_runtime::store::Query;
use workflow_runtime::stores::MemoryStore;

use super::dying::{Dying, Moment};
use super::world::{Delivery, Payment, World, settle, test, v1, v2};

/// Executions of the first version: one that waits, one that is to become another state, one that is parked.
async fn executions(store: &MemoryStore) -> World {
    let world = World::on(Arc::new(store.clone()));
    world.pending(&[("waits", 5), ("moves", 2_000), ("parked", 7)]).await;
    let old = world.engine_of(world.v1()).await;
    for id in ["moves", "parked"] {
        old.execution::<v1::Sale>(id).unwrap().send(Payment).await.unwrap();
    }
    settle(&old).await;
    old.shutdown().await.unwrap();
    assert_eq!(world.record("parked").await.status(), Status::Parked);
    world
}

async fn assert_whole(world: &World) {
    for (id, old, new) in [("waits", "pending", "pending"), ("moves", "reviewing", "shipping")] {
        let (record, migrations) = (world.record(id).await, world.migrations(id).await);
        match record.version {
            1 => assert_eq!((record.state.as_str(), migrations.len()), (old, 0), "{id}"),
            _ => assert_eq!(migrations, [(1, 2, old.into(), new.into())], "{id}"),
        }
        assert_eq!(record.data.text().contains("euros"), record.version == 1, "{id}");
    }
}

/// Brings each to its end, whatever a crash has left.
async fn finish(world: &World) {
    let engine = world.engine_of(world.v2()).await;
    for id in ["waits", "moves", "parked"] {
        let sale = engine.execution::<v2::Sale>(id).unwrap();
        sale.send_once("payment again", Payment).await.unwrap();
        settle(&engine).await;
        if world.record(id).await.status() == Status::Parked {
            sale.retry().await.unwrap();
        }
        settle(&engine).await;
        sale.send_once("delivery", Delivery).await.unwrap();
        let v2::SaleOutcome::Shipped(shipped) = sale.outcome().await.unwrap();
        let cents =
            [("waits", 500), ("moves", 200_000), ("parked", 700)].into_iter().find(|(of, _)| *of == id).unwrap().1;
        assert_eq!(shipped.cents, cents, "{id}");
        assert_eq!(world.migrations(id).await.len(), 1, "{id}");
    }
    engine.shutdown().await.unwrap();
}

fn at_every_commit(work: &impl AsyncFn(&workflow_runtime::Engine)) {
    for moment in [Moment::Before, Moment::After] {
        for left in 0.. {
            let mut survived = false;
            test(async {
                let store = MemoryStore::new();
                let world = executions(&store).await;
                let dying = Dying::new(store, left, moment);
                let doomed = World { store: dying.clone(), clock: world.clock.clone(), calls: world.calls.clone() };
                let engine = doomed.engine_of(doomed.v2()).await;
                work(&engine).await;
                settle(&engine).await;
                survived = !dying.is_dead();
                // With the store dead, shutting down says so.
                let _ = engine.shutdown().await;
                drop(engine);
                assert_whole(&world).await;
                finish(&world).await;
            });
            if survived {
                assert!(left >= 3, "{left} commits are too few to have done anything");
                break;
            }
        }
    }
}

#[test]
fn of_a_lazy_one() {
    at_every_commit(&async |engine: &workflow_runtime::Engine| {
        for id in ["waits", "moves", "parked"] {
            // It fails where the store has died.
            let sale = engine.execution::<v2::Sale>(id).unwrap();
            let _ = sale.send(Payment).await;
            settle(engine).await;
        }
    });
}

#[test]
fn of_an_eager_one() {
    at_every_commit(&async |engine: &workflow_runtime::Engine| {
        let _ = engine.migrate_all(&Query::default()).await;
    });
}
