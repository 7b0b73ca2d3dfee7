//! A rollback: an older build finds what a newer one has written.

use workflow_runtime::store::Query;
use workflow_runtime::{AskError, EngineError, ErrorKind, Status, StuckBecause};

use super::world::{DAY, Delivery, Payment, World, settle, test, v1, v2};

#[test]
fn newer_ones_are_left_alone_and_are_not_in_the_way() {
    test(async {
        let world = World::default();
        let new = world.engine_of(world.v2()).await;
        let sales = (0..2_000).map(|number| (format!("new-{number}"), v2::Pending { cents: number }));
        new.start_all::<v2::Sale, _>(sales).await.unwrap();
        new.shutdown().await.unwrap();
        world.pending(&[("old", 5)]).await;
        let before = world.record("new-7").await;

        let engine = world.builder().max_active(2).workflow(world.v1()).start().await.unwrap();
        let newer = engine.execution::<v1::Sale>("new-7").unwrap();
        newer.send(Payment).await.unwrap();
        world.pass(&engine, 20 * DAY).await;
        // What this build knows goes on at its time.
        assert_eq!(world.record("old").await.status(), Status::Ended);
        assert_eq!(world.record("new-7").await, before);
        let error = newer.state().await.unwrap_err();
        assert!(matches!(&error, EngineError::OtherVersion { version: 2, known: 1, .. }), "{error}");
        assert_eq!(
            error.to_string(),
            "the execution Sale/new-7 is of version 2 of its workflow, and cannot be read as of version 1: it is of version 2 of the workflow, which is newer than this code, of version 1"
        );
        let stuck = engine.stuck(&Query::of::<v1::Sale>().limit(5)).await.unwrap();
        assert_eq!(stuck.executions.len(), 5);
        assert!(stuck.executions.iter().all(|stuck| stuck.because == StuckBecause::Newer { version: 2 }));
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().to_string(), "0 migrated, 0 kept, 0 failed");
        engine.shutdown().await.unwrap();

        // Back to the newer build: its timers are overdue, and the event is there.
        let engine = world.engine_of(world.v2()).await;
        settle(&engine).await;
        let paid = engine.execution::<v2::Sale>("new-7").unwrap();
        paid.send(Delivery).await.unwrap();
        assert!(matches!(paid.outcome().await.unwrap(), v2::SaleOutcome::Shipped(shipped) if shipped.cents == 7));
        assert!(matches!(
            engine.execution::<v2::Sale>("new-9").unwrap().outcome().await,
            Ok(v2::SaleOutcome::Shipped(_))
        ));
    });
}

#[test]
fn whoever_waits_for_a_newer_one_is_told_at_once_and_what_was_sent_waits_for_its_build() {
    test(async {
        let world = World::default();
        let new = world.engine_of(world.v2()).await;
        for (id, cents) in [("waits", 1), ("ships", 2), ("ended", 3)] {
            new.start::<v2::Sale>(id, v2::Pending { cents }).await.unwrap();
        }
        for id in ["ships", "ended"] {
            new.execution::<v2::Sale>(id).unwrap().send(Payment).await.unwrap();
        }
        settle(&new).await;
        let ended = new.execution::<v2::Sale>("ended").unwrap();
        ended.send(Delivery).await.unwrap();
        ended.outcome().await.unwrap();
        new.shutdown().await.unwrap();

        let old = world.engine_of(world.v1()).await;
        for id in ["waits", "ships", "ended"] {
            let sale = old.execution::<v1::Sale>(id).unwrap();
            let (error, of_state) = (sale.outcome().await.unwrap_err(), sale.state().await.unwrap_err());
            assert!(matches!(&error, EngineError::OtherVersion { version: 2, known: 1, .. }), "{error}");
            assert_eq!(error.to_string(), of_state.to_string());
        }
        // Whoever has the type of the newer version has no code that runs it either.
        let error = old.execution::<v2::Sale>("waits").unwrap().outcome().await.unwrap_err();
        assert!(matches!(&error, EngineError::OtherVersion { version: 2, known: 1, .. }), "{error}");
        // One that waits for an event alone is not stuck before one has come.
        let query = Query::of::<v1::Sale>();
        world.clock.advance(DAY);
        assert_eq!(old.stuck(&query).await.unwrap().executions, []);
        assert_eq!(old.list(&query.clone().version(2)).await.unwrap().executions.len(), 3);
        let ships = old.execution::<v1::Sale>("ships").unwrap();
        ships.send(Delivery).await.unwrap();
        settle(&old).await;
        assert!(matches!(ships.outcome().await, Err(EngineError::OtherVersion { .. })), "also while an event waits");
        world.clock.advance(DAY);
        let stuck = old.stuck(&query).await.unwrap().executions;
        let stuck: Vec<_> = stuck.iter().map(|stuck| (stuck.id.as_str(), &stuck.because)).collect();
        assert!(stuck.contains(&("ships", &StuckBecause::Newer { version: 2 })), "{stuck:?}");
        old.shutdown().await.unwrap();

        let new = world.engine_of(world.v2()).await;
        let shipped = new.execution::<v2::Sale>("ships").unwrap().outcome().await.unwrap();
        assert!(matches!(shipped, v2::SaleOutcome::Shipped(shipped) if shipped.cents == 2));
    });
}

#[test]
fn by_hand_nothing_happens_to_a_newer_one_before_its_build_is_back() {
    test(async {
        let world = World::default();
        let new = world.engine_of(world.v2()).await;
        new.start::<v2::Sale>("a", v2::Pending { cents: 1 }).await.unwrap();
        new.shutdown().await.unwrap();
        let old = world.engine_of(world.v1()).await;
        old.execution::<v1::Sale>("a").unwrap().cancel("not wanted").await.unwrap();
        settle(&old).await;
        assert_eq!(world.record("a").await.status(), Status::Waiting);
        old.shutdown().await.unwrap();
        let new = world.engine_of(world.v2()).await;
        settle(&new).await;
        assert_eq!(world.record("a").await.status(), Status::Cancelled);
    });
}

