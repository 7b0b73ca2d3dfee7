//! Which files are opened, which are refused, and that a refusal leaves no trace.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

/// Everything in a folder, byte for byte.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Opening `path` fails and changes nothing in `folder`.
fn refused(folder: &TempDir, path: &Path) -> StoreError {
    let before = contents(folder.path());
    let error = SqliteStore::open(path).unwrap_err();
    assert_eq!(contents(folder.path()), before, "{error}");
    error
}

fn store_without_lock_file(path: &Path) {
    let (store, _) = open(path);
    apply(&store, vec![create("a")]);
    drop(store);
    fs::remove_file(path.with_extension("db.lock")).unwrap();
}

#[test]
fn a_closed_store_is_one_file_and_its_lock() {
    let (folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    drop(store);
    let files = contents(folder.path()).into_keys().collect::<Vec<_>>();
    assert_eq!(files, [path.clone(), path.with_extension("db.lock")]);
}

#[test]
fn the_pragmas_hold_on_the_connections_that_count() {
    let (_folder, path) = folder();
    let Opened { writer, reader, searcher, .. } = open::open(&path).unwrap();
    let number = |connection: &Connection, pragma: &str| -> i64 {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(number(&writer, "synchronous"), 2);
    assert_eq!(number(&writer, "application_id"), i64::from(schema::APPLICATION_ID));
    for connection in [&writer, &reader, &searcher] {
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        assert!(number(connection, "busy_timeout") >= 5_000);
    }
    for reader in [&reader, &searcher] {
        assert!(reader.execute("DELETE FROM executions", []).is_err(), "a reader cannot write");
    }
}

#[test]
fn an_empty_file_is_a_new_store() {
    let (_folder, path) = folder();
    fs::write(&path, b"").unwrap();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (folder, path) = folder();
    store_without_lock_file(&path);
    other_program(&path).execute_batch("PRAGMA user_version = 4").unwrap();
    let StoreError::Newer { found, .. } = refused(&folder, &path) else { panic!("it is newer") };
    assert_eq!(found, 4);
}

#[test]
fn a_newer_format_that_is_only_in_the_log_is_refused_too() {
    let (_folder, path) = folder();
    store_without_lock_file(&path);
    let newer = other_program(&path);
    newer.execute_batch("PRAGMA user_version = 4").unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Newer { found: 4, .. })));
    newer.execute_batch("PRAGMA user_version = 3").unwrap();
    let (store, _) = open(&path);
    assert!(block_on(store.load(&key("a"))).unwrap().is_some());
}

