//! Rows of what is to be undone: damaged ones are found before anything older is undone.

use super::*;
use crate::record::{Cause, UndoRecord, UnwindInto};

/// Two executions that unwind with three steps of two visits to undo; then `sql` is done to the file, to the first of them.
fn damaged(sql: &str) -> (TempDir, PathBuf, SqliteStore, Epoch) {
    let (folder, path) = folder();
    let (store, epoch) = open(&path);
    for id in ["a", "b"] {
        let record = Some(unwinding(3));
        let undo = vec![undo(1, 1, 0), undo(1, 2, 0), undo(2, 1, 2)];
        apply(&store, vec![create(id), advance(id, epoch, 1, Advance { record, undo, ..Advance::default() })]);
    }
    drop(store);
    other_program(&path).execute_batch(sql).unwrap();
    let (store, epoch) = open(&path);
    (folder, path, store, epoch)
}

/// A record that unwinds, with so many left to undo.
fn unwinding(undo_count: u64) -> ExecutionRecord {
    let into = UnwindInto::State { state: "Cancelled".into(), data: text("data") };
    let activity = Activity::Unwinding { into, cause: Cause::Entry, attempts: 0, before: None };
    ExecutionRecord { activity, undo_count, ..record(1) }
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
fn one_that_is_missing_among_many_of_one_visit() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    let stack: Vec<_> = [undo(1, 1, 0)].into_iter().chain((1..=200).map(|order| undo(2, 3 * order, 1))).collect();
    let record = |count| Some(ExecutionRecord { undo_count: count, ..record(1) });
    let pushed = Advance { record: record(201), undo: stack.clone(), ..Advance::default() };
    apply(&store, vec![create("a"), advance("a", epoch, 1, pushed)]);
    let shell = other_program(&path);
    // What is to be undone is read in three pieces; where the row is missing in the first, or right below one, or in the
    // last, nothing that is older than it is handed out.
    for (count, missing) in [(201, 150), (201, 138), (201, 137), (138, 100), (75, 20)] {
        let undone = stack[count as usize..].iter().map(UndoRecord::place).collect();
        let shorter = Advance { record: Some(unwinding(count)), forget_undo: undone, ..Advance::default() };
        let restored = Advance { undo: stack[..count as usize].to_vec(), ..shorter };
        assert_eq!(commit(&store, advance("a", epoch, 1, restored)), Ok(Committed::Applied));
        let whole = block_on(store.load(&key("a"))).unwrap().unwrap().undo;
        assert_eq!(whole, stack[count as usize - 64..count as usize], "{count}");
        assert_eq!(block_on(store.undo(&key("a"), count)).unwrap(), whole);
        assert_eq!(shell.execute("DELETE FROM undo WHERE visit = 2 AND place = ?1", [3 * missing]), Ok(1));
        let answer = block_on(store.load(&key("a")));
        let Err(StoreError::Corrupt { what, .. }) = answer else { panic!("{count}, {missing}: {answer:?}") };
        assert_eq!(what, "what is to be undone");
        assert!(matches!(block_on(store.undo(&key("a"), count)), Err(StoreError::Corrupt { .. })));
    }
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
