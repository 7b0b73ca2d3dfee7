//! What has to hold in a run with crashes, compared with one without.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compare::{Differs, difference};
use super::told::Failure;
use crate::base::Name;
use crate::record::{ExecutionKey, HistoryKind};
use crate::testing::sim::{Ending, Kept, Played, SimCall, SimEvent};

/// A run without a crash, and what is asked of it again and again.
pub(super) struct Seen {
    pub(super) played: Played<String>,
    /// The calls of steps that it made.
    calls: BTreeSet<u128>,
    undone: BTreeMap<(ExecutionKey, Name), usize>,
}

impl Seen {
    pub(super) fn new(played: Played<String>) -> Self {
        let began = |event: &SimEvent| match event {
            SimEvent::Began { call, .. } => Some(call.digest),
            _ => None,
        };
        let calls = played.events.iter().filter_map(|(_, event)| began(event)).collect();
        Self { calls, undone: undone(&played.kept), played }
    }
}

/// Whether two runs of one course are the same.
pub(super) fn same(seen: &Seen, again: &Played<String>, ignored: &[String]) -> Result<(), Failure> {
    ended(again)?;
    same_end(seen, again, ignored)
}

/// Whether a run came to the points that were asked for.
pub(super) fn came_to_its_points(with: &Played<String>) -> Result<(), Failure> {
    match with.left.iter().find(|point| !point.is_each()) {
        Some(point) => Err(Failure::not_reached(format!(
            "the run ended before it came to `{point}`: there were {} writes and {} attempts of steps",
            with.counts.0, with.counts.1
        ))),
        None => Ok(()),
    }
}

/// Whether a run with crashes came to the same as the one without.
pub(super) fn survived(without: &Seen, with: &Played<String>, ignored: &[String]) -> Result<(), Failure> {
    if let Some(call) = with.repeated.first() {
        return Err(Failure::of(format!(
            "step {call} ran again, although its result had been saved: what the store acknowledges is to be there after a crash"
        ))
        .about(&call.key));
    }
    ended(with)?;
    same_end(without, with, ignored)?;
    called_as_before(without, with)?;
    undone_as_before(without, with)
}

fn ended(played: &Played<String>) -> Result<(), Failure> {
    played.ending.failure().map_or(Ok(()), |what| Err(Failure::of(what)))
}

fn same_end(without: &Seen, with: &Played<String>, ignored: &[String]) -> Result<(), Failure> {
    let (Ending::Returned(expected), Ending::Returned(found)) = (&without.played.ending, &with.ending) else {
        return Ok(());
    };
    match difference(&without.played, with, ignored) {
        Some(Differs { key, what }) => Err(Failure::of(what).about(&key)),
        None if expected == found => Ok(()),
        None => Err(Failure::of(format!(
            "the scenario returned something else\n  without the crash:\n{}\n  with it:\n{}",
            indented(expected),
            indented(found)
        ))),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Where a call is made: a run of a handler, and the name of the step.
type Place<'a> = (&'a ExecutionKey, u64, u64, &'a str, &'a str);

fn place(call: &SimCall) -> Place<'_> {
    (&call.key, call.visit, call.edge_number, &call.handler, &call.step)
}

/// Whether a handler that ran again called its steps as before. Each call that had begun before a crash is made again after it,
/// if the handler comes there; one in its place, with other arguments, hangs on something that is not recorded.
fn called_as_before(without: &Seen, with: &Played<String>) -> Result<(), Failure> {
    let mut before: BTreeMap<Place<'_>, BTreeMap<u128, &Arc<SimCall>>> = BTreeMap::new();
    let crashes = with.events.iter().enumerate().filter(|(_, (_, event))| matches!(event, SimEvent::Crashed { .. }));
    let mut from = 0;
    for (crash, _) in crashes {
        for (_, event) in &with.events[from..crash] {
            if let SimEvent::Began { call, .. } = event {
                before.entry(place(call)).or_default().insert(call.digest, call);
            }
        }
        from = crash;
        let mut after: BTreeMap<Place<'_>, BTreeMap<u128, &Arc<SimCall>>> = BTreeMap::new();
        for (_, event) in &with.events[crash..] {
            if let SimEvent::Began { call, .. } | SimEvent::Recalled { call } = event {
                after.entry(place(call)).or_default().insert(call.digest, call);
            }
        }
        for (place, after) in &after {
            let Some(before) = before.get(place) else { continue };
            let is_new = |digest: &u128| !before.contains_key(digest) && !without.calls.contains(digest);
            let new = after.iter().find(|(digest, _)| is_new(digest));
            let lost = before.keys().any(|digest| !after.contains_key(digest));
            if let (Some((_, call)), true) = (new, lost) {
                return Err(Failure::of(format!(
                    "step {call} was called otherwise after the crash than before it, so it has another idempotency key: its arguments hang on something that is not recorded, such as chance, the time of day or what the workflow keeps in memory (see `cx.random()`, `cx.now()`)"
                ))
                .about(&call.key));
            }
        }
    }
    Ok(())
}

fn undone(kept: &[Kept]) -> BTreeMap<(ExecutionKey, Name), usize> {
    let mut undone = BTreeMap::new();
    for kept in kept {
        for row in &kept.history {
            if let HistoryKind::Undone { step, effect: true, .. } = &row.record.kind {
                *undone.entry((kept.key.clone(), step.clone())).or_insert(0) += 1;
            }
        }
    }
    undone
}

fn undone_as_before(without: &Seen, with: &Played<String>) -> Result<(), Failure> {
    let undone = undone(&with.kept);
    for ((key, step), times) in &without.undone {
        let found = undone.get(&(key.clone(), step.clone())).copied().unwrap_or(0);
        if found < *times {
            return Err(Failure::of(format!(
                "`{step}` of {key} was undone {times} times without the crash, and {found} times with it"
            ))
            .about(key));
        }
    }
    Ok(())
}