#[test]
fn what_is_no_store_is_refused_by_name() {
    let (folder, path) = folder();
    let foreign = folder.path().join("foreign.db");
    other_program(&foreign).execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let versionless = folder.path().join("versionless.db");
    store_without_lock_file(&versionless);
    other_program(&versionless).execute_batch("PRAGMA user_version = 0").unwrap();
    fs::write(
        &path,
        "Dear diary, this is a text of more than one hundred bytes, so that it could hold a header. ".repeat(3),
    )
    .unwrap();
    let short = folder.path().join("short.db");
    fs::write(&short, b"SQLite format 3\0").unwrap();
    let cases = [
        (path.as_path(), "no SQLite file"),
        (&short, "another program"),
        (&foreign, "another program"),
        (&versionless, "no format version"),
        (folder.path(), "a directory"),
        (Path::new(""), "the name of no file"),
        (Path::new(":memory:"), "`Engine::in_memory()`"),
        #[cfg(unix)]
        (Path::new("/dev/null"), "no regular file"),
    ];
    for (path, expected) in cases {
        let StoreError::NotAStore { reason, .. } = refused(&folder, path) else { panic!("{}", path.display()) };
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_store_without_its_tables_is_refused() {
    let (_folder, path) = folder();
    store_without_lock_file(&path);
    other_program(&path).execute_batch("DROP TABLE inbox").unwrap();
    let StoreError::NotAStore { reason, .. } = SqliteStore::open(&path).unwrap_err() else { panic!("it is none") };
    assert!(reason.contains("inbox"), "{reason}");
}

#[test]
fn a_missing_folder_and_no_name_at_all() {
    let (folder, path) = folder();
    for path in [folder.path().join("missing/store.db"), path.join("store.db/.."), PathBuf::new(), "..".into()] {
        let error = refused(&folder, &path);
        assert!(matches!(error, StoreError::Open { .. } | StoreError::NotAStore { .. }), "{error:?}");
    }
}

#[test]
fn a_read_only_file_or_folder_is_refused_as_such() {
    let (folder, path) = folder();
    store_without_lock_file(&path);
    let set = |path: &Path, read_only: bool| {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        permissions.set_readonly(read_only);
        fs::set_permissions(path, permissions).unwrap();
    };
    set(&path, true);
    // Permissions do not bind the superuser: then there is no such thing as a read-only file.
    if fs::OpenOptions::new().write(true).open(&path).is_err() {
        assert!(matches!(refused(&folder, &path), StoreError::ReadOnly));
    }
    set(&path, false);
    set(folder.path(), true);
    if fs::write(folder.path().join("probe"), b"").is_err() {
        assert!(matches!(refused(&folder, &path), StoreError::ReadOnly));
        assert!(matches!(refused(&folder, &folder.path().join("new.db")), StoreError::Open { .. }));
    }
    set(folder.path(), false);
}

#[cfg(unix)]
#[test]
fn a_second_open_is_refused_until_the_first_is_dropped() {
    let (folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for path in [&path, &link] {
        let StoreError::InUse { holder, .. } = SqliteStore::open(path).unwrap_err() else { panic!("it is in use") };
        assert_eq!(holder, format!("this process ({})", std::process::id()));
    }
    apply(&store, vec![create("b")]);
    drop(store);
    let (store, _) = open(&link);
    assert!(block_on(store.load(&key("b"))).unwrap().is_some());
}

#[test]
fn a_second_process_is_refused_by_name() {
    if let Some(path) = std::env::var_os("WORKFLOW_TEST_HELD_STORE") {
        return hold_a_store(Path::new(&path));
    }
    let (_folder, path) = folder();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores::sqlite::tests::files::a_second_process_is_refused_by_name", "--nocapture"])
        .env("WORKFLOW_TEST_HELD_STORE", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "held"));
    let StoreError::InUse { holder, .. } = SqliteStore::open(&path).unwrap_err() else { panic!("it is in use") };
    assert_eq!(holder, format!("process {}", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    open(&path);
}

/// The other process of the test above: itself, told by the environment to be that.
#[expect(clippy::print_stdout, reason = "tells the parent")]
fn hold_a_store(path: &Path) {
    let _store = SqliteStore::open(path).unwrap();
    println!("\nheld");
    // Until the parent kills this process, or ends itself.
    let _ = std::io::stdin().lines().next();
}

#[test]
fn others_may_look_while_it_is_open() {
    let (_folder, path) = folder();
    let (store, _) = open(&path);
    apply(&store, vec![create("a")]);
    let shell = other_program(&path);
    let read = || -> (String, String) {
        shell.query_row("SELECT id, body FROM executions", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (id, body) = read();
    assert_eq!(id, "a");
    assert!(body.contains(r#""data":"data""#), "payloads stay readable: {body}");
    apply(&store, vec![create("b")]);
    drop(store);
    read();
}

#[test]
fn an_ended_execution_leaves_its_row_and_its_history() {
    let (_folder, path) = folder();
    let (store, epoch) = open(&path);
    let journal = vec![entry("j")];
    let ended = ExecutionRecord { activity: Activity::Ended, ..record(2) };
    let commits = vec![
        create("a"),
        deliver("a", "e"),
        deliver("a", "f"),
        advance("a", epoch, 1, Advance { journal, consumed: vec![1], ..Advance::default() }),
        advance("a", epoch, 1, Advance { record: Some(ended), ..Advance::default() }),
    ];
    apply(&store, commits);
    let shell = other_program(&path);
    let rows = |table: &str| -> i64 {
        shell.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let tables = ["executions", "history", "journal", "inbox"];
    assert_eq!(tables.map(rows), [1, 2, 0, 0]);
}
