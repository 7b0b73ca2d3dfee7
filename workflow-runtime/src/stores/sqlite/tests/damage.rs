//! Damaged rows: found, told, and no concern of the others.

use super::*;
use crate::record::{ErrorKind, ErrorRecord, Status};
use crate::store::Loaded;

/// Two executions with something in each table; then `sql` is done to the file, to the first of them.
fn damaged(sql: &str) -> (TempDir, SqliteStore, Epoch) {
    let (folder, path) = folder();
    let (store, epoch) = open(&path);
    for id in ["a", "b"] {
        let journal = vec![entry("j"), entry("k")];
        let commits = vec![
            create(id),
            deliver(id, "e"),
            deliver(id, "f"),
            advance(id, epoch, 1, Advance { journal, ..Advance::default() }),
        ];
        apply(&store, commits);
    }
    drop(store);
    other_program(&path).execute_batch(sql).unwrap();
    let (store, epoch) = open(&path);
    (folder, store, epoch)
}

#[track_caller]
fn assert_corrupt<T: fmt::Debug>(answer: Result<T, StoreError>, expected: &str) {
    let Err(StoreError::Corrupt { key: found, what, reason }) = answer else { panic!("{answer:?} is not corrupt") };
    assert_eq!((found, what), (key("a"), expected), "{reason}");
}

fn assert_others_are_well(store: &SqliteStore, epoch: Epoch) {
    let stored = block_on(store.load(&key("b"))).unwrap().unwrap();
    let [damaged, whole] = block_on(store.load_many(&[key("a"), key("b")])).unwrap().try_into().unwrap();
    assert_eq!(whole.unwrap().as_ref(), Some(&stored), "what is damaged hides none of the others");
    let text = |loaded: Loaded| loaded.map_err(|error| error.to_string());
    assert_eq!(text(damaged), text(block_on(store.load(&key("a")))), "and is told as it is by itself");
    assert_eq!((stored.record, stored.journal.len(), stored.inbox.len()), (record(1), 2, 2));
    assert_eq!(block_on(store.history(&key("b"), 0, 10)).unwrap().len(), 1);
    let next = Advance { record: Some(record(2)), ..Advance::default() };
    assert_eq!(commit(store, advance("b", epoch, 1, next)), Ok(Committed::Applied));
    let page = block_on(store.list(&Query::default())).unwrap();
    let ids: Vec<_> = page.executions.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"], "damaged ones are listed too");
}

#[test]
fn a_flipped_bit_in_any_body_is_found() {
    for (table, word, flipped, what) in [
        ("executions", "\"data\":\"data", "\"data\":\"dAta", "its record"),
        ("executions", "\"visit\":1", "\"visit\":3", "its record"),
        ("journal", "done", "doNe", "its journal"),
        ("inbox", "payload", "pAyload", "its inbox"),
        ("history", "Pending", "Pendinf", "its history"),
    ] {
        let change = format!("UPDATE {table} SET body = replace(body, '{word}', '{flipped}') WHERE exec = 1");
        let (_folder, store, epoch) = damaged(&change);
        if table == "history" {
            assert_corrupt(block_on(store.history(&key("a"), 0, 10)), what);
            assert!(block_on(store.load(&key("a"))).is_ok(), "nothing reads the history to make progress");
        } else {
            assert_corrupt(block_on(store.load(&key("a"))), what);
        }
        assert_others_are_well(&store, epoch);
    }
}

#[test]
fn bytes_that_are_no_text_and_checksums_that_are_none() {
    for sql in [
        "UPDATE executions SET body = CAST(x'ff00fe' AS TEXT) WHERE exec = 1",
        "UPDATE executions SET body = '' WHERE exec = 1",
        "UPDATE executions SET checksum = -1 WHERE exec = 1",
        "UPDATE executions SET checksum = checksum + 4294967296 WHERE exec = 1",
        "UPDATE executions SET state = CAST(x'ff' AS TEXT) WHERE exec = 1",
    ] {
        let (_folder, store, epoch) = damaged(sql);
        assert_corrupt(block_on(store.load(&key("a"))), "its record");
        assert_others_are_well(&store, epoch);
    }
}

#[test]
fn columns_that_differ_from_the_body_are_found() {
    for column in [
        "state = 'Shipped'",
        "status = 'waiting'",
        "visit = 2",
        "entered_at = 7",
        "record_wake_at = NULL",
        "inbox_seen = 1",
        "last_event = 1",
        "wake_at = NULL",
        "wake_at = wake_at - 1",
        "wake_at = 9223372036854775807",
        "last_control = 2, wake_at = wake_at + 5",
    ] {
        let (_folder, store, epoch) = damaged(&format!("UPDATE executions SET {column} WHERE exec = 1"));
        assert_corrupt(block_on(store.load(&key("a"))), "its record");
        assert_others_are_well(&store, epoch);
    }
}

