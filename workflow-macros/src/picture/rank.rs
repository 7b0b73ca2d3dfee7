//! A level for every state: the length of the longest way from the start, not counting the arrows that close a cycle.

use std::collections::VecDeque;

use super::arena::{Column, Id};
use super::graph::{Arrow, Graph, Node};

/// How many states without any arrow stand side by side.
const UNCONNECTED_PER_LEVEL: usize = 5;

pub(super) struct Ranks {
    /// From 0, downwards.
    pub(super) level: Column<Node, usize>,
    /// The arrows that lead upwards.
    pub(super) upward: Column<Arrow, bool>,
    pub(super) levels: usize,
}

pub(super) fn rank(graph: &Graph) -> Ranks {
    let ways = Ways::new(graph);
    let upward = upward_arrows(graph, &ways);
    let mut level = longest_ways(graph, &ways, &upward);
    let is_connected = |node: Id<Node>| !(ways.out[node].is_empty() && ways.into[node].is_empty());
    let drawn = graph.nodes.ids().filter(|node| is_connected(*node) || graph.start == Some(*node));
    let mut levels = drawn.map(|node| level[node] + 1).max().unwrap_or(0);
    let unconnected = graph.nodes.ids().filter(|node| !is_connected(*node) && graph.start != Some(*node));
    for (count, node) in unconnected.enumerate() {
        if count % UNCONNECTED_PER_LEVEL == 0 {
            levels += 1;
        }
        level[node] = levels - 1;
    }
    Ranks { level, upward, levels }
}

/// The arrows at each state.
struct Ways {
    out: Column<Node, Vec<Id<Arrow>>>,
    into: Column<Node, Vec<Id<Arrow>>>,
}

impl Ways {
    fn new(graph: &Graph) -> Self {
        let mut ways = Self { out: Column::new(&graph.nodes, Vec::new()), into: Column::new(&graph.nodes, Vec::new()) };
        for arrow in graph.arrows.ids() {
            ways.out[graph.arrows[arrow].from].push(arrow);
            ways.into[graph.arrows[arrow].to].push(arrow);
        }
        ways
    }
}

/// How far the search has come with a state.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    /// It lies on the way that is being followed, so an arrow to it closes a cycle.
    Open,
    Done,
}

/// The arrows to turn around so that no cycle is left: those that a search from the start finds to lead back to where it
/// came from, and all into the start itself, which shall stand on top.
fn upward_arrows(graph: &Graph, ways: &Ways) -> Column<Arrow, bool> {
    let mut upward = Column::new(&graph.arrows, false);
    let mut visits = Column::new(&graph.nodes, Visit::Not);
    for root in graph.start.into_iter().chain(graph.nodes.ids()) {
        if visits[root] != Visit::Not {
            continue;
        }
        visits[root] = Visit::Open;
        let mut way = vec![(root, ways.out[root].iter())];
        while let Some((node, arrows)) = way.last_mut() {
            let Some(arrow) = arrows.next() else {
                visits[*node] = Visit::Done;
                way.pop();
                continue;
            };
            let to = graph.arrows[*arrow].to;
            match visits[to] {
                Visit::Not => {
                    visits[to] = Visit::Open;
                    way.push((to, ways.out[to].iter()));
                }
                Visit::Open => upward[*arrow] = true,
                Visit::Done => upward[*arrow] = graph.start == Some(to),
            }
        }
    }
    upward
}

/// Takes the states from above, each after all that lie over it.
fn longest_ways(graph: &Graph, ways: &Ways, upward: &Column<Arrow, bool>) -> Column<Node, usize> {
    let mut level = Column::new(&graph.nodes, 0);
    let mut waits_for = Column::new(&graph.nodes, 0_usize);
    let lower_end = |arrow: Id<Arrow>| if upward[arrow] { graph.arrows[arrow].from } else { graph.arrows[arrow].to };
    for arrow in graph.arrows.ids() {
        waits_for[lower_end(arrow)] += 1;
    }
    let mut ready: VecDeque<_> = graph.nodes.ids().filter(|node| waits_for[*node] == 0).collect();
    while let Some(node) = ready.pop_front() {
        for arrow in ways.out[node].iter().chain(&ways.into[node]) {
            let lower = lower_end(*arrow);
            if lower == node {
                continue;
            }
            level[lower] = level[lower].max(level[node] + 1);
            waits_for[lower] -= 1;
            if waits_for[lower] == 0 {
                ready.push_back(lower);
            }
        }
    }
    level
}
