//! What is read of many executions: from the columns alone, so that a damaged record hides none of the others.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::apply::status;
use super::error::failed;
use super::schema::{from_sql, version_from_sql};
use crate::base::{ExecutionId, Timestamp};
use crate::record::{AttributeValue, ExecutionKey, ParkedRecord};
use crate::store::{Due, ExecutionSummary, KnownWorkflow, Page, Query, StateCount, StoreError};

/// See [`Store::due`](crate::store::Store::due).
pub(super) fn due(
    connection: &Connection,
    workflows: &[KnownWorkflow],
    now: Timestamp,
    limit: usize,
) -> Result<Due, StoreError> {
    let (mut due, mut first) = (Due::default(), Vec::new());
    for KnownWorkflow { name, version: newest } in workflows {
        // One version after the other: each is a stretch of the index, and those past the newest are not read.
        let mut version = None;
        while let Some(next) = next_version(connection, name, version, *newest).map_err(failed)? {
            first.extend(first_due(connection, name, next, now, limit).map_err(failed)?);
            version = Some(next);
        }
        let newer = next_version(connection, name, Some(i64::from(*newest)), u32::MAX).map_err(failed)?;
        due.newer
            .extend(newer.map(|version| KnownWorkflow { name: Arc::clone(name), version: version_from_sql(version) }));
    }
    first.sort();
    first.dedup();
    for (wake_at, key) in first {
        if wake_at > now || due.ready.len() == limit {
            due.next = Some(wake_at);
            break;
        }
        due.ready.push(key);
    }
    Ok(due)
}

/// The next version up to `newest` that executions of `workflow` have which wait for a time.
fn next_version(
    connection: &Connection,
    workflow: &str,
    after: Option<i64>,
    newest: u32,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT MIN(version) FROM executions
         WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND wake_at IS NOT NULL
             AND version > ?2 AND version <= ?3",
    )?;
    statement.query_row(params![workflow, after.unwrap_or(-1), newest], |row| row.get(0))
}

