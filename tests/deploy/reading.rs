//! A store that is read and not written: while another one writes to it, and of every format.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use workflow_runtime::record::ExecutionKey;
use workflow_runtime::store::{
    Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Page, Query, Refused, StateCount, Store,
    StoreError, StoreFuture, Stored,
};
use workflow_runtime::testing::conformance::{Home, run};
use workflow_runtime::{SqliteStore, Timestamp};

/// What is written goes to one store, and what is read comes from another one that may only read.
#[derive(Debug)]
struct Pair {
    writer: SqliteStore,
    reader: SqliteStore,
}

impl Store for Pair {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.writer.acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        self.writer.commit(commits)
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        self.reader.load(key)
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        self.reader.event(key, event_id)
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        self.reader.due(workflows, now, limit)
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        self.reader.list(query)
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        self.reader.counts(workflow)
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        self.reader.history(key, after, limit)
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store of 100% #1?.db")
    }
}

impl Home for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        let writer = SqliteStore::open(self.path()).unwrap();
        Arc::new(Pair { reader: SqliteStore::open_read_only(self.path()).unwrap(), writer })
    }
}

mod beside_a_writer {
    use super::Folder;

    workflow_runtime::store_conformance!(Folder::new());
}

/// The reader was there first, when nobody had the file open.
struct ReaderFirst(Folder);

impl Home for ReaderFirst {
    async fn open(&self) -> Arc<dyn Store> {
        drop(SqliteStore::open(self.0.path()).unwrap());
        let reader = SqliteStore::open_read_only(self.0.path()).unwrap();
        reader.list(&Query::default()).await.unwrap();
        Arc::new(Pair { reader, writer: SqliteStore::open(self.0.path()).unwrap() })
    }
}

mod before_a_writer {
    use super::{Folder, ReaderFirst};

    workflow_runtime::store_conformance!(ReaderFirst(Folder::new()));
}

fn fixture(format: u32) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.path();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::copy(fixtures.join(format!("format-{format}.db")), &path).unwrap();
    (folder, path)
}

/// Everything in a folder, byte for byte.
fn contents(folder: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// All that can be read of a store.
async fn everything(store: &SqliteStore) -> String {
    let page = store.list(&Query::default()).await.unwrap();
    assert!(!page.executions.is_empty() && page.next.is_none());
    let mut told = format!("{:#?}{:#?}", page, store.counts(None).await.unwrap());
    let mut workflows: Vec<_> = page.executions.iter().map(|found| Arc::clone(&found.workflow)).collect();
    workflows.dedup();
    let known = |name: &Arc<str>| KnownWorkflow { name: Arc::clone(name), version: 1 };
    let known: Vec<_> = workflows.iter().map(known).collect();
    told += &format!("{:#?}", store.due(&known, Timestamp::MAX, 100).await.unwrap());
    for workflow in &workflows {
        let mut query = Query::default();
        query.workflow = Some(Arc::clone(workflow));
        for stuck in [false, true] {
            query.stuck_before = stuck.then_some(Timestamp::MAX);
            told += &format!("{:#?}", store.list(&query).await.unwrap());
        }
        query.stuck_before = None;
        query.error = Some("a".to_owned());
        told += &format!("{:#?}", store.list(&query).await.unwrap());
    }
    for found in page.executions {
        let key = found.key();
        let mut stored = store.load(&key).await.unwrap().unwrap();
        stored.journal.sort_by(|one, other| one.key.cmp(&other.key));
        told += &format!("{stored:#?}{:#?}", store.history(&key, 0, 1_000).await.unwrap());
        told += &format!("{:#?}", store.event(&key, "1").await.unwrap());
    }
    told
}

#[test]
fn a_file_of_every_format_is_read_as_it_would_be_if_it_were_brought_to_the_present_one_and_is_left_as_it_is() {
    run(async {
        for format in 1..=workflow_runtime::record::FORMAT_VERSION {
            let (folder, path) = fixture(format);
            let before = contents(&folder);
            let store = SqliteStore::open_read_only(&path).unwrap();
            let read = everything(&store).await;
            drop(store);
            assert_eq!(contents(&folder), before, "format {format}");
            drop(SqliteStore::open(&path).unwrap());
            let store = SqliteStore::open_read_only(&path).unwrap();
            assert_eq!(read, everything(&store).await, "format {format}");
        }
    });
}

#[test]
fn a_file_that_is_brought_to_another_format_meanwhile_is_never_read_wrongly() {
    run(async {
        // Nobody has it open: the reader looks again.
        let (_folder, path) = fixture(1);
        let store = SqliteStore::open_read_only(&path).unwrap();
        let read = everything(&store).await;
        let writer = SqliteStore::open(&path).unwrap();
        assert_eq!(read, everything(&store).await);
        drop((store, writer));

        // Somebody else has it open: the reader takes part from the beginning.
        let (_folder, path) = fixture(1);
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = WAL; UPDATE meta SET epoch = epoch").unwrap();
        let store = SqliteStore::open_read_only(&path).unwrap();
        assert_eq!(read, everything(&store).await);
        let writer = SqliteStore::open(&path).unwrap();
        assert!(matches!(store.list(&Query::default()).await, Err(StoreError::Reformatted)));
        drop(writer);
    });
}

#[test]
fn every_write_is_refused_and_says_why() {
    run(async {
        let (folder, path) = fixture(3);
        let before = contents(&folder);
        let store = SqliteStore::open_read_only(&path).unwrap();
        let refused = [store.acquire().await.unwrap_err(), store.commit(Vec::new()).await.unwrap_err()];
        for error in refused {
            assert!(matches!(error, StoreError::OpenedReadOnly), "{error}");
            assert!(error.to_string().contains("SqliteStore::open"));
        }
        assert!(!store.list(&Query::default()).await.unwrap().executions.is_empty(), "it can be read all the same");
        drop(store);
        assert_eq!(contents(&folder), before);
    });
}

#[test]
fn what_cannot_be_read_is_refused_and_nothing_is_put_there() {
    let folder = Folder::new();
    let path = folder.path();
    let reason = |path: &Path| match SqliteStore::open_read_only(path) {
        Err(StoreError::NotAStore { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(matches!(SqliteStore::open_read_only(&path), Err(StoreError::NoSuchFile { .. })));
    assert!(reason(folder.0.path()).contains("directory"));
    fs::write(&path, b"").unwrap();
    assert!(reason(&path).contains("empty"));
    fs::write(&path, "a text, and no store ".repeat(100)).unwrap();
    reason(&path);
    assert_eq!(contents(&folder).len(), 1);
    fs::remove_file(&path).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    assert!(reason(&path).contains("another program"));
    let (_folder, path) = fixture(3);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(matches!(SqliteStore::open_read_only(&path), Err(StoreError::Newer { found: 99, .. })));
}