mod venue {
    pub mod v1 {
        use workflow_runtime::prelude::*;

        #[state]
        pub struct Open {
            pub seats: u32,
        }
        #[state(end)]
        pub struct Closed;
        #[event]
        pub struct Book;
        #[event]
        pub struct Close;

        #[state(group)]
        pub enum States {
            Open(Open),
            Closed(Closed),
        }

        pub struct Venue;

        #[workflow(start = Open, allow(endless_wait))]
        impl Venue {
            #[on]
            fn booked(&self, open: Open, _: Book) -> Reply<u32, Stay<Open>> {
                let seats = open.seats - 1;
                reply(seats, Stay(Open { seats }))
            }
            #[on]
            fn closed(&self, _: Open, _: Close) -> Closed {
                Closed
            }
        }
    }

    pub mod v2 {
        use super::v1;
        pub use super::v1::{Book, Close, Closed};
        use workflow_runtime::prelude::*;

        #[state]
        pub struct Open {
            pub left: u32,
        }

        pub struct Venue;

        #[workflow(start = Open, version = 2, from(1 = v1::States), allow(endless_wait))]
        impl Venue {
            #[migrate(from = 1)]
            fn open(old: v1::Open) -> Open {
                Open { left: old.seats }
            }
            #[on]
            fn booked(&self, open: Open, _: Book) -> Reply<u32, Stay<Open>> {
                let left = open.left - 1;
                reply(left, Stay(Open { left }))
            }
            #[on]
            fn closed(&self, _: Open, _: Close) -> Closed {
                Closed
            }
        }
    }
}

#[test]
fn whoever_asks_a_newer_one_is_told_at_once_and_is_answered_by_its_build() {
    test(async {
        let world = World::default();
        let new = world.engine_of(venue::v2::Venue).await;
        let venue = new.start::<venue::v2::Venue>("hall", venue::v2::Open { left: 9 }).await.unwrap();
        assert_eq!(venue.ask_once("first", venue::v2::Book).await.unwrap(), 8);
        new.shutdown().await.unwrap();

        let old = world.engine_of(venue::v1::Venue).await;
        let venue = old.execution::<venue::v1::Venue>("hall").unwrap();
        assert_eq!(venue.ask_once("first", venue::v1::Book).await.unwrap(), 8, "what was answered is answered");
        for _ in 0..2 {
            let asked = venue.ask_once("second", venue::v1::Book);
            let told = async {
                tokio::select! {
                    biased;
                    told = asked => Some(told),
                    () = settle(&old) => None,
                }
            };
            let Some(Err(AskError::Engine(error))) = told.await else { panic!("nobody answers, so it is an error") };
            assert!(matches!(&error, EngineError::OtherVersion { version: 2, known: 1, .. }), "{error}");
        }
        old.shutdown().await.unwrap();

        let new = world.engine_of(venue::v2::Venue).await;
        let venue = new.execution::<venue::v2::Venue>("hall").unwrap();
        assert_eq!(venue.ask_once("second", venue::v2::Book).await.unwrap(), 7, "it was in the inbox, once");
        assert_eq!(venue.ask(venue::v2::Book).await.unwrap(), 6);
    });
}

/// The same version, before and after a compatible change: a new state.
mod before {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Draft;
    #[state(end)]
    pub struct Published;
    #[event]
    pub struct Publish;

    pub struct Article;

    #[workflow(start = Draft)]
    impl Article {
        #[on(allow(endless_wait))]
        fn published(&self, _: Draft, _: Publish) -> Published {
            Published
        }
    }
}

mod after {
    pub use super::before::{Draft, Publish, Published};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Review;

    pub struct Article;

    #[workflow(start = Draft)]
    impl Article {
        #[on(allow(endless_wait))]
        fn reviewed(&self, _: Draft, _: Publish) -> Review {
            Review
        }
        #[after("3d")]
        fn published(&self, _: Review) -> Published {
            Published
        }
    }
}

#[test]
fn a_state_that_an_older_build_does_not_know_comes_back_by_itself() {
    test(async {
        let world = World::default();
        let new = world.engine_of(after::Article).await;
        for number in 0..300 {
            let article = new.start::<after::Article>(format!("a{number}"), after::Draft).await.unwrap();
            article.send(after::Publish).await.unwrap();
        }
        settle(&new).await;
        new.shutdown().await.unwrap();

        world.clock.advance(DAY);
        let old = world.engine_of(before::Article).await;
        world.pass(&old, 3 * DAY).await;
        let error = old.execution::<before::Article>("a7").unwrap().outcome().await.unwrap_err();
        let EngineError::Parked { error, .. } = error else { panic!("{error}") };
        assert_eq!(error.kind, ErrorKind::UnknownState);
        // Without a touch, it is not found out: what is not due is left as it is.
        old.shutdown().await.unwrap();

        let new = world.engine_of(after::Article).await;
        settle(&new).await;
        for number in [0, 7, 299] {
            let article = new.execution::<after::Article>(format!("a{number}")).unwrap();
            // Its time went by while nobody knew it, and was not stopped.
            assert!(matches!(article.outcome().await.unwrap(), after::ArticleOutcome::Published(_)), "{number}");
        }
        assert!(new.list(&Query::default().status(Status::Parked)).await.unwrap().executions.is_empty());
    });
}
