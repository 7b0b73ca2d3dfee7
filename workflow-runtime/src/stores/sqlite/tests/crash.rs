//! A process that dies at any point, and a log that was cut off at any byte: each commit is there whole or not at all.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

const EXECUTIONS: u64 = 8;

/// Takes every execution to visit `visit + 1`, each with its journal, an event, a row of history and what is to be undone,
/// in one call.
fn turn(epoch: Epoch, visit: u64) -> Vec<Commit> {
    let ids = (0..EXECUTIONS).map(|number| format!("n{number}"));
    let turn = |id: String| {
        let next = Advance {
            record: Some(ExecutionRecord { inbox_seen: visit, undo_count: 1, ..record(visit + 1) }),
            drop_journal: true,
            journal: vec![entry(&visit.to_string())],
            forget_undo: vec![undo(visit - 1, 1, 0).place()],
            undo: vec![undo(visit, 1, 0)],
            consumed: vec![visit],
            history: vec![history(visit + 1)],
            ..Advance::default()
        };
        [deliver(&id, &format!("e{visit}")), advance(&id, epoch, visit, next)]
    };
    ids.flat_map(turn).collect()
}

/// The visit that the store is at, after checking that every part of every execution is at it.
fn consistent_visit(store: &SqliteStore) -> u64 {
    let mut visits = (0..EXECUTIONS).map(|number| {
        let key = key(&format!("n{number}"));
        let stored = block_on(store.load(&key)).unwrap().unwrap();
        let visit = stored.record.visit;
        let history = block_on(store.history(&key, 0, usize::MAX)).unwrap();
        assert_eq!(u64::try_from(history.len()).unwrap(), visit);
        let journal: Vec<_> = stored.journal.into_iter().map(|entry| entry.key.to_string()).collect();
        let expected: Vec<_> = (visit > 1).then(|| (visit - 1).to_string()).into_iter().collect();
        assert_eq!((journal, stored.inbox), (expected, Vec::new()));
        let expected: Vec<_> = (visit > 1).then(|| undo(visit - 1, 1, 0)).into_iter().collect();
        assert_eq!(stored.undo, expected);
        visit
    });
    let first = visits.next().unwrap();
    assert!(visits.all(|visit| visit == first), "a call of one group is applied whole");
    first
}

fn begin(store: &SqliteStore) {
    apply(store, (0..EXECUTIONS).map(|number| create(&format!("n{number}"))).collect());
}

#[test]
fn a_log_that_is_cut_off_anywhere_shows_whole_commits() {
    let (folder, path) = folder();
    let (store, epoch) = open(&path);
    begin(&store);
    for visit in 1..6 {
        apply(&store, turn(epoch, visit));
    }
    // Nothing is under way, so the files are what a loss of power would leave, but for the end of the log.
    let file = fs::read(&path).unwrap();
    let log = fs::read(folder.path().join("store.db-wal")).unwrap();
    drop(store);
    assert!(log.len() > 40_000, "the log holds the turns");
    let mut seen = Vec::new();
    for cut in 0..=40 {
        let copy = folder.path().join(format!("cut{cut}.db"));
        let length = log.len() * cut / 40;
        fs::write(&copy, &file).unwrap();
        // What was not synced may also be there as rubbish.
        let mut cut_log = log[..length].to_vec();
        if cut % 2 == 1 {
            cut_log.extend(log[..length.min(10_000)].iter().map(|byte| byte ^ 0x55));
        }
        fs::write(folder.path().join(format!("cut{cut}.db-wal")), cut_log).unwrap();
        let store = SqliteStore::open(&copy).unwrap();
        if block_on(store.counts(None)).unwrap().is_empty() {
            seen.push(0);
            continue;
        }
        seen.push(consistent_visit(&store));
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen[0], seen[40]), (0, 6));
    assert!(seen.contains(&3), "{seen:?}");
}

#[test]
fn a_process_that_is_killed_keeps_what_it_acknowledged() {
    if let Some(path) = std::env::var_os("WORKFLOW_TEST_KILLED_STORE") {
        return turn_until_killed(Path::new(&path));
    }
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    begin(&store);
    drop(store);
    let mut visit = 1;
    for kill in 1..=8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "stores::sqlite::tests::crash::a_process_that_is_killed_keeps_what_it_acknowledged",
                "--nocapture",
            ])
            .env("WORKFLOW_TEST_KILLED_STORE", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("at ")?.parse().ok());
        let last: u64 = acknowledged.take(kill * 7).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let found = consistent_visit(&store);
        assert!(found >= last && last > visit, "{found} is before {last}, which was acknowledged");
        visit = found;
    }
}

/// The process that the test above kills: itself, told by the environment to be that.
#[expect(clippy::print_stdout, reason = "tells the parent")]
fn turn_until_killed(path: &Path) {
    let (store, epoch) = open(path);
    println!();
    for visit in consistent_visit(&store).. {
        apply(&store, turn(epoch, visit));
        println!("at {}", visit + 1);
    }
}