/// The first of `workflow` in `version` that are due at `now`, and the one after them.
fn first_due(
    connection: &Connection,
    workflow: &Arc<str>,
    version: i64,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<(Timestamp, ExecutionKey)>> {
    let mut statement = connection.prepare_cached(
        "SELECT wake_at, id FROM executions
         WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND version = ?2
             AND wake_at IS NOT NULL
         ORDER BY wake_at",
    )?;
    let mut rows = statement.query(params![&**workflow, version])?;
    let mut first = Vec::new();
    while let Some(row) = rows.next()? {
        let wake_at = Timestamp::from_millis(row.get(0)?);
        // One whose id is damaged cannot be asked for, and is passed over: it may be the only one before `now`.
        let Some(id) = id(row, 1)? else { continue };
        first.push((wake_at, ExecutionKey { workflow: Arc::clone(workflow), id }));
        if wake_at > now || first.len() > limit {
            break;
        }
    }
    Ok(first)
}

/// See [`Store::list`](crate::store::Store::list).
pub(super) fn list(connection: &Connection, query: &Query) -> Result<Page, StoreError> {
    let mut executions = find(connection, query).map_err(failed)?;
    let has_more = executions.len() > query.limit;
    executions.truncate(query.limit);
    let next = executions.last().map(ExecutionSummary::key).filter(|_| has_more);
    Ok(Page { executions, next })
}

/// A page, and the first one after it: one workflow after the other, so that each is a stretch of an index.
fn find(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<ExecutionSummary>> {
    let mut found = Vec::new();
    for workflow in workflows(connection, query)? {
        let wanted = query.limit.saturating_add(1) - found.len();
        let (sql, parameters) = selection(query, &workflow, wanted);
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(parameters), |row| summary(row, &workflow.name))?;
        for summary in rows {
            found.extend(summary?);
        }
        if found.len() > query.limit {
            break;
        }
    }
    Ok(found)
}

/// A workflow and its number.
pub(super) struct NumberedWorkflow {
    pub(super) number: Value,
    pub(super) name: Arc<str>,
}

/// The workflows that a page may be of, in their order.
fn workflows(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<NumberedWorkflow>> {
    let mut statement = connection.prepare_cached(
        "SELECT workflow, name FROM workflows WHERE name >= ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name",
    )?;
    let first = query.after.as_ref().map_or("", |after| &*after.workflow);
    let rows = statement.query_map(params![first, query.workflow.as_deref()], |row| {
        Ok(NumberedWorkflow { number: row.get(0)?, name: lossy(row, 1)?.into() })
    })?;
    rows.collect()
}

/// The columns that [`summary`] reads.
const SUMMARY: &str =
    "found.id, found.state, found.status, found.visit, found.entered_at, found.wake_at, found.parked, found.failing,
     found.version";

/// The statement that `query` is for one workflow, with its parameters.
pub(super) fn selection(query: &Query, workflow: &NumberedWorkflow, limit: usize) -> (String, Vec<Value>) {
    let mut selection = Selection::default();
    let mut attributes = query.attributes.iter();
    let first = attributes.next();
    // A page of those that have an attribute is one stretch of its index, and in order.
    let place = match first {
        Some((name, value)) => {
            selection.sql =
                format!("SELECT {SUMMARY} FROM attributes CROSS JOIN executions AS found USING (exec) WHERE");
            selection.add(
                " attributes.workflow = ? AND attributes.name = ? AND attributes.value = ?",
                [text(&workflow.name), text(name), json(value)],
            );
            "attributes"
        }
        None => {
            selection.sql = format!("SELECT {SUMMARY} FROM ");
            match query.stuck_before {
                Some(time) => selection.start_with_stuck(&workflow.number, time),
                None => selection.add("executions AS found", []),
            }
            selection.add(" WHERE found.workflow = ?", [workflow.number.clone()]);
            "found"
        }
    };
    if let Some(after) = query.after.as_ref().filter(|after| after.workflow == workflow.name) {
        selection.add(&format!(" AND {place}.id > ?"), [text(after.id.as_str())]);
    }
    for (name, value) in attributes {
        let other = " AND EXISTS (SELECT 1 FROM attributes AS other
            WHERE other.exec = found.exec AND other.name = ? AND other.value = ?)";
        selection.add(other, [text(name), json(value)]);
    }
    selection.one_of("found.status", query.statuses.iter().map(|status| status.name()));
    selection.one_of("found.state", query.states.iter().map(String::as_str));
    selection.one_of("found.error_kind", query.error_kinds.iter().map(|kind| kind.name()));
    if let Some(version) = query.version {
        selection.add(" AND found.version = ?", [Value::Integer(version.into())]);
    }
    if let Some(version) = query.before_version {
        selection.add(" AND found.version < ?", [Value::Integer(version.into())]);
    }
    if let Some(time) = query.entered_before {
        selection.add(" AND found.entered_at < ?", [Value::Integer(time.as_millis())]);
    }
    if let Some(part) = &query.error {
        // Without the first half, SQLite would not see that the index of those with errors will do.
        selection.add(" AND found.error IS NOT NULL AND instr(lower(found.error), lower(?)) > 0", [text(part)]);
    }
    if let (Some(time), Some(_)) = (query.stuck_before, first) {
        let stuck = " AND (found.error IS NOT NULL OR found.wake_at < ?)";
        selection.add(stuck, [Value::Integer(time.as_millis())]);
    }
    selection.add(&format!(" ORDER BY {place}.id LIMIT ?"), [Value::Integer(sql_limit(limit))]);
    (selection.sql, selection.parameters)
}

/// A statement in the making.
#[derive(Default)]
struct Selection {
    sql: String,
    parameters: Vec<Value>,
}

impl Selection {
    fn add<const COUNT: usize>(&mut self, sql: &str, parameters: [Value; COUNT]) {
        self.sql.push_str(sql);
        self.parameters.extend(parameters);
    }

    fn one_of<'a>(&mut self, column: &str, values: impl Iterator<Item = &'a str>) {
        let values: Vec<_> = values.collect();
        if !values.is_empty() {
            let values = serde_json::Value::from(values).to_string();
            self.add(&format!(" AND {column} IN (SELECT value FROM json_each(?))"), [Value::Text(values)]);
        }
    }

    /// Those that are stuck, each half by its index: few, whatever there is besides. That of what is due is gone through version
    /// by version.
    fn start_with_stuck(&mut self, workflow: &Value, before: Timestamp) {
        let before = Value::Integer(before.as_millis());
        self.add(
            "(SELECT exec FROM executions WHERE workflow = ? AND error IS NOT NULL UNION
              SELECT exec FROM executions WHERE workflow = ? AND wake_at IS NOT NULL AND wake_at < ? AND version IN (
                  WITH RECURSIVE versions (version) AS (
                      SELECT MIN(version) FROM executions WHERE workflow = ? AND wake_at IS NOT NULL
                      UNION ALL SELECT (
                          SELECT MIN(version) FROM executions
                          WHERE workflow = ? AND wake_at IS NOT NULL AND version > versions.version
                      ) FROM versions WHERE versions.version IS NOT NULL
                  ) SELECT version FROM versions WHERE version IS NOT NULL
              )) AS stuck
             CROSS JOIN executions AS found USING (exec)",
            [workflow.clone(), workflow.clone(), before, workflow.clone(), workflow.clone()],
        );
    }
}

