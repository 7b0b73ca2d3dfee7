//! An SQLite file that stands for the world outside: what it has seen stays, whoever crashes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use workflow_runtime::{Context as _, Error, Result};

/// So many callers wait for their turn at most, and so many share a commit.
const QUEUE: usize = 256;

/// Does its work, and hands back what tells the caller when it is on disk.
type Job = Box<dyn FnOnce(&mut Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), String>) + Send>;

/// An SQLite file, used by one thread of its own, which commits what is there at once together. Cloning gives the same.
///
/// The path `:memory:` is a database without a file. There is no disk to wait for, so it does what it is asked at once and where
/// it is asked: what a simulated world needs, where the answer of another thread comes by chance.
#[derive(Debug, Clone)]
pub struct Database {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File(mpsc::Sender<Job>),
    // Held for one call, never over an await.
    Memory(Arc<Mutex<Connection>>),
}

impl Database {
    /// Opens the file, and gives it the tables of `schema`, a list of `CREATE TABLE IF NOT EXISTS`.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path, schema: &str) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            connection.execute_batch(schema)?;
            Ok(connection)
        };
        let connection = open().with_context(|| format!("cannot use the file {}", path.display()))?;
        if path == Path::new(":memory:") {
            return Ok(Self { place: Place::Memory(Arc::new(Mutex::new(connection))) });
        }
        let (queue, jobs) = mpsc::channel(QUEUE);
        std::thread::spawn(move || work_off(connection, jobs));
        Ok(Self { place: Place::File(queue) })
    }

    /// Has `work` done as a whole or not at all. When this returns, what it did is on disk.
    ///
    /// # Errors
    /// That of `work`, or if the file cannot be written.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let queue = match &self.place {
            Place::File(queue) => queue,
            Place::Memory(connection) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(whole(&mut connection, work)?);
            }
        };
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let done = whole(connection, work);
            Box::new(move |committed| {
                let done = committed.map_err(Error::msg).and_then(|()| done.map_err(Error::from));
                // Who has gone away does not mind.
                let _ = sender.send(done);
            })
        });
        // If the thread has stopped, the job is dropped here.
        let _ = queue.send(job).await;
        answer.await.map_err(|_| Error::msg("the file cannot be written at present"))?
    }
}

fn whole<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let savepoint = connection.savepoint()?;
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn work_off(mut connection: Connection, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while queue.blocking_recv_many(&mut jobs, QUEUE) > 0 {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            // A job that is dropped tells its caller that nothing was done.
            jobs.clear();
            continue;
        }
        let answers: Vec<Answer> = jobs.drain(..).map(|job| job(&mut connection)).collect();
        let committed = connection.execute_batch("COMMIT");
        if committed.is_err() && !connection.is_autocommit() {
            // Whoever waited is told of the first error.
            let _ = connection.execute_batch("ROLLBACK");
        }
        let committed = committed.map_err(|error| error.to_string());
        answers.into_iter().for_each(|answer| answer(committed.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_leaves_nothing_and_what_succeeds_beside_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        for path in [&*folder.path().join("d.db"), Path::new(":memory:")] {
            leaves_nothing_of_what_fails(&Database::open(path, "CREATE TABLE IF NOT EXISTS t (n INTEGER)").unwrap());
        }
    }

    fn leaves_nothing_of_what_fails(database: &Database) {
        workflow_runtime::block_on(async {
            let right = database.call(|connection| connection.execute("INSERT INTO t VALUES (1)", []));
            let wrong = database.call(|connection| {
                connection.execute("INSERT INTO t VALUES (2)", [])?;
                connection.execute("INSERT INTO nowhere VALUES (2)", [])
            });
            let (right, wrong) = tokio::join!(right, wrong);
            assert_eq!(right.unwrap(), 1);
            assert!(wrong.unwrap_err().to_string().contains("nowhere"));
            let sum = database
                .call(|connection| connection.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0)));
            assert_eq!(sum.await.unwrap(), 1);
        });
    }
}
