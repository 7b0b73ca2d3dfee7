//! What has to be placed: rows of slots, from the top down.
//!
//! Rows alternate: the states of a level, then what lies between two levels. An arrow has one slot in each row between
//! its ends, so every link joins neighbouring rows. One of its slots holds its label, right below or above the state
//! that it leaves.

use super::arena::{Arena, Column, Id};
use super::graph::{Arrow, ArrowKind, Graph, Label, Node};
use super::rank::Ranks;
use super::text::columns;

/// The height of a state's box.
pub(super) const BOX_HEIGHT: f64 = 34.0;
/// How far a loop stands out from its box.
pub(super) const LOOP_WIDTH: f64 = 26.0;
/// The height of a line of a label.
pub(super) const LINE_HEIGHT: f64 = 15.0;
/// From an arrow to its label.
pub(super) const LABEL_GAP: f64 = 7.0;
/// The widths of a character in a state's name and in a label.
const NAME_COLUMN: f64 = 7.9;
const LABEL_COLUMN: f64 = 6.7;
/// Free space at each side of a slot.
pub(super) const STATE_MARGIN: f64 = 14.0;
const LINE_MARGIN: f64 = 8.0;

pub(super) struct Layers {
    pub(super) slots: Arena<Slot>,
    /// In each row from left to right.
    pub(super) rows: Vec<Vec<Id<Slot>>>,
    /// The slots of an arrow from the top down, its states included.
    pub(super) chains: Column<Arrow, Vec<Id<Slot>>>,
}

/// How many slots there will be.
pub(super) fn slot_count(graph: &Graph, ranks: &Ranks) -> usize {
    let between = |arrow: &Arrow| 2 * ranks.level[arrow.from].abs_diff(ranks.level[arrow.to]) - 1;
    graph.nodes.len() + graph.arrows.iter().map(between).sum::<usize>()
}

/// What is placed.
pub(super) struct Slot {
    pub(super) content: Content,
    /// How far it reaches to the left and to the right of its axis, where arrows pass or end.
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) height: f64,
    /// How much its links want to be straight.
    pub(super) pull: f64,
    /// The slots in the row above and in the row below that it is linked with.
    pub(super) above: Vec<Id<Slot>>,
    pub(super) below: Vec<Id<Slot>>,
}

#[derive(Clone, Copy)]
pub(super) enum Content {
    /// A box; its axis is its middle.
    State(Id<Node>),
    /// The label of an arrow, at the right of its axis.
    Label(Id<Arrow>),
    /// An arrow on its way.
    Bend,
}

impl Layers {
    pub(super) fn new(graph: &Graph, ranks: &Ranks) -> Self {
        let rows = vec![Vec::new(); (2 * ranks.levels).saturating_sub(1)];
        let mut layers = Self { slots: Arena::default(), rows, chains: Column::new(&graph.arrows, Vec::new()) };
        let states = Column::from_fn(&graph.nodes, |node| {
            layers.add(2 * ranks.level[node], Slot::state(node, &graph.nodes[node]))
        });
        for arrow in graph.arrows.ids() {
            let Arrow { from, to, .. } = graph.arrows[arrow];
            let upward = ranks.upward[arrow];
            let (upper, lower) = if upward { (to, from) } else { (from, to) };
            let between = 2 * ranks.level[upper] + 1..2 * ranks.level[lower];
            let pull = pull(graph, arrow, upward);
            let label_row = if upward { between.end - 1 } else { between.start };
            let mut last = states[upper];
            layers.chains[arrow].push(last);
            for row in between {
                let slot = if row == label_row { Slot::label(arrow, &graph.arrows[arrow]) } else { Slot::bend() };
                let slot = Slot { pull, ..slot };
                let slot = layers.add(row, slot);
                layers.link(last, slot);
                layers.chains[arrow].push(slot);
                last = slot;
            }
            layers.link(last, states[lower]);
            layers.chains[arrow].push(states[lower]);
        }
        layers
    }

    fn add(&mut self, row: usize, slot: Slot) -> Id<Slot> {
        let id = self.slots.push(slot);
        if let Some(row) = self.rows.get_mut(row) {
            row.push(id);
        }
        id
    }

    fn link(&mut self, upper: Id<Slot>, lower: Id<Slot>) {
        self.slots[upper].below.push(lower);
        self.slots[lower].above.push(upper);
    }
}

impl Slot {
    fn state(id: Id<Node>, node: &Node) -> Self {
        let half = box_width(node) / 2.0;
        let loops = if node.loops.is_empty() { 0.0 } else { LOOP_WIDTH + LABEL_GAP + width(&node.loops) };
        Self {
            content: Content::State(id),
            left: half + STATE_MARGIN,
            right: half + loops + STATE_MARGIN,
            height: BOX_HEIGHT.max(height(&node.loops)),
            pull: 1.0,
            above: Vec::new(),
            below: Vec::new(),
        }
    }

    fn label(id: Id<Arrow>, arrow: &Arrow) -> Self {
        Self {
            content: Content::Label(id),
            left: LINE_MARGIN,
            right: LABEL_GAP + width(&arrow.labels) + LINE_MARGIN,
            height: height(&arrow.labels),
            pull: 1.0,
            above: Vec::new(),
            below: Vec::new(),
        }
    }

    fn bend() -> Self {
        Self {
            content: Content::Bend,
            left: LINE_MARGIN,
            right: LINE_MARGIN,
            height: 0.0,
            pull: 1.0,
            above: Vec::new(),
            below: Vec::new(),
        }
    }
}

/// What is meant to happen runs straight down; ends, failures and ways back stand aside.
fn pull(graph: &Graph, arrow: Id<Arrow>, upward: bool) -> f64 {
    let Arrow { to, kind, .. } = graph.arrows[arrow];
    match kind {
        ArrowKind::Normal if upward => 0.5,
        ArrowKind::Normal if graph.nodes[to].end => 1.0,
        ArrowKind::Normal => 8.0,
        ArrowKind::Failure => 0.5,
    }
}

pub(super) fn box_width(node: &Node) -> f64 {
    (columns(&node.name) * NAME_COLUMN + 28.0).max(72.0)
}

fn width(labels: &[Label]) -> f64 {
    labels.iter().map(Label::columns).fold(0.0, f64::max) * LABEL_COLUMN
}

fn height(labels: &[Label]) -> f64 {
    labels.iter().map(|_| LINE_HEIGHT).sum()
}
