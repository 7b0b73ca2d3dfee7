//! A graph in the colours of what was taken.
//!
//! It is a flowchart and no state diagram, as Mermaid gives the arrows of the latter no colours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::report::{CoverageItem, CoverageReport, Place};
use crate::machine::{escape_mermaid as escape, label_of_stay, label_to};

const TAKEN: &str = "fill:#dcf5dc,stroke:#2e7d32,color:#1b1b1b";
const MISSED: &str = "fill:#fbe0e0,stroke:#c62828,color:#1b1b1b,stroke-dasharray:4 3";
const TAKEN_LINK: &str = "stroke:#2e7d32,stroke-width:2px";
const MISSED_LINK: &str = "stroke:#c62828,stroke-dasharray:4 3";

pub(super) fn draw(report: &CoverageReport) -> String {
    let graph = report.graph();
    let mut ids = Ids::default();
    let mut links = Links::default();
    let mut text = String::from("flowchart TD\n");
    for state in graph.states {
        let is_taken = taken(report, Place::State(state.name));
        let label = if state.pivot { format!("{} (pivot)", state.name) } else { state.name.to_owned() };
        let label = format!("\"{}{}\"", mark(is_taken), escape(&label));
        let shape = if state.end { format!("([{label}])") } else { format!("[{label}]") };
        let _ = writeln!(text, "    {}{shape}{}", ids.of("state", state.name), class(is_taken));
    }
    let _ = writeln!(text, "    begin((\" \")) --> {}", ids.of("state", graph.start));
    links.add(None);
    for handler in graph.handlers {
        for from in graph.sources(handler) {
            let to = |to: &'static str| (to, Place::Edge { from, handler: handler.name, to }, label_to(handler, to));
            let stay = handler
                .waits
                .then(|| (from, Place::Stay { state: from, handler: handler.name }, label_of_stay(handler)));
            for (to, place, label) in handler.to.iter().map(|name| to(name)).chain(stay) {
                let is_taken = taken(report, place);
                let (from, to) = (ids.of("state", from), ids.of("state", to));
                let _ = writeln!(text, "    {from} -->|\"{}{}\"| {to}", mark(is_taken), escape(&label));
                links.add(is_taken);
            }
        }
    }
    for step in graph.steps {
        let (fails, undone) = (Place::ErrorPath(step.name), Place::Undo(step.name));
        let undone = step.undo.map(|undo| ("undo", undone, format!("{} is undone by {undo}", step.name)));
        for (kind, place, label) in
            [Some(("fails", fails, format!("{} fails for good", step.name))), undone].into_iter().flatten()
        {
            let is_taken = taken(report, place);
            let id = ids.of(kind, step.name);
            let _ = writeln!(text, "    {id}{{{{\"{}{}\"}}}}{}", mark(is_taken), escape(&label), class(is_taken));
        }
    }
    let _ = writeln!(text, "    classDef taken {TAKEN}\n    classDef missed {MISSED}");
    links.style(&mut text);
    text
}

/// Whether it was taken; `None` if it was left out.
fn taken(report: &CoverageReport, place: Place) -> Option<bool> {
    report.items().find(|item| item.place() == place).map(CoverageItem::is_taken)
}

/// For those who do not see the colours.
fn mark(taken: Option<bool>) -> &'static str {
    match taken {
        Some(false) => "✗ ",
        Some(true) | None => "",
    }
}

fn class(taken: Option<bool>) -> &'static str {
    match taken {
        Some(true) => ":::taken",
        Some(false) => ":::missed",
        None => "",
    }
}

/// Mermaid names an arrow by its number.
#[derive(Default)]
struct Links {
    count: usize,
    taken: Vec<String>,
    missed: Vec<String>,
}

impl Links {
    fn add(&mut self, taken: Option<bool>) {
        match taken {
            Some(true) => self.taken.push(self.count.to_string()),
            Some(false) => self.missed.push(self.count.to_string()),
            None => {}
        }
        self.count += 1;
    }

    fn style(&self, text: &mut String) {
        for (links, style) in [(&self.taken, TAKEN_LINK), (&self.missed, MISSED_LINK)] {
            if !links.is_empty() {
                let _ = writeln!(text, "    linkStyle {} {style}", links.join(","));
            }
        }
    }
}

/// Ids that Mermaid takes for no word of its own.
#[derive(Default)]
struct Ids {
    made: BTreeMap<(&'static str, &'static str), String>,
    taken: BTreeSet<String>,
}

impl Ids {
    fn of(&mut self, kind: &'static str, name: &'static str) -> String {
        if let Some(id) = self.made.get(&(kind, name)) {
            return id.clone();
        }
        let plain = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' });
        let mut id = format!("{kind}_{}", plain.collect::<String>());
        while !self.taken.insert(id.clone()) {
            id.push('_');
        }
        self.made.insert((kind, name), id.clone());
        id
    }
}
