//! What a check has found, in groups: as many lines as there are kinds of trouble, however many executions there are.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Misfit, Unknown};
use crate::store::ExecutionSummary;

/// The most ids that a group names.
const NAMED: usize = 5;

/// The most groups that a report has of a kind: with more, something is wrong that is not about single executions.
const GROUPS: usize = 1_000;

/// What came of a [check](crate::EngineBuilder::check). Displayed, it is a table.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many executions have not ended, and were tried.
    pub tried: u64,
    /// How many of them go on with this code.
    pub fit: u64,
    /// How many go on, by workflow and state.
    pub fitting: Vec<FitGroup>,
    /// Those that do not go on with this code, by workflow, state and reason. One that does not for several reasons is in several.
    pub misfits: Vec<CheckGroup<Misfit>>,
    /// What cannot be told from outside, and may be as it should, by workflow and state.
    pub unknown: Vec<CheckGroup<Unknown>>,
    /// How many further reasons there are: that a thousand groups are full.
    pub left_out: u64,
}

/// Executions that go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FitGroup {
    /// The workflow's persisted name.
    pub workflow: String,
    /// The persisted name of the state.
    pub state: String,
    /// How many.
    pub count: u64,
}

/// Executions of which the same is to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckGroup<R> {
    /// The workflow's persisted name.
    pub workflow: String,
    /// The persisted name of the state.
    pub state: String,
    /// What is to be said of them.
    #[serde(flatten)]
    pub reason: R,
    /// How many.
    pub count: u64,
    /// The ids of the first of them.
    pub ids: Vec<String>,
}

impl CheckReport {
    /// Whether every execution goes on with this code.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.misfits.is_empty() && self.left_out == 0
    }
}

/// A report in the making.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    tried: u64,
    fit: u64,
    fitting: BTreeMap<(String, String), u64>,
    misfits: Groups<Misfit>,
    unknown: Groups<Unknown>,
}

impl Reporter {
    /// Adds what was found of one execution.
    pub(super) fn add(&mut self, found: &ExecutionSummary, mut misfits: Vec<Misfit>, mut unknown: Vec<Unknown>) {
        self.tried += 1;
        misfits.sort_unstable();
        misfits.dedup();
        unknown.sort_unstable();
        unknown.dedup();
        if misfits.is_empty() {
            self.fit += 1;
            *self.fitting.entry((found.workflow.to_string(), found.state.clone())).or_default() += 1;
        }
        misfits.into_iter().for_each(|misfit| self.misfits.add(found, misfit));
        unknown.into_iter().for_each(|unknown| self.unknown.add(found, unknown));
    }

    pub(super) fn into_report(self) -> CheckReport {
        let fitting = self.fitting.into_iter().map(|((workflow, state), count)| FitGroup { workflow, state, count });
        CheckReport {
            tried: self.tried,
            fit: self.fit,
            fitting: fitting.collect(),
            left_out: self.misfits.left_out,
            misfits: self.misfits.into_groups(),
            unknown: self.unknown.into_groups(),
        }
    }
}

#[derive(Debug)]
struct Groups<R> {
    groups: BTreeMap<(String, String, R), (u64, Vec<String>)>,
    left_out: u64,
}

impl<R> Default for Groups<R> {
    fn default() -> Self {
        Self { groups: BTreeMap::new(), left_out: 0 }
    }
}

impl<R: Ord> Groups<R> {
    fn add(&mut self, found: &ExecutionSummary, reason: R) {
        let key = (found.workflow.to_string(), found.state.clone(), reason);
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let (count, ids) = self.groups.entry(key).or_default();
        *count += 1;
        if ids.len() < NAMED {
            ids.push(found.id.to_string());
        }
    }

    /// The largest first.
    fn into_groups(self) -> Vec<CheckGroup<R>> {
        let group = |((workflow, state, reason), (count, ids))| CheckGroup { workflow, state, reason, count, ids };
        let mut groups: Vec<_> = self.groups.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, fit, fitting, misfits, unknown, left_out } = self;
        writeln!(formatter, "{fit} of {tried} executions go on with this code")?;
        for FitGroup { workflow, state, count } in fitting {
            writeln!(formatter, "  {count:>9}  {workflow}  {state}")?;
        }
        write_groups(formatter, "these do not:", misfits)?;
        if *left_out > 0 {
            writeln!(formatter, "  {left_out:>9}  further reasons, left out here")?;
        }
        write_groups(formatter, "and these may be as they should:", unknown)
    }
}

fn write_groups<R: fmt::Display>(
    formatter: &mut fmt::Formatter<'_>,
    title: &str,
    groups: &[CheckGroup<R>],
) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(formatter, "{title}")?;
    for CheckGroup { workflow, state, reason, count, ids } in groups {
        let more = if *count > ids.len() as u64 { ", …" } else { "" };
        writeln!(formatter, "  {count:>9}  {workflow}  {state}  {reason}")?;
        writeln!(formatter, "             {}{more}", ids.join(", "))?;
    }
    Ok(())
}
