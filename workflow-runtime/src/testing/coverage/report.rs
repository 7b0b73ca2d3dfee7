//! What was taken of a graph, and what was not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use super::diagram;
use super::fact::{Fact, Seen};
use crate::machine::{Graph, HandlerInfo, Trigger, label_of_stay, label_to};

/// What was taken of a workflow, and what was not: its `Display` is a table.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverageReport {
    graph: &'static Graph,
    items: Vec<CoverageItem>,
    /// What was seen besides.
    besides: BTreeSet<String>,
    /// What was seen and is not of this code.
    unknown: BTreeSet<String>,
    /// What there is to say of how it was recorded.
    recording: BTreeSet<String>,
    is_empty: bool,
}

/// Something that tests may take, or not.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverageItem {
    place: Place,
    label: String,
    taken: bool,
    how: BTreeSet<String>,
}

/// What a [`CoverageItem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CoverageKind {
    /// A state that executions are in.
    State,
    /// A way from one state to another.
    Edge,
    /// A handler that may keep the visit.
    Stay,
    /// A step that fails for good.
    ErrorPath,
    /// A step that is undone.
    Undo,
}

impl CoverageKind {
    const ALL: [Self; 5] = [Self::State, Self::Edge, Self::Stay, Self::ErrorPath, Self::Undo];
}

impl fmt::Display for CoverageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::State => "state",
            Self::Edge => "edge",
            Self::Stay => "stay",
            Self::ErrorPath => "error path",
            Self::Undo => "undo",
        })
    }
}

/// Where in the graph an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    State(&'static str),
    Edge { from: &'static str, handler: &'static str, to: &'static str },
    Stay { state: &'static str, handler: &'static str },
    ErrorPath(&'static str),
    Undo(&'static str),
}

impl Place {
    fn is_of(&self, name: &str) -> bool {
        match *self {
            Self::State(own) | Self::ErrorPath(own) | Self::Undo(own) => own == name,
            Self::Edge { from, handler, to } => [from, handler, to].contains(&name),
            Self::Stay { state, handler } => [state, handler].contains(&name),
        }
    }
}

impl CoverageItem {
    fn new(place: Place, label: String) -> Self {
        Self { place, label, taken: false, how: BTreeSet::new() }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> CoverageKind {
        match self.place {
            Place::State(_) => CoverageKind::State,
            Place::Edge { .. } => CoverageKind::Edge,
            Place::Stay { .. } => CoverageKind::Stay,
            Place::ErrorPath(_) => CoverageKind::ErrorPath,
            Place::Undo(_) => CoverageKind::Undo,
        }
    }

    /// Which one it is, in words that have the persisted names.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether it was taken.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.taken
    }

    fn taken(&self) -> String {
        let word = if self.taken { "yes" } else { "NO" };
        match self.how.is_empty() {
            true => word.to_owned(),
            false => format!("{word}: {}", self.how.iter().cloned().collect::<Vec<_>>().join("; ")),
        }
    }
}

impl fmt::Display for CoverageItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind(), self.label)
    }
}

/// The names that parts of a graph have.
pub(super) fn names(graph: &Graph) -> BTreeSet<&'static str> {
    let states = graph.states.iter().map(|state| state.name);
    let handlers = graph.handlers.iter().map(|handler| handler.name);
    states.chain(handlers).chain(graph.steps.iter().map(|step| step.name)).collect()
}

impl CoverageReport {
    pub(super) fn new(graph: &'static Graph, seen: &Seen, without: &[&str]) -> Self {
        let mut items = items(graph);
        items.retain(|item| !without.iter().any(|name| item.place.is_of(name)));
        let is_empty = !seen.keys().any(|(workflow, _)| **workflow == *graph.workflow);
        let mut report = Self {
            graph,
            items,
            besides: BTreeSet::new(),
            unknown: BTreeSet::new(),
            recording: BTreeSet::new(),
            is_empty,
        };
        for ((workflow, version), facts) in seen {
            if **workflow != *graph.workflow {
                continue;
            }
            if *version != graph.version {
                report.besides.insert(format!(
                    "executions of version {version}, which do not count for version {}",
                    graph.version
                ));
                continue;
            }
            for fact in facts {
                report.saw(fact, without);
            }
        }
        report
    }

