//! Three versions of one workflow, each the whole code of its time, and a store and a clock that outlive them.
//!
//! The first one has the states `pending`, `reviewing`, `shipping` and the end `shipped`. The second one counts in cents,
//! and has no `reviewing` any more. The third one has another name for `pending`, and may lose a parcel.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Clock as _, Engine, EngineBuilder, HistoryKind, ManualClock, Timestamp, Workflow};

#[event]
pub struct Payment;

#[event]
pub struct Approval;

#[event]
pub struct Delivery;

/// The names of the steps that were run.
pub type Calls = Arc<Mutex<Vec<String>>>;

pub mod v1 {
    use super::{Approval, Calls, Delivery, Payment};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub euros: u32,
    }

    #[state]
    pub struct Reviewing {
        pub euros: u32,
    }

    #[state]
    pub struct Shipping {
        pub euros: u32,
    }

    #[state(end)]
    #[derive(Debug, PartialEq)]
    pub struct Shipped {
        pub euros: u32,
    }

    #[state(group)]
    pub enum States {
        Pending(Pending),
        Reviewing(Reviewing),
        Shipping(Shipping),
        Shipped(Shipped),
    }

    pub struct Sale {
        pub calls: Calls,
    }

    #[workflow(start = Pending, allow(endless_wait, fragile_step))]
    impl Sale {
        #[on]
        fn paid(&self, pending: Pending, _: Payment) -> Next<(Reviewing, Shipping)> {
            match pending.euros {
                1_000.. => goto(Reviewing { euros: pending.euros }),
                euros => goto(Shipping { euros }),
            }
        }

        #[after("10d")]
        fn unpaid(&self, pending: Pending) -> Shipped {
            Shipped { euros: pending.euros }
        }

        #[on]
        fn approved(&self, reviewing: Reviewing, _: Approval) -> Shipping {
            Shipping { euros: reviewing.euros }
        }

        #[state]
        async fn ship(&self, cx: &Cx, shipping: Shipping) -> Result<Wait> {
            self.pack(cx).await?;
            if shipping.euros == 7 {
                return Err(Error::msg("the label printer is empty"));
            }
            Ok(Wait)
        }

        #[on]
        fn delivered(&self, shipping: Shipping, _: Delivery) -> Shipped {
            Shipped { euros: shipping.euros }
        }

        #[step]
        async fn pack(&self, _: &Cx) -> Result<()> {
            self.calls.lock().unwrap().push("pack of v1".to_owned());
            Ok(())
        }
    }
}

pub mod v2 {
    use super::{Calls, Delivery, Payment, v1};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub cents: u32,
    }

    #[state]
    pub struct Shipping {
        pub cents: u32,
    }

    #[state(end)]
    #[derive(Debug, PartialEq)]
    pub struct Shipped {
        pub cents: u32,
    }

    #[state(group)]
    pub enum States {
        Pending(Pending),
        Shipping(Shipping),
        Shipped(Shipped),
    }

    pub struct Sale {
        pub calls: Calls,
    }

    #[workflow(start = Pending, version = 2, from(1 = v1::States), allow(endless_wait, fragile_step))]
    impl Sale {
        #[migrate(from = 1)]
        fn pending(old: v1::Pending) -> Result<Pending> {
            match old.euros {
                13 => Err(Error::msg("nobody sells for 13 euros")),
                66 => panic!("66 euros"),
                euros => Ok(Pending { cents: euros * 100 }),
            }
        }

        /// Nobody reviews any more.
        #[migrate(from = 1)]
        fn reviewing(old: v1::Reviewing) -> Next<(Pending, Shipping)> {
            match old.euros {
                5_000.. => goto(Pending { cents: old.euros * 100 }),
                euros => goto(Shipping { cents: euros * 100 }),
            }
        }

        #[migrate(from = 1)]
        fn shipping(old: v1::Shipping) -> Shipping {
            Shipping { cents: old.euros * 100 }
        }

        #[migrate(from = 1)]
        fn shipped(old: v1::Shipped) -> Shipped {
            Shipped { cents: old.euros * 100 }
        }

        #[on]
        fn paid(&self, pending: Pending, _: Payment) -> Shipping {
            Shipping { cents: pending.cents }
        }

        #[after("10d")]
        fn unpaid(&self, pending: Pending) -> Shipped {
            Shipped { cents: pending.cents }
        }

        #[every("2d")]
        fn remind(&self, _: Pending) -> Wait {
            self.calls.lock().unwrap().push("reminded".to_owned());
            Wait
        }

        #[state]
        async fn ship(&self, cx: &Cx, _: Shipping) -> Result<Wait> {
            self.pack(cx).await?;
            self.label(cx).await?;
            Ok(Wait)
        }

        #[on]
        fn delivered(&self, shipping: Shipping, _: Delivery) -> Shipped {
            Shipped { cents: shipping.cents }
        }

        #[step]
        async fn pack(&self, _: &Cx) -> Result<()> {
            self.calls.lock().unwrap().push("pack of v2".to_owned());
            Ok(())
        }

        #[step]
        async fn label(&self, _: &Cx) -> Result<()> {
            self.calls.lock().unwrap().push("label of v2".to_owned());
            Ok(())
        }
    }
}

