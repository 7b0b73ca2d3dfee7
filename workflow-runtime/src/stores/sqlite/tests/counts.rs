//! What the store does not do: statements planned anew, executions looked up again, syncs beyond those of groups.

use rusqlite::{StatementStatus, params};

use super::*;
use crate::record::{TimerKind, TimerRecord};
use crate::stores::sqlite::statements::Statements;

#[test]
fn a_statement_is_planned_once() {
    let (_folder, path) = folder();
    let opened = open::open(&path).unwrap();
    let mut statements = Statements::of(&opened.writer);
    let find = "SELECT exec FROM executions
        WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2";
    let mut read = opened.reader.prepare_cached(find).unwrap();
    for number in 0..10 {
        let id = number.to_string();
        assert!(!statements.find.exists(params![1, id]).unwrap());
        assert!(!read.exists(["Orders", &id]).unwrap());
    }
    let planned_anew = [statements.find.prepared().unwrap(), &mut read]
        .map(|statement| statement.get_status(StatementStatus::RePrepare));
    assert_eq!(planned_anew, [0, 0]);
}

#[test]
fn what_the_writer_wrote_it_does_not_look_up() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    apply(&store, vec![create("a")]);
    for number in 0..10 {
        let next = Advance { journal: vec![entry(&number.to_string())], ..Advance::default() };
        apply(&store, vec![advance("a", epoch, 1, next)]);
        apply(&store, vec![deliver("a", &number.to_string())]);
    }
    assert_eq!(store.stats().lookups, 0);
    drop(store);
    let (store, epoch) = open(&path);
    for _ in 0..10 {
        apply(&store, vec![advance("a", epoch, 1, Advance { history: vec![history(1)], ..Advance::default() })]);
    }
    assert_eq!(store.stats().lookups, 1);
}

#[test]
fn commits_and_groups_are_counted() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    let before = store.stats();
    apply(&store, (0..10).map(|number| create(&number.to_string())).collect());
    apply(&store, vec![create("a")]);
    assert_eq!(commit(&store, deliver("nobody", "e")), Err(Refused::Unknown));
    let after = store.stats();
    assert_eq!((after.commits - before.commits, after.groups - before.groups), (12, 3));
    block_on(store.load(&key("a"))).unwrap();
    assert_eq!((store.stats().reads, store.stats().snapshots), (1, 1));
}

#[test]
fn a_log_that_has_grown_long_is_moved_into_the_file() {
    let (folder, path) = folder();
    let (store, _) = open(&path);
    let large = |id: String| {
        let record = ExecutionRecord { data: text(&"x".repeat(1_000_000)), ..record(1) };
        Commit { key: key(&id), change: Change::Create { record: Box::new(record), history: Vec::new() } }
    };
    for number in 0..60 {
        apply(&store, vec![large(number.to_string())]);
    }
    // The last may be under way after its answer.
    apply(&store, vec![create("a")]);
    assert!(store.stats().checkpoints >= 2, "{:?}", store.stats());
    let log = std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    assert!(log < 30_000_000, "{log}");
}

#[test]
fn what_another_program_wrote_is_seen() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    apply(&store, vec![create("a"), create("b")]);
    let add = |id| advance(id, epoch, 1, Advance { history: vec![history(1)], ..Advance::default() });
    apply(&store, vec![add("a"), add("b")]);
    let shell = other_program(&path);
    shell
        .execute_batch(
            "DELETE FROM executions WHERE id = 'b';
             INSERT INTO history SELECT exec, 100, checksum, body FROM history WHERE exec = 1 AND seq = 2",
        )
        .unwrap();
    apply(&store, vec![add("a")]);
    assert_eq!(commit(&store, add("b")), Err(Refused::Unknown));
    let places: Vec<u64> = block_on(store.history(&key("a"), 0, 10)).unwrap().iter().map(|row| row.seq).collect();
    assert_eq!(places, [1, 2, 100, 101]);
    shell.execute_batch("UPDATE executions SET status = 'ended' WHERE id = 'a'").unwrap();
    assert_eq!(commit(&store, add("a")), Err(Refused::Ended));
}

#[test]
fn an_execution_that_waits_takes_little_of_the_disk() {
    const EXECUTIONS: u64 = 20_000;
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    let waiting = |number: u64| {
        let due = Timestamp::from_millis(1_800_000_000_000 + i64::try_from(number).unwrap());
        let timer = TimerRecord { handler: "reminder".into(), due, fired: false, kind: TimerKind::After };
        let at = Timestamp::from_millis(1_790_000_000_000);
        let record = ExecutionRecord::new("Pending".to_owned(), text("data"), at);
        let record = ExecutionRecord { timers: vec![timer], ..record };
        let started = HistoryKind::Started { to: record.state.clone() };
        let history = vec![HistoryRecord::new(at, 1, started)];
        Commit { key: key(&format!("order-{number:07}")), change: Change::Create { record: Box::new(record), history } }
    };
    for batch in 0..20 {
        apply(&store, (batch * EXECUTIONS / 20..(batch + 1) * EXECUTIONS / 20).map(waiting).collect());
    }
    drop(store);
    let own = EXECUTIONS * (text("data").text().len() + "order-0000000".len()) as u64;
    let each = (std::fs::metadata(&path).unwrap().len() - own) / EXECUTIONS;
    assert!(each <= 400, "{each} bytes beyond its own data");
}
