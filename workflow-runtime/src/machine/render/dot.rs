//! The DOT language of Graphviz.

use super::{label_of_stay, label_to};
use crate::machine::Graph;

/// The id of the dot that the first arrow comes from. It is no identifier, so no type has it for a name.
const START: &str = "[*]";

pub(super) fn draw(graph: &Graph) -> String {
    let mut lines = vec![
        format!("digraph {} {{", quote(graph.workflow)),
        format!("    graph [fontname=\"sans-serif\"{}];", tooltip(graph.doc)),
        "    node [fontname=\"sans-serif\", shape=box, style=rounded];".to_owned(),
        "    edge [fontname=\"sans-serif\", fontsize=10];".to_owned(),
        format!("    {} [shape=point];", quote(START)),
    ];
    for state in graph.states {
        let border = if state.end { ", peripheries=2" } else { "" };
        let label = if state.pivot { format!("{} (pivot)", state.name) } else { state.name.to_owned() };
        lines.push(format!("    {} [label={}{border}{}];", quote(state.name), quote(&label), tooltip(state.doc)));
    }
    lines.push(format!("    {} -> {};", quote(START), quote(graph.start)));
    for handler in graph.handlers {
        for from in graph.sources(handler) {
            let (from, tooltip) = (quote(from), tooltip(handler.doc));
            for to in handler.to {
                lines.push(format!("    {from} -> {} [label={}{tooltip}];", quote(to), quote(&label_to(handler, to))));
            }
            if handler.waits {
                let label = quote(&label_of_stay(handler));
                lines.push(format!("    {from} -> {from} [label={label}, style=dashed{tooltip}];"));
            }
        }
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

fn tooltip(doc: &str) -> String {
    let doc = doc.trim();
    if doc.is_empty() { String::new() } else { format!(", tooltip={}", quote(doc)) }
}

/// A quoted string in which Graphviz finds neither its escapes nor an HTML entity. As an id it is only ever compared
/// with itself.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '&' => quoted.push_str("&amp;"),
            '\n' => quoted.push_str("\\n"),
            char if char.is_control() => quoted.push(' '),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
