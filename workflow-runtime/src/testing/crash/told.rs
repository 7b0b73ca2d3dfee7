//! How a failure reads.

use std::fmt::Write as _;

use super::check::Seen;
use super::course::{Course, VARIABLE};
use crate::base::Timestamp;
use crate::record::ExecutionKey;
use crate::testing::again;
use crate::testing::sim::{Kept, Played, SimEvent, after, told_history};

/// The histories of more executions than these are not told.
const MOST: usize = 3;

/// What did not hold.
pub(super) struct Failure {
    what: String,
    about: Option<ExecutionKey>,
    /// Whether it failed without a crash.
    by_itself: bool,
}

impl Failure {
    pub(super) fn of(what: String) -> Self {
        Self { what, about: None, by_itself: false }
    }

    pub(super) fn about(self, key: &ExecutionKey) -> Self {
        Self { about: Some(key.clone()), ..self }
    }

    /// Two runs without a crash differ.
    pub(super) fn by_itself(self) -> Self {
        Self { by_itself: true, ..self }
    }
}

/// All that there is to say of a run that failed.
pub(super) fn told(course: &Course, played: &Played<String>, without: Option<&Seen>, failure: Failure) -> String {
    let mut text = String::new();
    let _ = match (failure.by_itself, without) {
        (true, _) => writeln!(
            text,
            "two runs without a crash are not the same, so nothing can be said of crashes: something hangs on chance, the time of day, the order of a `HashMap`, or what another run has left behind"
        ),
        (false, None) => writeln!(text, "the scenario fails without a crash already"),
        (false, Some(_)) => writeln!(text, "the workflow does not survive this crash"),
    };
    let _ = writeln!(text, "\nwhere: {course}{}", counts(without));
    for (at, event) in &played.events {
        if let SimEvent::Crashed { at: place } = event {
            let _ = writeln!(text, "       {}: dies at {place}", after(at.since(played.from)));
        }
    }
    let what = match failure.by_itself {
        true => failure
            .what
            .replace("without the crash", "the first time")
            .replace("with the crash", "the second time")
            .replace("with it", "the second time"),
        false => failure.what,
    };
    let _ = writeln!(text, "what:  {}", what.replace('\n', "\n       "));
    for kept in told_of(played, failure.about.as_ref()) {
        let _ = writeln!(text, "\nhistory of {}:", kept.key);
        for line in with_crashes(kept, played) {
            let _ = writeln!(text, "  {line}");
        }
    }
    if !course.points.is_empty() {
        let _ = writeln!(text, "\nthis run alone: {}", again::command(VARIABLE, &course.to_string()));
        let _ = writeln!(text, "            or: CrashTest::new().only(\"{course}\").run(…)");
    }
    text
}

fn counts(without: Option<&Seen>) -> String {
    match without {
        Some(seen) => {
            let (writes, steps) = seen.played.counts;
            format!("  (of {writes} writes and {steps} attempts of steps without a crash)")
        }
        None => String::new(),
    }
}

/// Whose histories are told: that of the one that it is about, or all of them, if they are few.
fn told_of<'a>(played: &'a Played<String>, about: Option<&ExecutionKey>) -> Vec<&'a Kept> {
    let is_told = |kept: &&Kept| about.is_none_or(|about| kept.key == *about);
    let mut kept: Vec<_> = played.kept.iter().filter(is_told).collect();
    kept.truncate(MOST);
    kept
}

/// The lines of a history, with the crashes between them.
fn with_crashes(kept: &Kept, played: &Played<String>) -> Vec<String> {
    let rows = told_history(&kept.history, played.from);
    let crashed = |(at, event): &(Timestamp, SimEvent)| matches!(event, SimEvent::Crashed { .. }).then_some(*at);
    let times = played.events.iter().filter_map(crashed);
    let places = played.rows.iter().map(|rows| rows.get(&kept.key).copied().unwrap_or(0));
    let mut crashes = times.zip(places).peekable();
    let crash = |(at, _): (Timestamp, usize)| format!("{:>12}  ---- crash", after(at.since(played.from)));
    let mut lines = Vec::new();
    for (place, line) in rows.into_iter().enumerate() {
        while let Some(here) = crashes.next_if(|(_, crash)| *crash <= place) {
            lines.push(crash(here));
        }
        lines.push(line);
    }
    lines.extend(crashes.map(crash));
    lines
}
