//! The report on what all tests took: what `coverage!` writes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::asked::{Asked, VARIABLE};
use super::fact::Seen;
use super::recording::{Recorded, Recording, file_name};
use super::report::{CoverageReport, names};
use crate::machine::{Keep, Workflow};
use crate::testing::names::instead;

/// The reports on several workflows, of which each is made: what [`coverage!`](crate::coverage) writes.
///
/// # Panics
/// Of [`finish`](Self::finish), where a report is asked for: if less was taken of a workflow than is demanded, or nothing is
/// recorded of it.
#[derive(Debug)]
pub struct Checks {
    asked: Result<Asked, String>,
    percent: u32,
    without: Vec<&'static str>,
    known: Vec<&'static str>,
    workflows: Vec<&'static str>,
    failures: Vec<String>,
}

impl Checks {
    /// Demands so many per cent of each workflow, without what has these names.
    #[must_use]
    pub fn new(percent: u32, without: &[&'static str]) -> Self {
        let mut failures = Vec::new();
        if percent > 100 {
            failures.push(format!("no more than 100 % can be taken, and {percent} % are demanded"));
        }
        let (workflows, known) = (Vec::new(), Vec::new());
        let asked = Asked::from_env();
        // That there was a run is recorded also where nothing is left that would record what it took.
        if let Ok(Asked::Record(recording)) = &asked {
            failures.extend(recording.run().err());
        }
        Self { asked, percent, without: without.to_vec(), known, workflows, failures }
    }

    /// Makes the report on one workflow, if the environment asks for it.
    #[must_use]
    pub fn check<W: Workflow>(mut self) -> Self {
        self.workflows.push(W::NAME);
        self.known.extend(names(W::GRAPH));
        if let (Ok(Asked::Report(recording)), true) = (&self.asked, self.percent <= 100)
            && let Err(failure) = report::<W>(recording, self.percent, &self.without)
        {
            self.failures.push(failure);
        }
        self
    }

    /// Ends the test.
    ///
    /// # Panics
    /// If one of the reports failed.
    #[track_caller]
    pub fn finish(mut self) {
        for name in self.without.iter().filter(|name| !self.known.contains(*name)) {
            let workflows = self.workflows.join(", ");
            self.failures.push(format!(
                "`{name}` is to be left out, and {workflows} has no state, handler or step of that name: there are {}",
                instead(name, self.known.iter().copied().collect::<BTreeSet<_>>())
            ));
        }
        self.failures.extend(self.asked.err());
        assert!(self.failures.is_empty(), "\n\n{}", self.failures.join("\n\n"));
    }
}

fn report<W: Workflow>(recording: &Recording, percent: u32, without: &[&str]) -> Result<(), String> {
    let mut run = recording.last_run()?;
    let recorded = recording.read(W::NAME)?.filter(|recorded| !recorded.facts.is_empty());
    let is_of_last = |recorded: &Recorded| recorded.run == run.id();
    if recorded.as_ref().is_some_and(|recorded| !is_of_last(recorded)) {
        return Err(format!(
            "what is recorded of {} in {} is of an earlier run, and the last one took nothing of it: run `{VARIABLE}=record cargo test` with all tests, and with simulations of it (`Sim`, `crash_everywhere`) among them; if it has none any more, take it out of `coverage!`",
            W::NAME,
            recording.folder().display()
        ));
    }
    let Some(recorded) = recorded else {
        return Err(format!(
            "nothing is recorded of what tests take of {} in {}: run `{VARIABLE}=record cargo test` first, with simulations of it (`Sim`, `crash_everywhere`) among the tests",
            W::NAME,
            recording.folder().display()
        ));
    };
    let mut seen = Seen::new();
    for (version, fact) in recorded.facts {
        seen.entry((W::NAME.into(), version)).or_default().insert(fact);
    }
    let mut report = CoverageReport::new(W::GRAPH, &seen, without);
    let path = recording.path(W::NAME);
    if !recorded.damaged.is_empty() {
        let lines: Vec<_> = recorded.damaged.iter().take(5).map(ToString::to_string).collect();
        let more = if recorded.damaged.len() > lines.len() { ", …" } else { "" };
        report.about_recording(format!(
            "left out: {} damaged lines of {} (line {}{more}): of a process that was killed while it wrote, or a change by hand",
            recorded.damaged.len(),
            path.display(),
            lines.join(", ")
        ));
    }
    if recorded.is_reported {
        report.about_recording("nothing was added since the last report, and this one is the same".to_owned());
    }
    if recorded.newer > 0 {
        report.about_recording(format!(
            "left out: {} lines of {}, of a newer workflow-runtime",
            recorded.newer,
            path.display()
        ));
    }
    let page = page::<W>(recording.folder());
    fs::write(&page, report.to_markdown())
        .map_err(|error| format!("the report cannot be written to {}: {error}", page.display()))?;
    recording.reported(W::NAME)?;
    run.reported().map_err(|error| format!("{} cannot be written to: {error}", run.path().display()))?;
    let required = report.require(percent);
    if required.is_ok() {
        say(&format!("{report}\nWith a diagram: {}", page.display()));
    }
    required.map_err(|failure| format!("{failure}\nWith a diagram: {}", page.display()))
}

/// Where the report is written: a version that is kept beside the present one has a page of its own.
fn page<W: Workflow>(folder: &Path) -> PathBuf {
    let name = file_name(W::NAME);
    folder.join(match W::KEEP {
        Keep::No => format!("{name}.md"),
        _ => format!("{name}-version-{}.md", W::VERSION),
    })
}

/// Says something that is seen also where the test passes: the output of a test is kept back then, and this is none.
pub(in crate::testing) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "workflow coverage: {text}");
}
