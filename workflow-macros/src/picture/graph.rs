//! The diagram as nodes and arrows: names resolved, handlers that go the same way merged into one arrow.

use std::collections::BTreeMap;

use super::arena::{Arena, Id};
use super::text::columns;
use super::{Diagram, DiagramHandler, DiagramTrigger};

pub(super) struct Graph {
    pub(super) nodes: Arena<Node>,
    pub(super) arrows: Arena<Arrow>,
    /// None if the start is not among the states.
    pub(super) start: Option<Id<Node>>,
}

/// A state.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) end: bool,
    /// What stands on its loop; it has none if this is empty.
    pub(super) loops: Vec<Label>,
}

/// A way from one state to another one, which several handlers may take.
pub(super) struct Arrow {
    pub(super) from: Id<Node>,
    pub(super) to: Id<Node>,
    pub(super) kind: ArrowKind,
    /// A line per handler.
    pub(super) labels: Vec<Label>,
}

/// Why an arrow is taken. Two states may be joined by one arrow of each kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ArrowKind {
    /// It is what is meant to happen.
    Normal,
    /// A handler failed.
    Failure,
}

/// A line of text on an arrow.
pub(super) struct Label {
    pub(super) handler: String,
    /// What follows the handler's name in a lighter shade, perhaps nothing.
    pub(super) detail: String,
}

impl Graph {
    pub(super) fn new(diagram: &Diagram) -> Self {
        let mut nodes = Arena::default();
        let mut by_name = BTreeMap::new();
        for state in &diagram.states {
            by_name.entry(state.name.as_str()).or_insert_with(|| {
                nodes.push(Node { name: state.name.clone(), doc: state.doc.clone(), end: state.end, loops: Vec::new() })
            });
        }
        let mut arrows: Arena<Arrow> = Arena::default();
        let mut by_way = BTreeMap::new();
        for handler in &diagram.handlers {
            let Some(from) = by_name.get(handler.from.as_str()).copied() else { continue };
            let kind = ArrowKind::of(&handler.trigger);
            for (name, to) in handler.to.iter().filter_map(|target| Some((target, *by_name.get(target.as_str())?))) {
                let label = Label::to(handler, name);
                if from == to {
                    nodes[from].loops.push(label);
                    continue;
                }
                let arrow = by_way
                    .entry((from, to, kind))
                    .or_insert_with(|| arrows.push(Arrow { from, to, kind, labels: Vec::new() }));
                arrows[*arrow].labels.push(label);
            }
            if handler.stays {
                nodes[from].loops.push(Label::stays(handler));
            }
        }
        let start = by_name.get(diagram.start.as_str()).copied();
        Self { nodes, arrows, start }
    }
}

impl ArrowKind {
    fn of(trigger: &DiagramTrigger) -> Self {
        match trigger {
            DiagramTrigger::Catch(_) => Self::Failure,
            DiagramTrigger::Entry | DiagramTrigger::On(_) | DiagramTrigger::Time(..) => Self::Normal,
        }
    }
}

impl Label {
    fn new(handler: &DiagramHandler) -> Self {
        let detail = match &handler.trigger {
            DiagramTrigger::Entry => String::new(),
            DiagramTrigger::On(event) => format!("· {event}"),
            DiagramTrigger::Time(kind, time) => format!("· {kind} {time}"),
            DiagramTrigger::Catch(error) => format!("· catch {error}"),
        };
        Self { handler: handler.name.clone(), detail }
    }

    fn to(handler: &DiagramHandler, target: &String) -> Self {
        let label = Self::new(handler);
        if handler.unwinds.contains(target) { label.with("(unwinds)") } else { label }
    }

    fn stays(handler: &DiagramHandler) -> Self {
        Self::new(handler).with("(stays)")
    }

    fn with(self, remark: &str) -> Self {
        let Self { handler, detail } = self;
        let detail = if detail.is_empty() { remark.to_owned() } else { format!("{detail} {remark}") };
        Self { handler, detail }
    }

    /// How many columns it takes.
    pub(super) fn columns(&self) -> f64 {
        let detail = if self.detail.is_empty() { 0.0 } else { 1.0 + columns(&self.detail) };
        columns(&self.handler) + detail
    }
}
