//! How much runs at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::Engine;
use workflow_runtime::record::Status;
use workflow_runtime::store::StoreError;
use workflow_runtime::stores::MemoryStore;

use super::fixture::{Act, Draft, Go, Job, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};

#[test]
fn no_more_than_the_limit_run_at_once_and_all_get_their_turn() {
    test(async {
        let world = World::default();
        let engine = world.builder().max_active(3).start().await.unwrap();
        let held: Vec<_> = (0..20).map(|_| world.script.will_hold("first")).collect();
        let mut jobs = Vec::new();
        for n in 0..20 {
            jobs.push(world.working(&engine, &format!("{n}")).await);
        }
        settle(&engine).await;
        assert_eq!(world.script.count("first"), 3);
        assert_eq!(engine.active(), 3);
        for (index, held) in held.into_iter().enumerate() {
            held.send(()).unwrap();
            settle(&engine).await;
            assert!(engine.active() <= 3);
            assert!(world.script.count("first") >= (index + 4).min(20), "a free place is used");
        }
        for job in jobs {
            assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        }
    });
}

#[test]
fn an_execution_that_waits_for_its_next_attempt_takes_no_place() {
    test(async {
        let world = World::default();
        let engine = world.builder().max_active(1).start().await.unwrap();
        world.script.will("second", Act::Fail("later"));
        let slow = world.working(&engine, "slow").await;
        settle(&engine).await;
        let quick = world.working(&engine, "quick").await;
        assert!(matches!(quick.outcome().await.unwrap(), JobOutcome::Done(_)));
        world.pass(&engine, std::time::Duration::from_secs(10)).await;
        assert!(matches!(slow.outcome().await.unwrap(), JobOutcome::Done(_)));
    });
}

#[test]
fn a_single_free_place_is_used_while_all_the_others_are_held() {
    test(async {
        let world = World::default();
        let engine = world.builder().max_active(8).start().await.unwrap();
        for n in 0..7 {
            world.script.will("first", Act::Hang);
            world.working(&engine, &format!("slow {n}")).await;
        }
        let held = world.script.will_hold("first");
        let mut jobs = vec![world.working(&engine, "held").await];
        settle(&engine).await;
        assert_eq!((world.script.count("first"), engine.active()), (8, 8));
        for n in 0..20 {
            jobs.push(world.working(&engine, &format!("quick {n}")).await);
        }
        held.send(()).unwrap();
        for _ in 0..20 {
            settle(&engine).await;
        }
        for job in jobs {
            assert_eq!(job.record().await.unwrap().status(), Status::Ended);
        }
    });
}

#[test]
fn ten_thousand_at_once_all_end() {
    test(async {
        let world = World::default();
        let engine = world.builder().max_active(50).start().await.unwrap();
        let jobs = (0..10_000).map(|n| (format!("{n}"), Draft { number: n }));
        engine.start_all::<Job, _>(jobs).await.unwrap();
        for n in 0..10_000 {
            engine.execution::<Job>(format!("{n}")).unwrap().send(Go).await.unwrap();
        }
        for n in 0..10_000 {
            let job = engine.execution::<Job>(format!("{n}")).unwrap();
            assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
        }
        assert_eq!(world.script.calls().len(), 20_000, "no step ran twice");
    });
}

mod endless {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Ping;
    #[state]
    pub struct Pong;
    #[state(end)]
    pub struct Over;

    pub struct Game;

    #[workflow(start = Ping)]
    impl Game {
        #[state(allow(never_taken))]
        fn ping(&self, _: Ping) -> Next<(Pong, Over)> {
            goto(Pong)
        }
        #[state]
        fn pong(&self, _: Pong) -> Ping {
            Ping
        }
    }
}

#[test]
fn an_execution_that_goes_round_for_ever_leaves_the_others_their_turn() {
    test(async {
        let commits = AtomicUsize::new(0);
        let store = Hooked::new(MemoryStore::new(), move |call| match call {
            Call::Commit(_) if commits.fetch_add(1, Ordering::Relaxed) > 1_000 => Err(StoreError::Full),
            _ => Ok(()),
        });
        let engine = Engine::on(store).workflow(endless::Game).start().await.unwrap();
        engine.start::<endless::Game>("a", endless::Ping).await.unwrap();
        tokio::task::yield_now().await;
        engine.shutdown().await.unwrap();
    });
}

#[test]
fn on_many_threads_no_execution_is_left_behind() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        for round in 0..30 {
            let world = World::default();
            let engine = world.builder().max_active(1 + round % 3).start().await.unwrap();
            let jobs = (0..50).map(|n| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    let job = engine.start::<Job>(format!("{n}"), Draft { number: n }).await.unwrap();
                    job.send(Go).await.unwrap();
                    job.outcome().await.unwrap()
                })
            });
            for job in futures::future::join_all(jobs).await {
                assert!(matches!(job.unwrap(), JobOutcome::Done(_)));
            }
            assert_eq!(world.script.calls().len(), 100, "no step ran twice");
        }
    });
}
