//! How many bytes the file of a store has.

use std::fs;
use std::sync::Arc;

use workflow_runtime::stores::SqliteStore;

use super::load::{self, Play, Rally, Resting, settle};

/// The bytes of a file after `work` on it, when all is in the file itself.
fn size_after(work: impl AsyncFnOnce(&workflow_runtime::Engine)) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = || Arc::new(SqliteStore::open(&path).unwrap());
    load::run(async {
        let engine = load::on(open()).start().await.unwrap();
        work(&engine).await;
        engine.shutdown().await.unwrap();
    });
    // Opening moves what is in the log into the file.
    drop(open());
    fs::metadata(&path).unwrap().len()
}

/// What an execution that waits takes on the disk: its record, its key, its row of history, its place among what is due.
///
/// When it breaks: a table, an index or a column more; or names that are written out where a number would do.
#[test]
fn an_execution_that_waits_takes_few_bytes_on_the_disk() {
    const WAITING: usize = 10_000;
    const MOST: f64 = 340.0;
    let empty = size_after(async |_| {});
    let full = size_after(async |engine| {
        let starts = (0..WAITING).map(|id| (format!("execution-{id:06}"), Resting));
        engine.start_all::<Rally, _>(starts).await.unwrap();
        settle(engine).await;
    });
    let each = (full - empty) as f64 / WAITING as f64;
    println!("{each:.0} bytes on the disk for each that waits");
    assert!(each <= MOST, "{each:.0} bytes on the disk for each that waits, more than {MOST}");
}

/// A visit leaves its row of history, which takes as much after thousands of visits as at first.
///
/// When it breaks: the rows of the history have got longer, or grow with the visits.
#[test]
fn a_visit_leaves_few_bytes_on_the_disk() {
    const ROUNDS: u32 = 2_000;
    const MOST: f64 = 184.0;
    let visits = |times: u32| {
        size_after(async |engine| {
            let rally = engine.start::<Rally>("a", Resting).await.unwrap();
            for _ in 0..times {
                rally.send(Play { rounds: ROUNDS }).await.unwrap();
                settle(engine).await;
            }
        })
    };
    let [one, two, three] = [1, 2, 3].map(visits);
    let each = (three - one) as f64 / f64::from(4 * ROUNDS);
    println!("{each:.0} bytes on the disk for a visit");
    assert!(each <= MOST, "{each:.0} bytes on the disk for a visit, more than {MOST}");
    let (second, third) = (two - one, three - two);
    assert!(third.abs_diff(second) * 20 <= second, "{second} bytes for the second part, {third} for the third");
}