    fn saw(&mut self, fact: &Fact, without: &[&str]) {
        let graph = self.graph;
        let state = |name: &str| graph.state(name).map(|state| state.name);
        let step = |name: &str| {
            let is_it = |known: &str, was: &[&str]| known == name || was.contains(&name);
            graph.steps.iter().find(|step| is_it(step.name, step.was)).map(|step| step.name)
        };
        let handler = |state: &str, name: Option<&str>| match name {
            Some(name) => graph.handlers_of(state).find(|handler| handler.name == name).map(|handler| handler.name),
            None => entry_of(graph, state).map(|entry| entry.name),
        };
        let (place, how) = match fact {
            Fact::State(name) => (state(name).map(Place::State), None),
            Fact::Edge { from, handler: name, to } => {
                let place = state(from)
                    .zip(state(to))
                    .and_then(|(from, to)| Some(Place::Edge { from, handler: handler(from, name.as_deref())?, to }));
                (place, None)
            }
            Fact::Stayed { state: name, handler: by } => {
                let place =
                    state(name).and_then(|state| Some(Place::Stay { state, handler: handler(state, by.as_deref())? }));
                (place, None)
            }
            Fact::Rested(name) => match state(name).and_then(|state| Some((state, entry_of(graph, state)?))) {
                Some((state, entry)) if entry.waits => (Some(Place::Stay { state, handler: entry.name }), None),
                // It waits because it has nothing to run.
                _ => return,
            },
            Fact::Done(name) => {
                match step(name) {
                    Some(step) => {
                        self.note(Place::ErrorPath(step), "it ran");
                        self.note(Place::Undo(step), "it ran");
                    }
                    None => drop(self.besides.insert(fact.to_string())),
                }
                return;
            }
            Fact::Failed { step: name, then } => match step(name) {
                Some(step) => (Some(Place::ErrorPath(step)), Some(then.to_string())),
                None => {
                    self.besides.insert(fact.to_string());
                    return;
                }
            },
            Fact::Undone(name) => match step(name) {
                Some(step) => (Some(Place::Undo(step)), None),
                None => {
                    self.besides.insert(fact.to_string());
                    return;
                }
            },
            Fact::NotUndone(_) | Fact::Parked(_) | Fact::Closed { .. } | Fact::Moved { .. } => {
                self.besides.insert(fact.to_string());
                return;
            }
        };
        let item = place.and_then(|place| self.items.iter_mut().find(|item| item.place == place));
        match item {
            Some(item) => {
                if !std::mem::replace(&mut item.taken, true) {
                    item.how.clear();
                }
                item.how.extend(how);
            }
            None if place.is_some_and(|place| without.iter().any(|name| place.is_of(name))) => {}
            None => drop(self.unknown.insert(fact.to_string())),
        }
    }

    /// There is something to say of how it was recorded.
    pub(super) fn about_recording(&mut self, what: String) {
        self.recording.insert(what);
    }

    /// Says something of an item that has not been taken yet.
    fn note(&mut self, place: Place, what: &str) {
        let item = self.items.iter_mut().find(|item| item.place == place && !item.taken);
        if let Some(item) = item {
            item.how = BTreeSet::from([what.to_owned()]);
        }
    }

    /// The workflow's persisted name.
    #[must_use]
    pub fn workflow(&self) -> &'static str {
        self.graph.workflow
    }

    pub(super) fn graph(&self) -> &'static Graph {
        self.graph
    }

    /// Everything that counts: states, edges, stays, error paths and undos, each in declaration order.
    pub fn items(&self) -> impl Iterator<Item = &CoverageItem> {
        self.items.iter()
    }

    /// What counts and was not taken.
    pub fn missing(&self) -> impl Iterator<Item = &CoverageItem> {
        self.items.iter().filter(|item| !item.taken)
    }

    /// Whether nothing at all was seen of the workflow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// How much of what counts was taken, in per cent, without fractions: 100 is everything.
    #[must_use]
    pub fn percent(&self) -> u32 {
        let taken = self.items.len() - self.missing().count();
        match self.items.len() {
            0 => 100,
            all => u32::try_from(taken * 100 / all).unwrap_or(100),
        }
    }

    /// Whether at least so many per cent were taken.
    ///
    /// # Errors
    /// If not: with what was not taken, and all of the table.
    ///
    /// # Panics
    /// If `percent` is over 100.
    #[track_caller]
    pub fn require(&self, percent: u32) -> Result<(), String> {
        assert!(percent <= 100, "no more than 100 % can be taken, and {percent} % are demanded");
        // Without rounding: 199 of 200 are not 100 %.
        let taken = self.items.len() - self.missing().count();
        if taken as u64 * 100 >= u64::from(percent) * self.items.len() as u64 {
            return Ok(());
        }
        let missing: Vec<_> = self.missing().map(|item| format!("  {item}")).collect();
        Err(format!(
            "the tests take {} % of {}, and {percent} % are demanded. Not taken:\n{}\n\n{self}",
            self.percent(),
            self.graph.workflow,
            missing.join("\n")
        ))
    }

    /// The graph as a [Mermaid](https://mermaid.js.org) flowchart: what was taken is green, what was not is red and dashed, and has a
    /// cross. The error paths and undos of steps stand beside it. The text ends with a newline.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        diagram::draw(self)
    }

    /// The table and the diagram, as a page in Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        format!("# Coverage of {}\n\n{self}\n```mermaid\n{}```\n", self.graph.workflow, self.to_mermaid())
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        for kind in CoverageKind::ALL {
            let of_kind: Vec<_> = self.items.iter().filter(|item| item.kind() == kind).collect();
            let taken = of_kind.iter().filter(|item| item.taken).count();
            if !of_kind.is_empty() {
                parts.push(format!("{taken} of {} {kind}s", of_kind.len()));
            }
        }
        parts.join(", ")
    }
}

