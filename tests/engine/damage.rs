//! What is damaged while its execution is in memory.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::poll;
use workflow_runtime::EngineError;
use workflow_runtime::prelude::*;
use workflow_runtime::record::{ErrorKind, Status};
use workflow_runtime::store::{Query, StoreError};
use workflow_runtime::stores::MemoryStore;

use super::fixture::{Cancel, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};

#[test]
fn a_damaged_event_stops_the_handler_that_runs_and_parks() {
    test(async {
        let damaged = Arc::new(AtomicBool::new(false));
        let is_damaged = Arc::clone(&damaged);
        // The store has no `inbox` of its own, so that an event is read by a load, too.
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| match call {
            Call::Load(key) if is_damaged.load(Ordering::Relaxed) => {
                Err(StoreError::Corrupt { key: key.clone(), what: "its inbox", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        }));
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        damaged.store(true, Ordering::Relaxed);
        job.send(Cancel { why: "no more".to_owned() }).await.unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0, "nobody works on what is parked");
        assert!(held.is_closed(), "the step was cut off");
        assert_eq!((world.script.count("second"), world.script.count("clean_up")), (0, 0));

        damaged.store(false, Ordering::Relaxed);
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);
        let Err(EngineError::Parked { error, .. }) = job.outcome().await else { panic!("it is parked") };
        assert!(error.message.contains("a flipped bit"), "{error}");
        job.retry().await.unwrap();
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was cancelled") };
        assert_eq!(cancelled.why, "no more");
        assert_eq!(world.script.count("second"), 0);
    });
}

mod v1 {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Open {
        pub euros: u32,
    }

    #[state(group)]
    pub enum States {
        Open(Open),
        Closed(super::Closed),
    }

    pub struct Account;

    #[workflow(start = Open, allow(endless_wait))]
    impl Account {
        #[on]
        fn closed(&self, _: Open, _: super::Close) -> super::Closed {
            super::Closed
        }
    }
}

#[state]
pub struct Open {
    cents: u32,
}

#[state(end)]
pub struct Closed;

#[event]
pub struct Close;

pub struct Account;

#[workflow(start = Open, version = 2, from(1 = v1::States), allow(endless_wait))]
impl Account {
    #[migrate(from = 1)]
    fn in_cents(old: v1::Open) -> Open {
        Open { cents: old.euros * 100 }
    }

    #[on]
    fn closed(&self, _: Open, _: Close) -> Closed {
        Closed
    }
}

#[test]
fn one_that_is_damaged_while_it_runs_keeps_no_other_from_being_migrated() {
    test(async {
        let store = MemoryStore::new();
        let world = World::on(Arc::new(store.clone()));
        let engine = world.builder().workflow(v1::Account).start().await.unwrap();
        for id in ["a", "b", "c"] {
            engine.start::<v1::Account>(id, v1::Open { euros: 1 }).await.unwrap();
        }
        settle(&engine).await;
        engine.shutdown().await.unwrap();

        let damaged = Arc::new(AtomicBool::new(false));
        let is_damaged = Arc::clone(&damaged);
        let hooked = Hooked::new(store, move |call| match call {
            // By the next look, it has been brought back.
            Call::Load(key) if key.id.as_str() == "b" && is_damaged.swap(false, Ordering::Relaxed) => {
                Err(StoreError::Corrupt { key: key.clone(), what: "its record", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        });
        let engine = World::on(hooked).builder().workflow(Account).start().await.unwrap();
        let account = engine.execution::<Account>("b").unwrap();
        let mut closing = pin!(account.send(Close));
        // The event is written first, and then nobody has read `b` yet when all are migrated that are listed now.
        assert!(poll!(closing.as_mut()).is_pending());
        let query = Query::of::<Account>();
        let mut migrating = pin!(engine.migrate_all(&query));
        assert!(poll!(migrating.as_mut()).is_pending());
        damaged.store(true, Ordering::Relaxed);
        let report = migrating.await.unwrap();
        assert_eq!(report.to_string(), "2 migrated, 0 kept, 1 failed");
        let [(key, error)] = report.why_failed.as_slice() else { panic!("{report:?}") };
        assert_eq!((key.id.as_str(), error.kind), ("b", ErrorKind::Unreadable));
        closing.await.unwrap();
        assert!(matches!(account.outcome().await.unwrap(), AccountOutcome::Closed(_)));
    });
}