#[test]
fn an_event_whose_row_is_gone_is_missed() {
    for sql in [
        "DELETE FROM inbox WHERE exec = 1 AND seq = 1",
        "DELETE FROM inbox WHERE exec = 1 AND seq = 2",
        "DELETE FROM inbox WHERE exec = 1",
        "UPDATE inbox SET exec = 9 WHERE exec = 1 AND seq = 2",
        "INSERT INTO inbox SELECT 1, 3, checksum, body FROM inbox WHERE exec = 1 AND seq = 2",
        "UPDATE executions SET pending = 0 WHERE exec = 1",
        "UPDATE executions SET pending = -1 WHERE exec = 1",
        "UPDATE executions SET pending = 9223372036854775807 WHERE exec = 1",
        "UPDATE executions SET pending = -9223372036854775808 WHERE exec = 1",
    ] {
        let (_folder, store, epoch) = damaged(sql);
        assert_corrupt(block_on(store.load(&key("a"))), "its inbox");
        // What is sent to it, and consumed, does not make up for it.
        assert_eq!(commit(&store, deliver("a", "g")), Ok(Committed::Applied));
        assert_corrupt(block_on(store.load(&key("a"))), "its inbox");
        let consumed = Advance { consumed: vec![1, 2], record: Some(record(2)), ..Advance::default() };
        assert_eq!(commit(&store, advance("a", epoch, 1, consumed)), Ok(Committed::Applied));
        assert_corrupt(block_on(store.load(&key("a"))), "its inbox");
        assert_others_are_well(&store, epoch);
    }
}

#[test]
fn rows_that_stand_elsewhere_are_found() {
    for (sql, what) in [
        ("UPDATE journal SET key = 'x' WHERE exec = 1 AND key = 'j'", "its journal"),
        ("UPDATE inbox SET seq = 9 WHERE exec = 1 AND seq = 1", "its inbox"),
        (
            "UPDATE executions SET (body, checksum) = (SELECT body, checksum FROM executions WHERE exec = 2)
             WHERE exec = 1",
            "its record",
        ),
        ("UPDATE journal SET exec = 1, key = 'l' WHERE exec = 2 AND key = 'j'", "its journal"),
    ] {
        let (_folder, store, _) = damaged(sql);
        assert_corrupt(block_on(store.load(&key("a"))), what);
    }
}

#[test]
fn a_damaged_status_is_listed_as_parked() {
    let (_folder, store, epoch) = damaged("UPDATE executions SET status = 'runninh' WHERE exec = 1");
    let page = block_on(store.list(&Query::default())).unwrap();
    assert_eq!(page.executions[0].status, Status::Parked);
    assert_others_are_well(&store, epoch);
}

#[test]
fn a_damaged_number_makes_no_two_events_collide() {
    let (_folder, store, _) = damaged("UPDATE executions SET last_event = 0 WHERE exec = 1");
    assert_eq!(commit(&store, deliver("a", "g")), Ok(Committed::Applied));
    let inbox = block_on(store.load(&key("a"))).unwrap().unwrap().inbox;
    assert_eq!(inbox.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_damaged_event_is_noted_at_the_end_as_well() {
    let (_folder, store, epoch) = damaged("UPDATE inbox SET body = 'x' WHERE exec = 1 AND seq = 1");
    let ended = ExecutionRecord { activity: Activity::Ended, visit: 2, ..record(2) };
    let end = Advance { record: Some(ended), ..Advance::default() };
    assert_eq!(commit(&store, advance("a", epoch, 1, end)), Ok(Committed::Applied));
    let rows = block_on(store.history(&key("a"), 1, 10)).unwrap();
    let left: Vec<_> = rows
        .into_iter()
        .map(|row| match row.record.kind {
            HistoryKind::EventLeft { event, event_id } => (event, event_id),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [("(unreadable)", "(unreadable)"), ("Paid", "f")];
    assert_eq!(left, expected.map(|(event, id)| (event.into(), id.to_owned())));
}

#[test]
fn a_quarantined_execution_keeps_its_bytes_and_is_not_due() {
    let (folder, store, epoch) = damaged("UPDATE executions SET body = body || ' ' WHERE exec = 1");
    let error = ErrorRecord { kind: ErrorKind::Unreadable, message: "damaged".to_owned(), sources: Vec::new() };
    let change = Change::Quarantine { error: error.clone(), at: Timestamp::EPOCH };
    assert_eq!(commit(&store, Commit { key: key("a"), change }), Ok(Committed::Applied));
    assert_corrupt(block_on(store.load(&key("a"))), "its record");
    let due = block_on(store.due(&[KnownWorkflow { name: "Orders".into(), version: 1 }], Timestamp::MAX, 10)).unwrap();
    assert_eq!(due.ready, [key("b")]);
    let page = block_on(store.list(&Query::default())).unwrap();
    assert_eq!(page.executions[0].error, Some(error));
    assert_others_are_well(&store, epoch);
    drop(store);
    let shell = other_program(&folder.path().join("store.db"));
    let body: String = shell.query_row("SELECT body FROM executions WHERE exec = 1", [], |row| row.get(0)).unwrap();
    assert!(body.ends_with("} "));
}

#[test]
fn a_damaged_id_does_not_hide_when_the_next_is_due() {
    let (_folder, store, _) = damaged("UPDATE executions SET id = CAST(x'ff' AS TEXT) WHERE exec = 1");
    let workflows = [KnownWorkflow { name: "Orders".into(), version: 1 }];
    let before = Timestamp::from_millis(-1);
    assert_eq!(block_on(store.due(&workflows, before, 1)).unwrap().next, Some(Timestamp::EPOCH));
    assert_eq!(block_on(store.due(&workflows, Timestamp::EPOCH, 1)).unwrap().ready, [key("b")]);
}

#[test]
fn a_history_with_a_damaged_place_goes_on() {
    let (_folder, store, epoch) = damaged("UPDATE history SET seq = 9223372036854775807 WHERE exec = 1");
    let next = Advance { record: Some(record(2)), history: vec![history(2)], ..Advance::default() };
    assert_eq!(commit(&store, advance("a", epoch, 1, next)), Ok(Committed::Applied));
    assert_others_are_well(&store, epoch);
}
