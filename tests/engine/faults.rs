//! A store that fails, at every single call that it can fail at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use workflow_runtime::record::{HistoryKind, Reason, Status};
use workflow_runtime::store::{Query, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Act, Done, Draft, Go, Job, JobOutcome, World, settle, test};
use super::hooked::{Call, Hooked};

/// Commits until one fails, as a full disk does.
pub fn full_after(store: &MemoryStore, commits: usize) -> Arc<Hooked> {
    let left = AtomicUsize::new(commits);
    Hooked::new(store.clone(), move |call| match call {
        Call::Commit(_) => {
            let spent = left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
            if spent { Err(StoreError::Full) } else { Ok(()) }
        }
        Call::Committed | Call::Load(_) | Call::Due => Ok(()),
    })
}

#[test]
fn whichever_commit_fails_the_engine_stops_with_the_reason_and_nothing_acknowledged_is_lost() {
    test(async {
        // start, event, edge, first step, second step with the transition
        for commits in 0..5 {
            let store = MemoryStore::new();
            let world = World::on(full_after(&store, commits));
            let engine = world.engine().await;
            let result = async {
                let job = engine.start::<Job>("a", Draft { number: 1 }).await?;
                job.send(Go).await?;
                job.outcome().await
            };
            let error = result.await.unwrap_err();
            assert!(matches!(error, EngineError::Store(StoreError::Full)), "{commits} commits: {error}");
            assert!(error.to_string().contains("make room"), "{error}");
            let error = engine.shutdown().await;
            assert_eq!(commits >= 2, error.is_err(), "what fails in the background is told at the end");
            drop(engine);

            let mended = World { store: Arc::new(store), ..world };
            let engine = mended.engine().await;
            let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
            if commits < 2 {
                job.send(Go).await.unwrap();
            }
            assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)), "{commits} commits");
            assert_eq!(mended.script.count("first"), if commits == 3 { 2 } else { 1 });
        }
    });
}

/// Has a job fail at its first step, which is skipped then, and says what it came to.
async fn skip_what_failed(world: &World) -> Result<JobOutcome, EngineError> {
    let engine = world.engine().await;
    let job = engine.start::<Job>("a", Draft { number: 1 }).await?;
    let sent = job.send_once("go", Go).await;
    sent.or_else(|error| if matches!(error, EngineError::Ended { .. }) { Ok(()) } else { Err(error) })?;
    if let Err(error) = job.outcome().await {
        if !matches!(error, EngineError::Parked { .. }) {
            return Err(error);
        }
        let skipped = job.skip("first", &40_u32, Reason::new("paid by hand").once("ticket-7")).await;
        // Another answer than that it is not parked any more would be a second doing.
        skipped.or_else(|error| if matches!(error, EngineError::NotParked { .. }) { Ok(()) } else { Err(error) })?;
    }
    job.outcome().await
}

#[test]
fn whichever_commit_fails_or_is_not_answered_what_was_asked_for_by_hand_is_done_once() {
    test(async {
        let mut commits = 0;
        let mut failures = 0;
        loop {
            for lose_the_answer in [false, true] {
                let store = MemoryStore::new();
                let faulty = if lose_the_answer { silent_after(&store, commits) } else { full_after(&store, commits) };
                let world = World::on(faulty);
                for _ in 0..2 {
                    world.script.will("first", Act::Fail("no"));
                }
                let result = skip_what_failed(&world).await;
                failures += usize::from(result.is_err());
                if let Ok(outcome) = result {
                    assert!(matches!(outcome, JobOutcome::Done(Done { sum: 81 })));
                }
                let mended = World { store: Arc::new(store), ..world };
                let outcome = skip_what_failed(&mended).await.unwrap();
                assert!(matches!(outcome, JobOutcome::Done(Done { sum: 81 })), "{commits} commits: {outcome:?}");
                let engine = mended.engine().await;
                let job = engine.execution::<Job>("a").unwrap();
                let rows = job.history(0, 100).await.unwrap();
                let asked = rows.iter().filter(|row| matches!(row.record.kind, HistoryKind::Control { .. })).count();
                assert_eq!(asked, 1, "{commits} commits");
            }
            commits += 1;
            if failures < commits {
                break;
            }
        }
        assert!(commits > 5, "it fails at each of its commits: {commits}");
    });
}

/// Applies the commit of this number, from 0, without an answer, and none after it: the process died in between.
pub fn silent_after(store: &MemoryStore, commits: usize) -> Arc<Hooked> {
    let made = AtomicUsize::new(0);
    Hooked::new(store.clone(), move |call| match call {
        Call::Commit(_) if made.load(Ordering::Relaxed) > commits => {
            Err(StoreError::Poisoned { reason: "the answer was lost".to_owned() })
        }
        Call::Committed if made.fetch_add(1, Ordering::Relaxed) == commits => {
            Err(StoreError::Poisoned { reason: "the answer was lost".to_owned() })
        }
        _ => Ok(()),
    })
}

