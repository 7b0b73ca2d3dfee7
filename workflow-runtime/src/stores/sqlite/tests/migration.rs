//! Files of older formats: brought to the present one as a whole, or left as they were.

use std::fs;

use super::*;
use crate::record::{FORMAT_VERSION, Status};

/// A file that the first format's version of this crate wrote, in a folder of its own.
fn old_file() -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/format-1.db");
    fs::copy(fixture, &path).unwrap();
    (folder, path)
}

fn version(path: &Path) -> u32 {
    other_program(path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// Every table and index, with its columns: what the two ways to a file have to agree in.
fn shape(path: &Path) -> Vec<String> {
    let connection = other_program(path);
    let mut tables = connection
        .prepare(
            "SELECT name || ': ' || COALESCE((SELECT group_concat(name) FROM pragma_table_xinfo(master.name)), '')
                 || ' / ' || COALESCE((SELECT group_concat(COALESCE(name, '')) FROM pragma_index_xinfo(master.name)), '')
             FROM sqlite_master AS master ORDER BY name",
        )
        .unwrap();
    tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn bodies(path: &Path) -> Vec<String> {
    let connection = other_program(path);
    let mut bodies = connection.prepare("SELECT body FROM executions ORDER BY exec").unwrap();
    bodies.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn an_old_file_becomes_what_a_new_one_is() {
    let (_old, old) = old_file();
    let (_new, new) = folder();
    let before = bodies(&old);
    drop(open(&old));
    drop(open(&new));
    assert_eq!((version(&old), version(&new)), (FORMAT_VERSION, FORMAT_VERSION));
    assert_eq!(shape(&old), shape(&new));
    assert!(
        shape(&new).contains(&"replies: exec,event_id,checksum,body / exec,event_id,checksum,body".to_owned()),
        "{:?}",
        shape(&new)
    );
    assert_eq!(bodies(&old), before, "no record is touched");
    drop(open(&old));
    assert_eq!(bodies(&old), before);
}

#[test]
fn what_is_parked_in_an_old_file_is_found_by_its_error() {
    let (_folder, path) = old_file();
    let (store, _) = open(&path);
    let page = block_on(store.list(&Query::default().status(Status::Parked))).unwrap();
    assert_eq!(page.executions.len(), 1);
    let found: (String, String, String) = other_program(&path)
        .query_row("SELECT id, error, error_kind FROM executions WHERE error IS NOT NULL", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(found, ("parked".to_owned(), "the disk is on fire".to_owned(), "failed".to_owned()));
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let (_folder, path) = old_file();
    let before = bodies(&path);
    // A table of the newest format is in the way: everything of the formats before has been done by then.
    other_program(&path).execute_batch("CREATE TABLE workflows (what TEXT)").unwrap();
    let old_shape = shape(&path);
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Open { .. })));
    assert_eq!((version(&path), shape(&path), bodies(&path)), (1, old_shape, before.clone()));
    other_program(&path).execute_batch("DROP TABLE workflows").unwrap();
    drop(open(&path));
    assert_eq!((version(&path), bodies(&path)), (FORMAT_VERSION, before));
}

#[test]
fn a_migration_that_was_cut_off_anywhere_is_whole_or_not_there() {
    let (folder, path) = old_file();
    let mut opened = open::open(&path).unwrap();
    drop(std::mem::replace(&mut opened.reader, Connection::open_in_memory().unwrap()));
    drop(std::mem::replace(&mut opened.searcher, Connection::open_in_memory().unwrap()));
    // The log holds the migration alone: what came before it was moved into the file.
    let file = fs::read(&path).unwrap();
    let log = fs::read(folder.path().join("store.db-wal")).unwrap();
    let mut seen = Vec::new();
    for cut in 0..=10 {
        let copy = folder.path().join(format!("cut{cut}.db"));
        fs::write(&copy, &file).unwrap();
        fs::write(folder.path().join(format!("cut{cut}.db-wal")), &log[..log.len() * cut / 10]).unwrap();
        seen.push(version(&copy));
        drop(open(&copy));
        assert_eq!((version(&copy), bodies(&copy).len()), (FORMAT_VERSION, 5));
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen[0], seen[10]), (1, FORMAT_VERSION));
}
