//! A workflow that is one function: in an engine, step by step, and as the function that it is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{
    Clock as _, Engine, EngineError, ExecutionId, ManualClock, Rest, Stepper, Timestamp, Trigger, Workflow,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Db {
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Archive {
    file: String,
}

/// Where backups go.
#[derive(Debug, Default)]
pub struct Store {
    files: Mutex<Vec<String>>,
    dumps: AtomicU32,
    down: AtomicU32,
}

impl Store {
    fn files(&self) -> Vec<String> {
        self.files.lock().unwrap().clone()
    }
}

/// Copies a database to the store.
#[workflow]
pub async fn nightly_backup(
    cx: &Cx,
    #[dep] store: &Arc<Store>,
    #[dep] folder: String,
    /// Which one.
    db: Db,
    #[serde(default)] mut copies: u32,
) -> Result<Archive> {
    let dump = dump(cx, store, &db).await?;
    cx.sleep(Duration::from_secs(60)).await;
    copies += 1;
    upload(cx, store, &format!("{folder}/{dump}/{copies}")).await
}

#[step]
async fn dump(_: &Cx, store: &Store, db: &Db) -> Result<String> {
    store.dumps.fetch_add(1, Ordering::SeqCst);
    Ok(format!("{}.dump", db.name))
}

#[step]
async fn upload(_: &Cx, store: &Store, file: &str) -> Result<Archive> {
    if store.down.load(Ordering::SeqCst) > 0 {
        store.down.fetch_sub(1, Ordering::SeqCst);
        return Err(Error::msg("the store is down"));
    }
    store.files.lock().unwrap().push(file.to_owned());
    Ok(Archive { file: file.to_owned() })
}

fn input() -> NightlyBackupInput {
    NightlyBackupInput { db: Db { name: "users".to_owned() }, copies: 1 }
}

fn backup(store: &Arc<Store>) -> NightlyBackup {
    NightlyBackup { store: Arc::clone(store), folder: "/safe".to_owned() }
}

#[workflow]
async fn nothing(_: &Cx) -> Result<()> {
    Ok(())
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{0} is odd")]
pub struct Odd(u32);

#[workflow(vis = pub(crate), allow(ambient_time))]
async fn halve(_: &Cx, number: u32) -> Result<u32, Odd> {
    if number.is_multiple_of(2) { Ok(number / 2) } else { Err(Odd(number)) }
}

#[tokio::test]
async fn it_is_one_running_state_of_a_stepper() {
    let store = Arc::new(Store::default());
    let mut stepper = Stepper::start(backup(&store), input()).unwrap();
    assert!(matches!(stepper.run().await.unwrap(), Rest::Waiting { until: Some(_) }));
    let NightlyBackupState::Running(NightlyBackupInput { db, copies }) = stepper.state().unwrap() else { panic!() };
    assert_eq!((db.name.as_str(), copies), ("users", 1));
    assert_eq!(stepper.advance(Duration::from_secs(60)).await.unwrap(), Rest::Ended);
    let Some(NightlyBackupOutcome::Done(NightlyBackupDone { output })) = stepper.outcome().unwrap() else { panic!() };
    assert_eq!(output, Archive { file: "/safe/users.dump/2".to_owned() });
    assert_eq!(store.dumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_crash_repeats_no_recorded_step() {
    let (disk, store) = (Arc::new(MemoryStore::new()), Arc::new(Store::default()));
    let clock = ManualClock::new(Timestamp::EPOCH);
    let engine =
        || async { Engine::on(disk.clone()).clock(clock.clone()).workflow(backup(&store)).start().await.unwrap() };
    let first = engine().await;
    first.start::<NightlyBackup>("night-1", input()).await.unwrap();
    while clock.next_due().is_none() {
        tokio::task::yield_now().await;
    }
    drop(first);
    assert_eq!((store.dumps.load(Ordering::SeqCst), store.files().len()), (1, 0));

    let second = engine().await;
    clock.advance(Duration::from_secs(60));
    let execution = second.execution::<NightlyBackup>("night-1").unwrap();
    let NightlyBackupOutcome::Done(done) = execution.outcome().await.unwrap();
    assert_eq!(done.output.file, "/safe/users.dump/2");
    assert_eq!((store.dumps.load(Ordering::SeqCst), store.files().len()), (1, 1));
}

#[tokio::test]
async fn a_failure_parks_and_is_retried_from_where_it_failed() {
    let store = Arc::new(Store { down: AtomicU32::new(1), ..Store::default() });
    let clock = ManualClock::new(Timestamp::EPOCH);
    let engine = Engine::in_memory().clock(clock.clone()).workflow(backup(&store)).start().await.unwrap();
    let execution = engine.start::<NightlyBackup>("night-1", input()).await.unwrap();
    while clock.next_due().is_none() {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(60));
    match execution.outcome().await {
        Err(EngineError::Parked { error, .. }) => assert_eq!(error.message, "the store is down"),
        other => panic!("{other:?}"),
    }
    execution.retry().await.unwrap();
    let NightlyBackupOutcome::Done(done) = execution.outcome().await.unwrap();
    assert_eq!(done.output.file, "/safe/users.dump/2");
    assert_eq!(store.dumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn it_is_still_a_function() {
    let store = Arc::new(Store::default());
    let clock = ManualClock::new(Timestamp::EPOCH);
    let cx = Cx::detached("NightlyBackup", ExecutionId::new("1").unwrap(), clock.clone());
    let passing = async {
        while clock.next_due().is_none() {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(60));
    };
    let running = nightly_backup(&cx, &store, "/safe".to_owned(), input().db, 6);
    let (archive, ()) = tokio::join!(running, passing);
    assert_eq!(archive.unwrap().file, "/safe/users.dump/7");
    assert_eq!(clock.now(), Timestamp::EPOCH + Duration::from_secs(60));
}

#[tokio::test]
async fn one_without_arguments_has_unit_types() {
    let mut stepper = Stepper::start(Nothing, NothingInput).unwrap();
    assert_eq!(stepper.run().await.unwrap(), Rest::Ended);
    assert!(matches!(stepper.outcome().unwrap(), Some(NothingOutcome::Done(NothingDone { output: () }))));
}

#[tokio::test]
async fn an_error_may_have_a_type() {
    let mut stepper = Stepper::start(Halve, HalveInput { number: 3 }).unwrap();
    let Rest::Parked(error) = stepper.run().await.unwrap() else { panic!() };
    assert_eq!(error.message, "3 is odd");
    let mut stepper = Stepper::start(Halve, HalveInput { number: 4 }).unwrap();
    assert_eq!(stepper.run().await.unwrap(), Rest::Ended);
}

#[test]
fn the_graph_is_that_of_any_workflow() {
    let graph = NightlyBackupState::GRAPH;
    assert_eq!((graph.workflow, graph.start), ("NightlyBackup", "running"));
    assert_eq!(graph.doc, "Copies a database to the store.");
    let states: Vec<_> = graph.states.iter().map(|state| (state.name, state.type_name, state.end)).collect();
    assert_eq!(states, [("running", "Running", false), ("done", "Done", true)]);
    let [handler] = graph.handlers else { panic!() };
    assert_eq!((handler.name, handler.trigger, handler.pure), ("nightly_backup", Trigger::Entry, false));
    let line = include_str!("sequential.rs").lines().position(|line| line.contains("fn nightly_backup(")).unwrap();
    assert_eq!(handler.line as usize, line + 1);
    assert_eq!(NightlyBackupTransition::NightlyBackupToDone.to(), "done");
    assert!(graph.to_mermaid().contains("running --> done : nightly_backup"), "{}", graph.to_mermaid());
}

#[test]
fn what_is_saved_is_the_input_alone() {
    let state = NightlyBackupState::from(input());
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(json, r#"{"running":{"db":{"name":"users"},"copies":1}}"#);
    let older = serde_json::from_str(r#"{"running":{"db":{"name":"users"}}}"#).unwrap();
    assert!(matches!(older, NightlyBackupState::Running(NightlyBackupInput { copies: 0, .. })));
    let _: Option<(NightlyBackupLive, NightlyBackupEvent, NightlyBackupRunningNext)> = None;
    fn name<W: Workflow>() -> &'static str {
        W::NAME
    }
    assert_eq!(name::<Halve>(), "Halve");
}

/// Copies three disks at once.
#[workflow(on_failure = unwind)]
async fn mirror(cx: &Cx, #[dep] store: &Arc<Store>, disks: Vec<String>) -> Result<u32> {
    copies(cx, store, disks).await
}

#[parallel]
async fn copies(cx: &Cx, store: &Store, disks: Vec<String>) -> Result<u32> {
    let files = upload(cx, store, &disks.concat()).await?;
    let count = upload(cx, store, &disks.join("+")).await?;
    Ok(u32::try_from(files.file.len() + count.file.len()).unwrap_or(0))
}

#[tokio::test]
async fn its_steps_may_run_in_parallel_and_what_fails_may_unwind() {
    let store = Arc::new(Store::default());
    let disks = || MirrorInput { disks: vec!["a".to_owned(), "b".to_owned()] };
    let mut stepper = Stepper::start(Mirror { store: Arc::clone(&store) }, disks()).unwrap();
    assert_eq!(stepper.run().await.unwrap(), Rest::Ended);
    assert!(matches!(stepper.outcome().unwrap(), Some(MirrorOutcome::Done(MirrorDone { output: 5 }))));
    store.down.store(2, Ordering::SeqCst);
    let mut stepper = Stepper::start(Mirror { store }, disks()).unwrap();
    assert!(matches!(stepper.run().await.unwrap(), Rest::Parked(_)));
}