/// See [`Store::counts`](crate::store::Store::counts).
pub(super) fn counts(connection: &Connection, workflow: Option<&str>) -> Result<Vec<StateCount>, StoreError> {
    let sql = match workflow {
        Some(_) => {
            "SELECT name, state, status, COUNT(*) FROM executions JOIN workflows USING (workflow)
             WHERE name = ?1 GROUP BY name, state, status"
        }
        None => {
            "SELECT name, state, status, COUNT(*) FROM executions JOIN workflows USING (workflow)
             GROUP BY name, state, status"
        }
    };
    let counts = || -> rusqlite::Result<Vec<StateCount>> {
        let mut statement = connection.prepare_cached(sql)?;
        let count = |row: &Row<'_>| {
            Ok(StateCount {
                workflow: lossy(row, 0)?.into(),
                state: lossy(row, 1)?,
                status: status(row.get_ref(2)?),
                count: from_sql(row.get(3)?),
            })
        };
        statement.query_map(params_from_iter(workflow), count)?.collect()
    };
    let mut counts = counts().map_err(failed)?;
    counts.sort_by_cached_key(|count| (Arc::clone(&count.workflow), count.state.clone(), count.status));
    Ok(counts)
}

/// The summary in a row; `None` if not even its key can be read, so that nobody could ask for it.
fn summary(row: &Row<'_>, workflow: &Arc<str>) -> rusqlite::Result<Option<ExecutionSummary>> {
    let Some(id) = id(row, 0)? else { return Ok(None) };
    let key = ExecutionKey { workflow: Arc::clone(workflow), id };
    let entered_at = Timestamp::from_millis(row.get(4)?);
    let mut summary =
        ExecutionSummary::new(key, lossy(row, 1)?, status(row.get_ref(2)?), from_sql(row.get(3)?), entered_at);
    summary.wake_at = row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis);
    let parked = row.get_ref(6)?.as_bytes_or_null()?;
    let parked = parked.and_then(|parked| serde_json::from_slice::<ParkedRecord>(parked).ok());
    summary.parked_at = parked.as_ref().map(|parked| parked.at);
    summary.error = parked.map(|parked| parked.error);
    let failing = row.get_ref(7)?.as_bytes_or_null()?;
    summary.failing = failing.and_then(|failing| serde_json::from_slice(failing).ok());
    summary.version = version_from_sql(row.get(8)?);
    Ok(Some(summary))
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ExecutionId>> {
    Ok(row.get_ref(column)?.as_str().ok().and_then(|id| ExecutionId::new(id).ok()))
}

fn lossy(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
}

fn json(value: &AttributeValue) -> Value {
    // What has no JSON is in no column.
    value.to_json().map_or(Value::Null, |json| text(json.text()))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
