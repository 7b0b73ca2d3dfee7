//! Every row runs, at a tiny size, and finds what can be true.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic: that is how they fail")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs some rows, and gives what they found.
fn figures(rows: &[&str]) -> Vec<Value> {
    let scratch = tempfile::tempdir().unwrap();
    let json = scratch.path().join("figures.json");
    let mut benches = Command::new(env!("CARGO_BIN_EXE_workflow-benches"));
    benches.args(rows).args(["--smoke", "--no-peers", "--json"]).arg(&json);
    for place in ["--disk", "--memory"] {
        benches.arg(place).arg(scratch.path());
    }
    let output = benches.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    left_behind(scratch.path());
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    report["figures"].as_array().unwrap().clone()
}

fn left_behind(scratch: &Path) {
    let names: Vec<_> = scratch.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["figures.json"], "the files of a row go with it");
}

fn is_sane(figure: &Value) -> bool {
    let value = figure["value"].as_f64();
    // What is a difference of two measurements may be anything at this size.
    let is_difference = figure["what"].as_str().is_some_and(|what| what.contains("memory"));
    value.is_some_and(|value| is_difference || value >= 0.0)
}

#[test]
fn every_row_finds_what_can_be_true() {
    let rows = ["steps", "transitions", "parallel", "recovery", "visits", "waiting", "burst"];
    let figures = figures(&rows);
    let mut count = BTreeMap::new();
    for figure in &figures {
        assert!(is_sane(figure), "{figure}");
        *count.entry(figure["row"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert!(count.keys().copied().eq(rows.iter().copied().collect::<std::collections::BTreeSet<_>>()));
    assert!(count.values().all(|count| *count >= 5), "{count:?}");

    let lost: Vec<_> = figures.iter().filter(|figure| figure["what"].as_str().unwrap().contains("lost")).collect();
    assert!(lost.len() >= 5, "{lost:?}");
    assert!(lost.iter().all(|figure| figure["value"] == 0.0), "{lost:?}");
    let without_need = figures.iter().filter(|figure| figure["what"] == "of these, not in flight when killed");
    assert!(without_need.clone().count() >= 2);
    assert!(without_need.clone().all(|figure| figure["value"] == 0.0));
}

#[test]
fn an_unknown_row_is_refused_with_the_names_of_those_that_there_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_workflow-benches")).arg("stepps").output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no row `stepps`; there are steps, "), "{said}");
}
