//! How SQLite goes about a search: what is to be quick has an index, and a page of it needs no sorting.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::*;
use crate::store::Query;
use crate::stores::sqlite::search::{NumberedWorkflow, selection};

fn orders() -> Query {
    Query { workflow: Some("Orders".into()), ..Query::default() }
}

/// The steps of the plan, one a line.
fn plan(query: &Query) -> String {
    let (_folder, path) = folder();
    drop(open(&path));
    let shell = other_program(&path);
    let workflow = NumberedWorkflow { number: Value::Integer(1), name: "Orders".into() };
    let (sql, parameters) = selection(query, &workflow, query.limit);
    let mut explained = shell.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explained.query_map(params_from_iter(parameters), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_plan(query: &Query, expected: &[&str]) {
    let plan = plan(query);
    for step in expected {
        assert!(plan.contains(step), "no `{step}` in:\n{plan}");
    }
    assert!(!plan.contains("SCAN found"), "it looks at every execution:\n{plan}");
}

#[test]
fn a_search_by_an_attribute_is_a_stretch_of_its_index() {
    let query = orders().attribute("customer", "Ada");
    let stretch = "SEARCH attributes USING COVERING INDEX attributes_by_value (workflow=? AND name=? AND value=?)";
    assert_plan(&query, &[stretch, "SEARCH found USING INTEGER PRIMARY KEY (rowid=?)"]);
    assert!(!plan(&query).contains("TEMP B-TREE"), "{}", plan(&query));
    let next = query.clone().after(key("m")).status(crate::record::Status::Parked).attribute("paid", true);
    assert_plan(
        &next,
        &["(workflow=? AND name=? AND value=? AND id>?)", "SEARCH other EXISTS USING PRIMARY KEY (exec=? AND name=?)"],
    );
    assert!(!plan(&next).contains("TEMP B-TREE"), "{}", plan(&next));
}

#[test]
fn a_search_by_the_last_error_looks_at_those_that_have_one() {
    assert_plan(&orders().error("disk"), &["USING INDEX troubled"]);
}

#[test]
fn what_is_stuck_is_found_by_two_indexes() {
    let query = Query { stuck_before: Some(Timestamp::from_millis(5)), ..orders() };
    assert_plan(&query, &["INDEX troubled", "INDEX due", "SEARCH found USING INTEGER PRIMARY KEY (rowid=?)"]);
}
