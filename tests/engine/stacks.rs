//! A long stack of steps that are to be undone, in a file: damaged, or as older files have it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, params};
use workflow_runtime::prelude::*;
use workflow_runtime::record::{ExecutionKey, ExecutionRecord, RecordKind, UndoRecord, seal};
use workflow_runtime::{Engine, EngineError, Execution, ExecutionId};

use super::fixture::test;

#[state]
pub struct Climbing {
    left: u32,
}

#[state]
pub struct Above;

#[state(end)]
pub struct Down;

#[event]
pub struct Descend;

/// A hook at each height, and all of them taken out on the way down.
pub struct Climb {
    taken_out: Arc<Mutex<Vec<u32>>>,
}

#[workflow(start = Climbing, allow(endless_wait, fragile_step, small_machine))]
impl Climb {
    #[state]
    async fn climb(&self, cx: &Cx, climbing: Climbing) -> Result<Next<(Climbing, Above)>> {
        self.hook(cx, climbing.left).await?;
        match climbing.left {
            0 | 1 => Ok(goto(Above)),
            left => Ok(goto(Climbing { left: left - 1 })),
        }
    }

    #[on]
    fn descend(&self, _: Above, _: Descend) -> Unwind<Down> {
        Unwind(Down)
    }

    #[step(undo = take_out)]
    async fn hook(&self, _: &Cx, number: u32) -> Result<u32> {
        Ok(number)
    }

    async fn take_out(&self, _: &Cx, number: u32) -> Result<()> {
        self.taken_out.lock().unwrap().push(number);
        Ok(())
    }
}

async fn engine(path: &Path, taken_out: &Arc<Mutex<Vec<u32>>>) -> Engine {
    Engine::sqlite(path).workflow(Climb { taken_out: Arc::clone(taken_out) }).start().await.unwrap()
}

/// An execution that has put so many hooks, and waits.
async fn above(engine: &Engine, hooks: u32) -> Execution<Climb> {
    let climb = engine.start::<Climb>("a", Climbing { left: hooks }).await.unwrap();
    while !matches!(climb.state().await.unwrap(), ClimbState::Above(_)) {
        tokio::task::yield_now().await;
    }
    assert_eq!(climb.record().await.unwrap().left_to_undo(), u64::from(hooks));
    climb
}

#[test]
fn a_damaged_row_parks_before_anything_older_is_undone_and_goes_on_once_it_is_mended() {
    const HOOKS: u32 = 200;
    // The hook with the number 101 was put in the visit 100.
    for (damage, mend) in [
        (
            "UPDATE undo SET checksum = checksum + 1 WHERE visit = 100",
            "UPDATE undo SET checksum = checksum - 1 WHERE visit = 100",
        ),
        ("UPDATE undo SET exec = 77 WHERE visit = 100", "UPDATE undo SET exec = 1 WHERE visit = 100"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("climbs.db");
        let taken_out = Arc::default();
        test(async {
            let engine = engine(&path, &taken_out).await;
            let climb = above(&engine, HOOKS).await;
            let shell = Connection::open(&path).unwrap();
            assert_eq!(shell.execute(damage, []).unwrap(), 1);
            climb.send(Descend).await.unwrap();
            let error = climb.outcome().await.unwrap_err();
            assert!(matches!(&error, EngineError::Parked { .. }), "{error}");
            let newest = taken_out.lock().unwrap().clone();
            assert!(newest.len() > 10 && newest.len() < 101, "{damage}: {newest:?}");
            assert!(newest.iter().copied().eq(1..=newest.len() as u32), "{damage}: {newest:?}");
            assert_eq!(shell.execute(mend, []).unwrap(), 1);
            climb.retry().await.unwrap();
            let ClimbOutcome::Down(_) = climb.outcome().await.unwrap();
            assert!(taken_out.lock().unwrap().iter().copied().eq(1..=HOOKS), "{damage}: each once, the newest first");
            let left: i64 = shell.query_row("SELECT count(*) FROM undo", [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{damage}");
            engine.shutdown().await.unwrap();
        });
    }
}

/// Makes of the file what versions before this one wrote: the stack in the record.
fn put_into_record(path: &Path, key: &ExecutionKey) {
    let shell = Connection::open(path).unwrap();
    let body: String = shell.query_row("SELECT body FROM executions", [], |row| row.get(0)).unwrap();
    let mut record: ExecutionRecord = serde_json::from_str(&body).unwrap();
    let mut rows = shell.prepare("SELECT body FROM undo ORDER BY visit, place").unwrap();
    let undo = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let undo = undo.map(|body| UndoRecord { older: 0, ..serde_json::from_str(&body.unwrap()).unwrap() });
    record.undo = undo.collect();
    record.undo_count = 0;
    let sealed = seal(RecordKind::Execution, key, &record).unwrap();
    assert!(sealed.body.contains("\"undo\":[") && !sealed.body.contains("undo_count"), "{}", sealed.body);
    let parameters = params![sealed.body, sealed.checksum];
    assert_eq!(shell.execute("UPDATE executions SET body = ?1, checksum = ?2", parameters).unwrap(), 1);
    shell.execute("DELETE FROM undo", []).unwrap();
}

#[test]
fn what_older_files_have_in_the_record_is_undone_as_well() {
    const HOOKS: u32 = 150;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("climbs.db");
    let taken_out = Arc::default();
    test(async {
        let first = engine(&path, &taken_out).await;
        above(&first, HOOKS).await;
        first.shutdown().await.unwrap();
        drop(first);
        let key = ExecutionKey { workflow: "Climb".into(), id: ExecutionId::new("a").unwrap() };
        put_into_record(&path, &key);

        let second = engine(&path, &taken_out).await;
        let climb = second.execution::<Climb>("a").unwrap();
        assert_eq!(climb.record().await.unwrap().left_to_undo(), u64::from(HOOKS));
        climb.send(Descend).await.unwrap();
        let ClimbOutcome::Down(_) = climb.outcome().await.unwrap();
        assert!(taken_out.lock().unwrap().iter().copied().eq(1..=HOOKS), "each once, the newest first");
        assert_eq!(climb.record().await.unwrap().left_to_undo(), 0);
        second.shutdown().await.unwrap();
    });
}
