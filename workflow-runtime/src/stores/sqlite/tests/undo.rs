//! Rows of what is to be undone: damaged ones are found before anything older is undone.

use super::*;
use crate::record::{Cause, UnwindInto};

/// Two executions that unwind with three steps of two visits to undo; then `sql` is done to the file, to the first of them.
fn damaged(sql: &str) -> (TempDir, PathBuf, SqliteStore, Epoch) {
    let (folder, path) = folder();
    let (store, epoch) = open(&path);
    let into = UnwindInto::State { state: "Cancelled".into(), data: text("data") };
    let activity = Activity::Unwinding { into, cause: Cause::Entry, attempts: 0, before: None };
    for id in ["a", "b"] {
        let record = Some(ExecutionRecord { activity: activity.clone(), undo_count: 3, ..record(1) });
        let undo = vec![undo(1, 1, 0), undo(1, 2, 0), undo(2, 1, 2)];
        apply(&store, vec![create(id), advance(id, epoch, 1, Advance { record, undo, ..Advance::default() })]);
    }
    drop(store);
    other_program(&path).execute_batch(sql).unwrap();
    let (store, epoch) = open(&path);
    (folder, path, store, epoch)
}

#[track_caller]
fn assert_corrupt(sql: &str) {
    let (_folder, _, store, _) = damaged(sql);
    let answer = block_on(store.load(&key("a")));
    let Err(StoreError::Corrupt { key: found, what, reason }) = answer else { panic!("{sql}: {answer:?}") };
    assert_eq!((found, what), (key("a"), "what is to be undone"), "{reason}");
    assert_eq!(block_on(store.load(&key("b"))).unwrap().unwrap().undo.len(), 3, "the other is well");
}

#[test]
fn bits_that_are_flipped() {
    assert_corrupt("UPDATE undo SET body = replace(body, 'seat', 'sEat') WHERE exec = 1 AND visit = 2");
    assert_corrupt("UPDATE undo SET checksum = checksum + 1 WHERE exec = 1 AND visit = 1 AND place = 1");
    assert_corrupt("UPDATE undo SET checksum = -1 WHERE exec = 1 AND visit = 1 AND place = 1");
    assert_corrupt("UPDATE undo SET body = CAST(x'ff00fe' AS TEXT) WHERE exec = 1 AND visit = 2");
}

#[test]
fn rows_that_stand_elsewhere() {
    assert_corrupt("UPDATE undo SET place = 9 WHERE exec = 1 AND visit = 1 AND place = 1");
    assert_corrupt("UPDATE undo SET visit = 3 WHERE exec = 1 AND visit = 2");
    assert_corrupt(
        "UPDATE undo SET (body, checksum) = (SELECT body, checksum FROM undo WHERE exec = 2 AND visit = 2)
         WHERE exec = 1 AND visit = 2",
    );
}

#[test]
fn rows_that_are_missing_or_too_many() {
    for row in ["visit = 2", "visit = 1 AND place = 1", "visit = 1 AND place = 2", "1"] {
        assert_corrupt(&format!("DELETE FROM undo WHERE exec = 1 AND {row}"));
    }
    assert_corrupt("INSERT INTO undo SELECT 1, 7, 7, checksum, body FROM undo WHERE exec = 1 AND visit = 2");
}

#[test]
fn what_damaged_rows_say_stays_for_a_person_and_goes_on_once_it_is_mended() {
    let (_folder, path, store, epoch) = damaged("UPDATE undo SET checksum = checksum + 1 WHERE exec = 1");
    block_on(store.load(&key("a"))).unwrap_err();
    let error = crate::record::ErrorRecord {
        kind: crate::record::ErrorKind::Unreadable,
        message: "damaged".to_owned(),
        sources: Vec::new(),
    };
    let change = Change::Quarantine { error, at: Timestamp::EPOCH };
    assert_eq!(commit(&store, Commit { key: key("a"), change }), Ok(Committed::Applied));
    other_program(&path).execute_batch("UPDATE undo SET checksum = checksum - 1 WHERE exec = 1").unwrap();
    let stored = block_on(store.load(&key("a"))).unwrap().unwrap();
    assert_eq!(stored.undo, [undo(1, 1, 0), undo(1, 2, 0), undo(2, 1, 2)]);
    let forget_undo = vec![undo(2, 1, 2).place()];
    let record = Some(ExecutionRecord { undo_count: 2, parked: None, ..stored.record });
    let next = Advance { record, forget_undo, ..Advance::default() };
    assert_eq!(commit(&store, advance("a", epoch, 1, next)), Ok(Committed::Applied));
    assert_eq!(block_on(store.load(&key("a"))).unwrap().unwrap().undo.len(), 2);
}

#[test]
fn the_next_are_a_stretch_of_the_rows_that_needs_no_sorting() {
    let (_folder, path) = folder();
    drop(open(&path));
    let shell = other_program(&path);
    let mut plan = shell
        .prepare("EXPLAIN QUERY PLAN SELECT body FROM undo WHERE exec = 1 ORDER BY visit DESC, place DESC LIMIT 64")
        .unwrap();
    let steps: Vec<String> = plan.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert_eq!(steps, ["SEARCH undo USING PRIMARY KEY (exec=?)"]);
}