#[test]
fn whichever_answer_is_lost_nothing_is_done_twice() {
    test(async {
        let run = async |engine: &Engine| {
            let job = engine.start::<Job>("a", Draft { number: 1 }).await?;
            job.send_once("go", Go).await.or_else(|error| match error {
                EngineError::Ended { .. } => Ok(()),
                error => Err(error),
            })?;
            job.outcome().await
        };
        for commits in 0..5 {
            let store = MemoryStore::new();
            let world = World::on(silent_after(&store, commits));
            let engine = world.engine().await;
            match run(&engine).await {
                Err(EngineError::Store(StoreError::Poisoned { .. })) => {}
                // The end itself is in the store, whoever was told of it.
                Ok(JobOutcome::Done(_)) if commits == 4 => {}
                other => panic!("{commits} commits: {other:?}"),
            }
            drop(engine);

            let mended = World { store: Arc::new(store), ..world };
            let engine = mended.engine().await;
            // The caller does again what it had no answer to.
            assert!(matches!(run(&engine).await.unwrap(), JobOutcome::Done(_)), "{commits} commits");
            let counts = (mended.script.count("first"), mended.script.count("second"));
            assert_eq!(counts, (1, 1), "{commits} commits: what was applied was recorded");
        }
    });
}

#[test]
fn a_damaged_execution_is_parked_with_the_reason_and_the_others_run() {
    test(async {
        let store = MemoryStore::new();
        let hooked = Hooked::new(store.clone(), |call| match call {
            Call::Load(key) if key.id.as_str() == "bad" => {
                Err(StoreError::Corrupt { key: key.clone(), what: "record", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        });
        let world = World::on(hooked);
        let engine = world.engine().await;
        for id in ["bad", "good"] {
            let job = engine.start::<Job>(id, Draft { number: 1 }).await.unwrap();
            job.send(Go).await.unwrap();
        }
        let good = engine.execution::<Job>("good").unwrap();
        assert!(matches!(good.outcome().await.unwrap(), JobOutcome::Done(_)));
        let bad = engine.execution::<Job>("bad").unwrap();
        let error = bad.outcome().await.unwrap_err();
        assert!(
            matches!(&error, EngineError::Parked { error, .. } if error.message.contains("a flipped bit")),
            "{error}"
        );
        settle(&engine).await;
        let page = engine.list(&Query::default().status(Status::Parked)).await.unwrap();
        assert_eq!(page.executions.len(), 1);
        assert!(page.executions[0].error.as_ref().unwrap().message.contains("a flipped bit"));
    });
}

#[test]
fn a_damaged_execution_that_was_mended_goes_on_at_a_retry() {
    test(async {
        let damaged = Arc::new(AtomicBool::new(true));
        let is_damaged = Arc::clone(&damaged);
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| match call {
            Call::Load(key) if is_damaged.load(Ordering::Relaxed) => {
                Err(StoreError::Corrupt { key: key.clone(), what: "record", reason: "a flipped bit".to_owned() })
            }
            _ => Ok(()),
        }));
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        job.send(Go).await.unwrap();
        settle(&engine).await;
        damaged.store(false, Ordering::Relaxed);
        assert_eq!(job.record().await.unwrap().status(), Status::Parked);
        job.retry().await.unwrap();
        assert!(matches!(job.outcome().await.unwrap(), JobOutcome::Done(_)));
    });
}

#[test]
fn a_failure_to_look_for_what_is_due_stops_the_engine_and_not_the_program() {
    test(async {
        let world = World::on(Hooked::new(MemoryStore::new(), |call| match call {
            Call::Due => Err(StoreError::Poisoned { reason: "gone".to_owned() }),
            _ => Ok(()),
        }));
        let engine = world.engine().await;
        settle(&engine).await;
        let error = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap_err();
        assert!(matches!(error, EngineError::Store(StoreError::Poisoned { .. })));
        assert!(engine.shutdown().await.is_err());
    });
}

#[test]
fn a_step_that_hangs_when_the_store_fails_does_not_keep_the_engine() {
    test(async {
        let world = World::on(full_after(&MemoryStore::new(), 4));
        world.script.will("first", Act::Hang);
        let engine = world.engine().await;
        let hanging = world.working(&engine, "hanging").await;
        settle(&engine).await;
        let error = engine.start::<Job>("b", Draft { number: 1 }).await.unwrap();
        assert!(matches!(error.send(Go).await, Err(EngineError::Store(StoreError::Full))));
        drop(hanging);
        drop(engine);
    });
}
