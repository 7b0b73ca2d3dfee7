//! The columns of an SQLite file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::base::Timestamp;
use crate::block_on;
use crate::store::{KnownWorkflow, Query, Store, StoreError};
use crate::stores::SqliteStore;

/// A file that is gone afterwards, and what SQLite puts beside it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(content: &[u8]) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("workflow-columns-{}-{number}", process::id()));
        fs::create_dir_all(&folder).expect("a folder for the file");
        fs::write(folder.join("store.db"), content).expect("a place for the file");
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Whoever cleans the folder of temporary files finds it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Damages a column of the file `original`, and reads all that there is in it. The first four bytes say in which table,
/// column and row, and what kind of value it gets; the others are that. Says whether anything was damaged.
///
/// Whatever it is, the store is refused, or each read gives what it can or an error.
pub fn columns(original: &[u8], data: &[u8]) -> bool {
    let Some((&[table, column, row, kind], value)) = data.split_first_chunk::<4>() else { return false };
    let file = Scratch::new(original);
    if !damage(&file.path(), [table, column, row], any(kind, value)) {
        return false;
    }
    for open in [|path: &Path| SqliteStore::open_read_only(path), |path: &Path| SqliteStore::open(path)] {
        match open(&file.path()).map(|store| block_on(read_all(&store))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) | Err(error) => assert!(!error.to_string().is_empty(), "{error:?} says nothing"),
        }
    }
    true
}

/// A value of each type that SQLite has.
fn any(kind: u8, bytes: &[u8]) -> Value {
    let mut number = [0; 8];
    number.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    match kind % 5 {
        0 => Value::Null,
        1 => Value::Integer(i64::from_le_bytes(number)),
        2 => Value::Real(f64::from_le_bytes(number)),
        3 => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        _ => Value::Blob(bytes.to_vec()),
    }
}

/// Has a column of a row say something else, as far as SQLite permits it.
fn damage(path: &Path, [table, column, row]: [u8; 3], value: Value) -> bool {
    let change = || -> rusqlite::Result<usize> {
        let file = Connection::open(path)?;
        let names = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
                     WHERE m.type = 'table' ORDER BY m.name, c.cid";
        let mut names = file.prepare(names)?;
        let names: rusqlite::Result<Vec<(String, String)>> =
            names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
        let names = names?;
        let mut tables: Vec<&String> = names.iter().map(|(table, _)| table).collect();
        tables.dedup();
        let table = tables[usize::from(table) % tables.len()];
        let columns: Vec<&String> = names.iter().filter(|(of, _)| of == table).map(|(_, column)| column).collect();
        let column = columns[usize::from(column) % columns.len()];
        let rows: u32 = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        let row = u32::from(row) % rows.max(1);
        let update = format!(
            "UPDATE OR IGNORE {table} SET {column} = ?1 WHERE {column} IS (SELECT {column} FROM {table} LIMIT 1 OFFSET {row})"
        );
        file.execute(&update, [value])
    };
    // What the type or the key of the column forbids can be done to bytes alone.
    change().is_ok_and(|rows| rows > 0)
}

/// Reads each thing that is there, in each way that there is. An error of one execution leaves the others.
async fn read_all(store: &SqliteStore) -> Result<(), StoreError> {
    let mut query = Query::default();
    let mut known: Vec<KnownWorkflow> = Vec::new();
    loop {
        let page = store.list(&query).await?;
        for summary in page.executions {
            let key = summary.key();
            let _ = (store.load(&key).await, store.history(&key, 0, usize::MAX).await, store.inbox(&key, 0).await);
            let _ = (store.undo(&key, 64).await, store.event(&key, "e-1").await);
            let name: Arc<str> = Arc::from(&*key.workflow);
            known.push(KnownWorkflow { name, version: u32::MAX });
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    store.counts(None).await?;
    store.due(&known, Timestamp::MAX, 1_000).await?;
    Ok(())
}
