//! What is read of many executions: from the columns alone, so that a damaged record hides none of the others.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::apply::status;
use super::error::failed;
use super::schema::from_sql;
use crate::base::{ExecutionId, Timestamp};
use crate::record::{ExecutionKey, ParkedRecord};
use crate::store::{Due, ExecutionSummary, Page, Query, StateCount, StoreError};

/// See [`Store::due`](crate::store::Store::due).
pub(super) fn due(
    connection: &Connection,
    workflows: &[Arc<str>],
    now: Timestamp,
    limit: usize,
) -> Result<Due, StoreError> {
    let mut first = Vec::new();
    for workflow in workflows {
        first.extend(first_due(connection, workflow, now, limit).map_err(failed)?);
    }
    first.sort();
    first.dedup();
    let mut due = Due::default();
    for (wake_at, key) in first {
        if wake_at > now || due.ready.len() == limit {
            due.next = Some(wake_at);
            break;
        }
        due.ready.push(key);
    }
    Ok(due)
}

/// The first of `workflow` that are due at `now`, and the one after them.
fn first_due(
    connection: &Connection,
    workflow: &Arc<str>,
    now: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<(Timestamp, ExecutionKey)>> {
    let mut statement = connection.prepare_cached(
        "SELECT wake_at, id FROM executions WHERE workflow = ?1 AND wake_at IS NOT NULL
         ORDER BY wake_at LIMIT ?2",
    )?;
    let mut rows = statement.query(params![&**workflow, sql_limit(limit.saturating_add(1))])?;
    let mut first = Vec::new();
    while let Some(row) = rows.next()? {
        let wake_at = Timestamp::from_millis(row.get(0)?);
        first.extend(id(row, 1)?.map(|id| (wake_at, ExecutionKey { workflow: Arc::clone(workflow), id })));
        if wake_at > now {
            break;
        }
    }
    Ok(first)
}

/// See [`Store::list`](crate::store::Store::list).
pub(super) fn list(connection: &Connection, query: &Query) -> Result<Page, StoreError> {
    let mut executions = select(connection, query).map_err(failed)?;
    let has_more = executions.len() > query.limit;
    executions.truncate(query.limit);
    let next = executions.last().map(ExecutionSummary::key).filter(|_| has_more);
    Ok(Page { executions, next })
}

fn select(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<ExecutionSummary>> {
    let mut sql = String::from(
        "SELECT workflow, id, state, status, visit, entered_at, wake_at, parked FROM executions WHERE TRUE",
    );
    let mut parameters: Vec<Value> = Vec::new();
    if let Some(after) = &query.after {
        sql.push_str(" AND (workflow, id) > (?, ?)");
        parameters.extend([text(&after.workflow), text(after.id.as_str())]);
    }
    if let Some(workflow) = &query.workflow {
        sql.push_str(" AND workflow = ?");
        parameters.push(text(workflow));
    }
    if !query.statuses.is_empty() {
        sql.push_str(" AND status IN (SELECT value FROM json_each(?))");
        let names: Vec<_> = query.statuses.iter().map(|status| status.name()).collect();
        parameters.push(text(&serde_json::Value::from(names).to_string()));
    }
    if !query.states.is_empty() {
        sql.push_str(" AND state IN (SELECT value FROM json_each(?))");
        parameters.push(text(&serde_json::Value::from(query.states.as_slice()).to_string()));
    }
    sql.push_str(" ORDER BY workflow, id LIMIT ?");
    parameters.push(Value::Integer(sql_limit(query.limit.saturating_add(1))));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(parameters), summary)?;
    rows.filter_map(Result::transpose).collect()
}

/// See [`Store::counts`](crate::store::Store::counts).
pub(super) fn counts(connection: &Connection, workflow: Option<&str>) -> Result<Vec<StateCount>, StoreError> {
    let sql = match workflow {
        Some(_) => "SELECT workflow, state, status, COUNT(*) FROM executions WHERE workflow = ?1 GROUP BY 1, 2, 3",
        None => "SELECT workflow, state, status, COUNT(*) FROM executions GROUP BY 1, 2, 3",
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
fn summary(row: &Row<'_>) -> rusqlite::Result<Option<ExecutionSummary>> {
    let Some(id) = id(row, 1)? else { return Ok(None) };
    let key = ExecutionKey { workflow: lossy(row, 0)?.into(), id };
    let entered_at = Timestamp::from_millis(row.get(5)?);
    let mut summary =
        ExecutionSummary::new(key, lossy(row, 2)?, status(row.get_ref(3)?), from_sql(row.get(4)?), entered_at);
    summary.wake_at = row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis);
    let parked = row.get_ref(7)?.as_bytes_or_null()?;
    let parked = parked.and_then(|parked| serde_json::from_slice::<ParkedRecord>(parked).ok());
    summary.error = parked.map(|parked| parked.error);
    Ok(Some(summary))
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ExecutionId>> {
    Ok(row.get_ref(column)?.as_str().ok().and_then(|id| ExecutionId::new(id).ok()))
}

fn lossy(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