impl fmt::Display for CoverageReport {
    /// A table that reads as text and as Markdown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.graph.version {
            1 => String::new(),
            version => format!(" (version {version})"),
        };
        writeln!(formatter, "{}{version}: {} % taken ({})\n", self.graph.workflow, self.percent(), self.summary())?;
        let cell = |text: &str| text.replace('|', "\\|");
        let rows = self.items.iter().map(|item| [item.kind().to_string(), cell(&item.label), cell(&item.taken())]);
        let rows: Vec<_> = [["what", "which", "taken"].map(str::to_owned)].into_iter().chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths = [width(0), width(1), width(2)];
        for (place, row) in rows.iter().enumerate() {
            let mut line = String::from("|");
            for (text, width) in row.iter().zip(widths) {
                let _ = write!(line, " {text:width$} |");
            }
            writeln!(formatter, "{line}")?;
            if place == 0 {
                let dashes = widths.map(|width| "-".repeat(width + 2));
                writeln!(formatter, "|{}|", dashes.join("|"))?;
            }
        }
        for (title, lines) in [
            ("Seen besides, and not counted:", &self.besides),
            (
                "Seen, and not in this code (recorded with other code, or by another workflow of this name):",
                &self.unknown,
            ),
            ("About the recording:", &self.recording),
        ] {
            if !lines.is_empty() {
                writeln!(formatter, "\n{title}\n")?;
                lines.iter().try_for_each(|line| writeln!(formatter, "* {line}"))?;
            }
        }
        Ok(())
    }
}

fn entry_of(graph: &Graph, state: &str) -> Option<&'static HandlerInfo> {
    graph.handlers_of(state).find(|handler| handler.trigger == Trigger::Entry)
}

/// Everything that counts in a graph.
fn items(graph: &'static Graph) -> Vec<CoverageItem> {
    let mut items: BTreeMap<CoverageKind, Vec<CoverageItem>> = BTreeMap::new();
    let mut add = |place, label| {
        let item = CoverageItem::new(place, label);
        let known = items.entry(item.kind()).or_default();
        if !known.iter().any(|known| known.place == place) {
            known.push(item);
        }
    };
    for state in graph.states {
        add(Place::State(state.name), format!("`{}`", state.name));
    }
    for edge in graph.edges() {
        let place = Place::Edge { from: edge.from, handler: edge.handler.name, to: edge.to };
        add(place, format!("`{}` -> `{}`: {}", edge.from, edge.to, label_to(edge.handler, edge.to)));
    }
    for handler in graph.handlers.iter().filter(|handler| handler.waits) {
        for state in graph.sources(handler) {
            let place = Place::Stay { state, handler: handler.name };
            add(place, format!("`{state}`: {}", label_of_stay(handler)));
        }
    }
    for step in graph.steps {
        add(Place::ErrorPath(step.name), format!("`{}` fails for good", step.name));
    }
    for step in graph.steps {
        if let Some(undo) = step.undo {
            add(Place::Undo(step.name), format!("`{}` is undone by `{undo}`", step.name));
        }
    }
    items.into_values().flatten().collect()
}
