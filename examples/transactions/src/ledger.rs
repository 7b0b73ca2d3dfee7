//! The accounts, what was booked between them, and the alerts: an SQLite file, which stands for a bank.
//!
//! What has an effect takes an idempotency key: a second call with the same key is a repetition of the first.

use std::path::Path;

use example_support::Database;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use workflow_runtime::Result;

/// No transfer may be larger.
pub const LIMIT_CENTS: i64 = 1_000_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS accounts (
        name TEXT PRIMARY KEY, currency TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents >= 0)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS entries (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, transfer_id TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS alerts (
        key TEXT PRIMARY KEY, transfer_id TEXT NOT NULL, reason TEXT NOT NULL
    ) STRICT;";

/// An account as it is opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub name: String,
    /// In what it is kept.
    pub currency: String,
    /// What is in it.
    pub cents: i64,
}

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The customer's name for it.
    pub id: String,
    /// From which account.
    pub from: String,
    /// To which account.
    pub to: String,
    /// How much.
    pub cents: i64,
    /// Of what.
    pub currency: String,
}

/// The number of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entry(pub i64);

/// Why a transfer is not to be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It moves nothing, or backwards.
    #[error("the amount is not positive")]
    NotPositive,
    /// It is larger than any may be.
    #[error("the amount is over the limit")]
    OverLimit,
    /// It goes to where it comes from.
    #[error("both accounts are the same")]
    SameAccount,
    /// One of the accounts does not exist.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// One of the accounts is kept in something else.
    #[error("the account `{0}` is kept in {1}")]
    OtherCurrency(String, String),
    /// There is less in the account.
    #[error("the account `{0}` is {1} cents short")]
    Short(String, i64),
}

/// The accounts, and what happens to them.
#[derive(Debug, Clone)]
pub struct Ledger {
    database: Database,
}

impl Ledger {
    /// The ledger in the file `path`, with these accounts if they are new to it.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub async fn open(path: &Path, accounts: &[Account]) -> Result<Self> {
        let database = Database::open(path, SCHEMA)?;
        let accounts = accounts.to_vec();
        let open = move |connection: &Connection| {
            accounts.iter().try_for_each(|Account { name, currency, cents }| {
                let insert = "INSERT INTO accounts VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
                connection.execute(insert, params![name, currency, cents]).map(|_| ())
            })
        };
        database.call(open).await?;
        Ok(Self { database })
    }

    /// All that speaks against a transfer.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn objections(&self, transfer: &Transfer) -> Result<Vec<Refusal>> {
        let transfer = transfer.clone();
        self.database.call(move |connection| objections(connection, &transfer)).await
    }

    /// Moves the money, once for each key, or says why not.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn book(&self, transfer: &Transfer, key: String) -> Result<Result<Entry, Refusal>> {
        let transfer = transfer.clone();
        self.database.call(move |connection| book(connection, &transfer, &key)).await
    }

    /// Alerts those who are to know, once for each key.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn alert(&self, transfer_id: &str, reason: &str, key: String) -> Result<()> {
        let (transfer_id, reason) = (transfer_id.to_owned(), reason.to_owned());
        let insert = "INSERT INTO alerts VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.database.call(move |connection| connection.execute(insert, params![key, transfer_id, reason])).await?;
        Ok(())
    }

    /// What is in every account now, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let accounts = |connection: &Connection| {
            let mut select = connection.prepare("SELECT name, currency, cents FROM accounts ORDER BY name")?;
            let rows = select
                .query_map([], |row| Ok(Account { name: row.get(0)?, currency: row.get(1)?, cents: row.get(2)? }))?;
            rows.collect()
        };
        self.database.call(accounts).await
    }

    /// How many entries and how many alerts there are of a transfer.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn traces(&self, transfer_id: &str) -> Result<(i64, i64)> {
        let count = "SELECT (SELECT count(*) FROM entries WHERE transfer_id = ?1),
                            (SELECT count(*) FROM alerts WHERE transfer_id = ?1)";
        let transfer_id = transfer_id.to_owned();
        let traces = move |connection: &Connection| {
            connection.query_row(count, [transfer_id], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        self.database.call(traces).await
    }
}

fn objections(connection: &Connection, transfer: &Transfer) -> rusqlite::Result<Vec<Refusal>> {
    let Transfer { from, to, cents, currency, .. } = transfer;
    let mut objections = Vec::new();
    if *cents <= 0 {
        objections.push(Refusal::NotPositive);
    }
    if *cents > LIMIT_CENTS {
        objections.push(Refusal::OverLimit);
    }
    if from == to {
        objections.push(Refusal::SameAccount);
    }
    for name in [from, to] {
        let select = "SELECT currency, cents FROM accounts WHERE name = ?1";
        let account: Option<(String, i64)> =
            connection.query_row(select, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match account {
            None => objections.push(Refusal::NoAccount(name.clone())),
            Some((kept, _)) if kept != *currency => objections.push(Refusal::OtherCurrency(name.clone(), kept)),
            Some((_, balance)) if name == from && balance < *cents => {
                objections.push(Refusal::Short(name.clone(), cents - balance));
            }
            Some(_) => {}
        }
    }
    Ok(objections)
}

fn book(connection: &Connection, transfer: &Transfer, key: &str) -> rusqlite::Result<Result<Entry, Refusal>> {
    let known = "SELECT number FROM entries WHERE key = ?1";
    let known: Option<i64> = connection.query_row(known, [key], |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(Ok(Entry(number)));
    }
    if let Some(refusal) = objections(connection, transfer)?.into_iter().next() {
        return Ok(Err(refusal));
    }
    let Transfer { id, from, to, cents, .. } = transfer;
    for (name, change) in [(from, -cents), (to, *cents)] {
        connection.execute("UPDATE accounts SET cents = cents + ?2 WHERE name = ?1", params![name, change])?;
    }
    let insert = "INSERT INTO entries (key, transfer_id) VALUES (?1, ?2)";
    connection.execute(insert, params![key, id])?;
    Ok(Ok(Entry(connection.last_insert_rowid())))
}
