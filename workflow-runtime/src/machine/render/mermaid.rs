//! Mermaid's `stateDiagram-v2`.

use std::collections::{BTreeMap, BTreeSet};

use super::{label_of_stay, label_to};
use crate::machine::{Graph, StateInfo};

/// Words that Mermaid's lexer takes for its own where a state may stand, in any case.
const RESERVED: [&str; 11] =
    ["class", "classdef", "click", "default", "hide", "href", "note", "scale", "state", "statediagram", "style"];

pub(super) fn draw(graph: &Graph) -> String {
    let ids = Ids::new(graph);
    let mut lines = vec!["stateDiagram-v2".to_owned()];
    for state in graph.states {
        lines.push(ids.declaration(state));
    }
    lines.push(format!("    [*] --> {}", ids.of(graph.start)));
    for handler in graph.handlers {
        for from in graph.sources(handler).map(|from| ids.of(from)) {
            for to in handler.to {
                lines.push(format!("    {from} --> {} : {}", ids.of(to), escape(&label_to(handler, to))));
            }
            if handler.waits {
                lines.push(format!("    {from} --> {from} : {}", escape(&label_of_stay(handler))));
            }
        }
    }
    for state in graph.states.iter().filter(|state| state.end) {
        lines.push(format!("    {} --> [*]", ids.of(state.name)));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Ids for the names that Mermaid cannot read; a name that is not in here is its own id.
struct Ids {
    made: BTreeMap<&'static str, String>,
}

impl Ids {
    fn new(graph: &Graph) -> Self {
        let mut taken: BTreeSet<String> = graph.states.iter().map(|state| state.name.to_owned()).collect();
        let mut made = BTreeMap::new();
        for name in graph.states.iter().map(|state| state.name).filter(|name| !is_plain(name)) {
            let mut id: String = name.chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).collect();
            id.push('_');
            while !taken.insert(id.clone()) {
                id.push('_');
            }
            made.insert(name, id);
        }
        Self { made }
    }

    fn of<'a>(&'a self, name: &'a str) -> &'a str {
        self.made.get(name).map_or(name, String::as_str)
    }

    fn declaration(&self, state: &StateInfo) -> String {
        let name = state.name;
        let pivot = if state.pivot { " (pivot)" } else { "" };
        match self.made.get(name) {
            Some(id) => format!("    state \"{}{pivot}\" as {id}", escape(name)),
            None if state.pivot => format!("    state \"{name}{pivot}\" as {name}"),
            None => format!("    {name}"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let identifier = !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || char == '_');
    identifier && !RESERVED.contains(&name.to_lowercase().as_str())
}

/// Mermaid writes a character as its number between `#` and `;`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '#' | ';' | ':' | '"' | '<' | '>' | '&' | '%' | '\\' | '`' | '*' | '{' | '}' => {
                escaped.push_str(&format!("#{};", u32::from(char)));
            }
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}