pub mod v3 {
    use super::{Delivery, Payment, v1, v2};
    pub use v2::{Shipped, Shipping};
    use workflow_runtime::prelude::*;

    #[state(was = "pending")]
    pub struct Unpaid {
        pub cents: u32,
        pub currency: String,
    }

    #[state(end)]
    pub struct Lost;

    pub struct Sale;

    #[workflow(start = Unpaid, version = 3, from(1 = v1::States, 2 = v2::States))]
    impl Sale {
        #[migrate(from = 1)]
        fn pending_1(old: v1::Pending) -> v2::Pending {
            v2::Pending { cents: old.euros * 100 }
        }

        #[migrate(from = 1)]
        fn reviewing_1(old: v1::Reviewing) -> Shipping {
            Shipping { cents: old.euros * 100 }
        }

        #[migrate(from = 1)]
        fn shipping_1(old: v1::Shipping) -> Shipping {
            Shipping { cents: old.euros * 100 }
        }

        #[migrate(from = 1)]
        fn shipped_1(old: v1::Shipped) -> Shipped {
            Shipped { cents: old.euros * 100 }
        }

        #[migrate(from = 2)]
        fn pending_2(old: v2::Pending) -> Unpaid {
            Unpaid { cents: old.cents, currency: "EUR".to_owned() }
        }

        #[on]
        fn paid(&self, unpaid: Unpaid, _: Payment) -> Shipping {
            Shipping { cents: unpaid.cents }
        }

        #[after("10d")]
        fn unpaid(&self, _: Unpaid) -> Lost {
            Lost
        }

        #[on]
        fn delivered(&self, shipping: Shipping, _: Delivery) -> Shipped {
            Shipped { cents: shipping.cents }
        }

        #[after("30d")]
        fn lost(&self, _: Shipping) -> Lost {
            Lost
        }
    }
}

/// What outlives the engines.
pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: ManualClock,
    pub calls: Calls,
}

impl Default for World {
    fn default() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }
}

impl World {
    pub fn on(store: Arc<dyn Store>) -> Self {
        Self { store, clock: ManualClock::new(Timestamp::EPOCH), calls: Calls::default() }
    }

    pub fn builder(&self) -> EngineBuilder {
        Engine::on(Arc::clone(&self.store)).clock(self.clock.clone())
    }

    pub async fn engine_of(&self, workflow: impl Workflow) -> Engine {
        self.builder().workflow(workflow).start().await.unwrap()
    }

    pub fn v1(&self) -> v1::Sale {
        v1::Sale { calls: Arc::clone(&self.calls) }
    }

    pub fn v2(&self) -> v2::Sale {
        v2::Sale { calls: Arc::clone(&self.calls) }
    }

    /// Executions of the first version that wait in `pending`, with this many euros each.
    pub async fn pending(&self, executions: &[(&str, u32)]) {
        let engine = self.engine_of(self.v1()).await;
        for (id, euros) in executions {
            engine.start::<v1::Sale>(id, v1::Pending { euros: *euros }).await.unwrap();
        }
        settle(&engine).await;
        engine.shutdown().await.unwrap();
    }

    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub async fn version(&self, id: &str) -> u32 {
        self.record(id).await.version
    }

    pub async fn record(&self, id: &str) -> workflow_runtime::ExecutionRecord {
        self.store.load(&key(id)).await.unwrap().unwrap().record
    }

    /// The versions that an execution has been brought from and to, with the states.
    pub async fn migrations(&self, id: &str) -> Vec<(u32, u32, String, String)> {
        let rows = self.store.history(&key(id), 0, 1_000).await.unwrap();
        let migrated = rows.into_iter().filter_map(|row| match row.record.kind {
            HistoryKind::Migrated { from, to, state, into } => Some((from, to, state.into(), into.into())),
            _ => None,
        });
        migrated.collect()
    }

    /// Lets time pass in small steps, so that everything happens at its time.
    pub async fn pass(&self, engine: &Engine, duration: Duration) {
        let end = self.clock.now() + duration;
        loop {
            settle(engine).await;
            match self.clock.next_due() {
                Some(due) if due <= end => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(end);
        settle(engine).await;
    }
}

pub fn key(id: &str) -> workflow_runtime::ExecutionKey {
    let id = workflow_runtime::ExecutionId::new(id).unwrap();
    workflow_runtime::ExecutionKey { workflow: "Sale".into(), id }
}

pub const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Lets every task run until none can go on by itself.
pub async fn settle(engine: &Engine) {
    for _ in 0..200 + 20 * engine.active() {
        tokio::task::yield_now().await;
    }
}

/// Runs a test on one thread, where `settle` sees every task.
pub fn test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}
