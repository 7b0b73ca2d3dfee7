//! Children whose parent was interrupted just when it started them: none goes on that nobody knows of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::prelude::*;
use workflow_runtime::record::{ExecutionKey, Json, NewEvent, Status};
use workflow_runtime::store::{Change, Commit, Query, Store, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::testing::Sim;
use workflow_runtime::{Clock as _, Engine, EngineBuilder, ExecutionId};

use super::fixture::{World, settle, test};
use super::hooked::{Call, Hooked};

#[state]
pub struct Open;

#[state(end)]
pub struct Settled;

#[event]
pub struct Settle;

/// A child, which waits until it is told or cancelled.
pub struct Claim;

#[workflow(start = Open, allow(endless_wait))]
impl Claim {
    #[on]
    fn settled(&self, _: Open, _: Settle) -> Settled {
        Settled
    }
}

#[state]
pub struct Ready;

#[state]
pub struct Working;

#[state(end)]
pub struct Done;

#[event]
pub struct Begin;

#[event]
pub struct Stop;

/// Waits for one child, and has another one that it does not wait for.
pub struct Errand;

#[workflow(start = Ready, allow(endless_wait))]
impl Errand {
    #[on]
    fn began(&self, _: Ready, _: Begin) -> Working {
        Working
    }

    #[state]
    async fn work(&self, cx: &Cx, _: Working) -> Result<Done> {
        cx.spawn::<Claim>(format!("{}-beside", cx.id()), Open).cancel_when_left().await?;
        cx.call::<Claim>(format!("{}-called", cx.id()), Open).await?;
        Ok(Done)
    }

    #[on]
    fn stopped(&self, _: Working, _: Stop) -> Done {
        Done
    }
}

fn builder(world: &World) -> EngineBuilder {
    world.builder().workflow(Errand).workflow(Claim)
}

async fn open_claims(engine: &Engine) -> Vec<String> {
    let all = engine.list(&Query::of::<Claim>().limit(10)).await.unwrap().executions;
    let open = all.into_iter().filter(|claim| !claim.status.is_over());
    open.map(|claim| claim.id.to_string()).collect()
}

/// A job whose engine crashes at a commit, and which finds this event in its inbox when the next one begins. Says how it
/// stands then, if it was started, and whether there was such a commit.
async fn after_crash(store: MemoryStore, crash: usize, applied: bool, event: &str) -> (Engine, Option<Status>, bool) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let failing = Hooked::new(store.clone(), move |call| {
        let counts = match call {
            Call::Commit(_) => !applied,
            Call::Committed => applied,
            _ => false,
        };
        let is_now = counts && counted.fetch_add(1, Ordering::Relaxed) == crash;
        if is_now { Err(StoreError::TakenOver) } else { Ok(()) }
    });
    let world = World::on(failing);
    let engine = builder(&world).start().await.unwrap();
    if let Ok(job) = engine.start::<Errand>("j", Ready).await {
        job.send(Begin).await.ok();
    }
    settle(&engine).await;
    drop(engine);

    let payload = if event.starts_with('~') { Json::encode("enough") } else { Json::encode(&()) };
    let (name, sent_at) = (event.to_owned(), world.clock.now());
    let event = NewEvent { event_id: "e".to_owned(), name, payload: payload.unwrap(), sent_at };
    let key = ExecutionKey { workflow: "Errand".into(), id: ExecutionId::new("j").unwrap() };
    let deliver = Commit { key, change: Change::Deliver { event } };
    let was_started = store.commit(vec![deliver]).await.unwrap()[0].is_ok();

    let world = World::on(Arc::new(store));
    let engine = builder(&world).start().await.unwrap();
    settle(&engine).await;
    let status = match was_started {
        true => Some(engine.execution::<Errand>("j").unwrap().record().await.unwrap().status()),
        false => None,
    };
    (engine, status, count.load(Ordering::Relaxed) > crash)
}

#[test]
fn a_crash_between_the_start_of_a_child_and_its_note_leaves_no_child_behind() {
    test(async {
        for (event, applied) in [("~cancel", false), ("~cancel", true), ("~terminate", true), ("stop", true)] {
            let mut crash = 0;
            loop {
                let (engine, job, was_met) = after_crash(MemoryStore::new(), crash, applied, event).await;
                let open = open_claims(&engine).await;
                if job.is_some_and(Status::is_over) {
                    assert_eq!(open, Vec::<String>::new(), "{event}, crash {crash}, {applied}: nobody knows of them");
                } else {
                    assert!(event == "stop" || job.is_none(), "{event}, crash {crash}: {job:?}");
                }
                if !was_met {
                    break;
                }
                crash += 1;
            }
            assert!(crash > 5, "{crash} commits were crashed at");
        }
    });
}

#[test]
fn an_execution_of_that_name_that_somebody_else_has_started_is_left_alone() {
    test(async {
        for crash in 0..12 {
            let store = MemoryStore::new();
            let world = World::on(Arc::new(store.clone()));
            let engine = builder(&world).start().await.unwrap();
            engine.start::<Claim>("j-beside", Open).await.unwrap();
            settle(&engine).await;
            drop(engine);
            let (engine, _, _) = after_crash(store, crash, true, "~cancel").await;
            assert_eq!(open_claims(&engine).await, ["j-beside"], "crash {crash}");
        }
    });
}

#[test]
fn one_that_is_terminated_while_it_starts_a_child_leaves_none_behind() {
    let mut met = 0;
    for (seed, pause) in (0..20).flat_map(|seed| (0..12).map(move |pause| (seed, pause))) {
        let (claims, open) = Sim::run(seed, |sim| async move {
            sim.workflow(|| Errand);
            sim.workflow(|| Claim);
            sim.start::<Errand>("j", Ready).await?;
            sim.with("both", |engine| async move {
                let job = engine.execution::<Errand>("j")?;
                job.send(Begin).await?;
                for _ in 0..pause {
                    tokio::task::yield_now().await;
                }
                job.terminate("enough").await
            })
            .await?;
            sim.rest().await;
            let listed = |engine: Engine| async move { engine.list(&Query::of::<Claim>().limit(10)).await };
            let claims = sim.with("the list", listed).await?.executions;
            Ok((claims.len(), claims.iter().filter(|claim| !claim.status.is_over()).count()))
        });
        assert_eq!(open, 0, "seed {seed}, {pause}");
        met += usize::from(claims == 1);
    }
    assert!(met > 0, "in none of them was it ended between two children");
}
