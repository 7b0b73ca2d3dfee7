//! How a failure reads.

use std::fmt::Write as _;

use super::check::Seen;
use super::course::Course;
use crate::base::Timestamp;
use crate::record::ExecutionKey;
use crate::testing::again::Call;
use crate::testing::sim::{Kept, Line, Played, SimEvent, after, folded, told_history};

/// The histories of more executions than these are not told.
const MOST: usize = 3;

/// What did not hold.
pub(super) struct Failure {
    what: String,
    about: Option<ExecutionKey>,
    kind: Kind,
}

enum Kind {
    /// The run is not what it ought to be.
    Wrong,
    /// Two runs without a crash differ.
    Unsteady,
    /// The run never came to the crash that was asked for.
    NotReached,
}

impl Failure {
    pub(super) fn of(what: String) -> Self {
        Self { what, about: None, kind: Kind::Wrong }
    }

    /// The run ended before the crash that was asked for.
    pub(super) fn not_reached(what: String) -> Self {
        Self { what, about: None, kind: Kind::NotReached }
    }

    pub(super) fn about(self, key: &ExecutionKey) -> Self {
        Self { about: Some(key.clone()), ..self }
    }

    /// Two runs without a crash differ.
    pub(super) fn by_itself(self) -> Self {
        Self { kind: Kind::Unsteady, ..self }
    }
}

/// All that there is to say of a run that failed.
pub(super) fn told(
    call: Call,
    course: &Course,
    played: &Played<String>,
    without: Option<&Seen>,
    failure: Failure,
) -> String {
    let mut text = String::new();
    let _ = match (&failure.kind, without) {
        (Kind::NotReached, _) => writeln!(text, "the scenario does not come to this crash: is it another one by now?"),
        (Kind::Unsteady, _) => writeln!(
            text,
            "two runs without a crash are not the same, so nothing can be said of crashes: something hangs on chance, the time of day, the order of a `HashMap`, or what another run has left behind"
        ),
        (Kind::Wrong, None) => writeln!(text, "the scenario fails without a crash already"),
        (Kind::Wrong, Some(_)) => writeln!(text, "the workflow does not survive this crash"),
    };
    let _ = writeln!(text, "\nwhere: {course}{}", counts(without));
    for (at, event) in &played.events {
        if let SimEvent::Crashed { at: place } = event {
            let _ = writeln!(text, "       {}: dies at {place}", after(at.since(played.from)));
        }
    }
    let what = match failure.kind {
        Kind::Unsteady => failure
            .what
            .replace("without the crash", "the first time")
            .replace("with the crash", "the second time")
            .replace("with it", "the second time"),
        Kind::Wrong | Kind::NotReached => failure.what,
    };
    let _ = writeln!(text, "what:  {}", what.replace('\n', "\n       "));
    text.push_str(&histories(played, failure.about.as_ref()));
    if !course.points.is_empty() {
        let _ = writeln!(text, "\nthis run alone: {}", call.command(&course.to_string()));
        let _ = writeln!(text, "            or: CrashTest::new().only(\"{course}\").run(…)");
    }
    text
}

/// The histories of the execution that a failure is about, or of all.
pub(in crate::testing) fn histories<T>(played: &Played<T>, about: Option<&ExecutionKey>) -> String {
    let mut text = String::new();
    for kept in told_of(played, about) {
        let _ = writeln!(text, "\nhistory of {}:", kept.key);
        for line in with_crashes(kept, played) {
            let _ = writeln!(text, "  {line}");
        }
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
fn told_of<'a, T>(played: &'a Played<T>, about: Option<&ExecutionKey>) -> Vec<&'a Kept> {
    let is_told = |kept: &&Kept| about.is_none_or(|about| kept.key == *about);
    let mut kept: Vec<_> = played.kept.iter().filter(is_told).collect();
    kept.truncate(MOST);
    kept
}

/// The lines of a history, with the crashes between them.
fn with_crashes<T>(kept: &Kept, played: &Played<T>) -> Vec<String> {
    let rows = told_history(&kept.history, played.from);
    let crashed = |(at, event): &(Timestamp, SimEvent)| matches!(event, SimEvent::Crashed { .. }).then_some(*at);
    let times = played.events.iter().filter_map(crashed);
    let places = played.rows.iter().map(|rows| rows.get(&kept.key).copied().unwrap_or(0));
    // What was not there yet did not die.
    let begins = kept.history.first().map(|row| row.record.at);
    let was_there = |(at, place): &(Timestamp, usize)| *place > 0 || begins.is_none_or(|begins| begins <= *at);
    let mut crashes = times.zip(places).filter(was_there).peekable();
    let crash = |(at, _): (Timestamp, usize)| Line {
        at: after(at.since(played.from)),
        visit: None,
        what: "---- crash".to_owned(),
    };
    let mut lines = Vec::new();
    for (place, line) in rows.into_iter().enumerate() {
        while let Some(here) = crashes.next_if(|(_, crash)| *crash <= place) {
            lines.push(crash(here));
        }
        lines.push(line);
    }
    lines.extend(crashes.map(crash));
    folded(&lines)
}
