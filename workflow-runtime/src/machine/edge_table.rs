//! The table that the generated enum of a workflow's edges reads: made of the graph, in a constant.

use super::graph_names::has_name;
use super::{HandlerInfo, Trigger};

/// An edge of the table: a handler, and one of its targets.
#[derive(Debug, Clone, Copy)]
pub struct TableEdge {
    /// The name of the state that it leaves, or of the group.
    pub from: &'static str,
    /// The states that it may leave.
    pub sources: &'static [&'static str],
    /// The state that it enters.
    pub to: &'static str,
    /// The handler's name.
    pub handler: &'static str,
    /// Whether everything is undone before.
    pub unwinds: bool,
    /// What makes it fire.
    pub trigger: Trigger,
}

impl TableEdge {
    /// What stands for an edge that is not in the graph, because of a mistake that is reported.
    const NONE: Self = Self { from: "", sources: &[], to: "", handler: "", unwinds: false, trigger: Trigger::Entry };
}

/// What a workflow's enum of edges is known by.
pub trait EdgeTable {
    /// Every edge, in declaration order.
    const EDGES: &'static [TableEdge];
}

/// The edges of these handlers, in their order.
#[must_use]
pub const fn edges<const N: usize>(mut handlers: &'static [HandlerInfo]) -> [TableEdge; N] {
    let mut table = [TableEdge::NONE; N];
    let mut free: &mut [TableEdge] = &mut table;
    while let [handler, others @ ..] = handlers {
        let sources = match handler.group {
            Some(group) => group.members,
            None => std::slice::from_ref(&handler.from),
        };
        let mut targets = handler.to;
        while let [to, later @ ..] = targets {
            let [place, rest @ ..] = free else { return table };
            let HandlerInfo { name, from, trigger, unwinds, .. } = *handler;
            *place = TableEdge { from, sources, to, handler: name, unwinds: has_name(unwinds, to), trigger };
            targets = later;
            free = rest;
        }
        handlers = others;
    }
    table
}

/// The edge at this place.
#[must_use]
pub const fn edge(edges: &'static [TableEdge], place: usize) -> &'static TableEdge {
    match edges.split_at_checked(place) {
        Some((_, [edge, ..])) => edge,
        _ => &TableEdge::NONE,
    }
}
