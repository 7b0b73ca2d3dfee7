//! Coordinates for the slots of a picture.
//!
//! Across, every slot is pulled to the axes of what it is linked with, and the slots of a row keep their order and
//! their distances. For one row, given the others, the best places are found exactly: with the distances taken out of
//! the coordinates it is a fit by non-decreasing numbers, which pooling adjacent violators solves in linear time.

use super::arena::{Arena, Column, Id};
use super::layers::{Content, Layers, Slot};
use super::ports::Ports;
use super::straight::straighten;

/// The rounds of a small picture, and the slots that all rounds together may touch.
const MOST_ROUNDS: usize = 120;
const BUDGET: usize = 150_000;
const CARRYING_ROUNDS: usize = 4;
/// The least room between two rows, and the most.
const LEAST_GAP: f64 = 22.0;
const MOST_GAP: f64 = 64.0;

pub(super) struct Places {
    /// The axis of each slot.
    pub(super) x: Column<Slot, f64>,
    /// The row that each slot is in.
    pub(super) band: Column<Slot, Band>,
    pub(super) ports: Ports,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Where a row lies.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Band {
    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }
}

pub(super) fn place(layers: &Layers) -> Places {
    let ports = Ports::new(layers);
    let mut x = packed(layers);
    let rounds = (BUDGET / (layers.slots.len() + 1)).clamp(6, MOST_ROUNDS);
    for round in 0..rounds {
        // First the shape is carried down and up through all rows, then it settles.
        let settling = round >= CARRYING_ROUNDS;
        if round % 2 == 0 {
            let pull = if settling { Pull::Both } else { Pull::Above };
            layers.rows.iter().for_each(|row| fit(row, pull, &layers.slots, &ports, &mut x));
        } else {
            let pull = if settling { Pull::Both } else { Pull::Below };
            layers.rows.iter().rev().for_each(|row| fit(row, pull, &layers.slots, &ports, &mut x));
        }
    }
    straighten(layers, &ports, &mut x);
    centre_unconnected(layers, &mut x);
    let left = layers.slots.ids().map(|slot| x[slot] - layers.slots[slot].left).fold(f64::INFINITY, f64::min);
    layers.slots.ids().for_each(|slot| x[slot] = (x[slot] - left).round());
    let width = layers.slots.ids().map(|slot| x[slot] + layers.slots[slot].right).fold(0.0, f64::max);
    let band = bands(layers, &ports, &x);
    let height = layers.slots.ids().map(|slot| band[slot].bottom).fold(0.0, f64::max);
    Places { x, band, ports, width, height }
}

/// Every row from left to right without room to spare, its middle at zero.
fn packed(layers: &Layers) -> Column<Slot, f64> {
    let mut x = Column::new(&layers.slots, 0.0);
    for row in &layers.rows {
        let width: f64 = row.iter().map(|slot| layers.slots[*slot].left + layers.slots[*slot].right).sum();
        let mut from = -width / 2.0;
        for slot in row {
            x[*slot] = from + layers.slots[*slot].left;
            from = x[*slot] + layers.slots[*slot].right;
        }
    }
    x
}

/// Rows without links have stayed where they were packed, while the others may have moved away from there.
fn centre_unconnected(layers: &Layers, x: &mut Column<Slot, f64>) {
    let is_linked = |slot: &Slot| !(slot.above.is_empty() && slot.below.is_empty());
    let linked = layers.slots.ids().filter(|slot| is_linked(&layers.slots[*slot]));
    let (left, right) = linked.fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), slot| {
        (left.min(x[slot] - layers.slots[slot].left), right.max(x[slot] + layers.slots[slot].right))
    });
    if left < right {
        let unlinked = layers.rows.iter().filter(|row| !row.iter().any(|slot| is_linked(&layers.slots[*slot])));
        unlinked.flatten().for_each(|slot| x[*slot] += f64::midpoint(left, right));
    }
}

/// Which links of a row's slots count.
#[derive(Clone, Copy)]
enum Pull {
    Above,
    Below,
    Both,
}

/// Slots that touch and so move together.
struct Block {
    /// The weighted sum of the places that they are pulled to.
    sum: f64,
    weight: f64,
    slots: usize,
}

impl Block {
    fn place(&self) -> f64 {
        self.sum / self.weight
    }
}

/// Moves the slots of a row to where they are pulled, as near as the others let them.
fn fit(row: &[Id<Slot>], pull: Pull, slots: &Arena<Slot>, ports: &Ports, x: &mut Column<Slot, f64>) {
    let mut blocks: Vec<Block> = Vec::new();
    let mut taken = 0.0;
    for slot in row {
        taken += slots[*slot].left;
        let (place, weight) = wish(*slot, pull, slots, ports, x);
        let mut block = Block { sum: (place - taken) * weight, weight, slots: 1 };
        taken += slots[*slot].right;
        while let Some(previous) = blocks.pop_if(|previous| previous.place() >= block.place()) {
            block.sum += previous.sum;
            block.weight += previous.weight;
            block.slots += previous.slots;
        }
        blocks.push(block);
    }
    let places = blocks.iter().flat_map(|block| std::iter::repeat_n(block.place(), block.slots));
    let mut taken = 0.0;
    for (slot, place) in row.iter().zip(places) {
        taken += slots[*slot].left;
        x[*slot] = place + taken;
        taken += slots[*slot].right;
    }
}

/// The mean of the places that would make the links of a slot straight, and the weight of that.
fn wish(id: Id<Slot>, pull: Pull, slots: &Arena<Slot>, ports: &Ports, x: &Column<Slot, f64>) -> (f64, f64) {
    let slot = &slots[id];
    let above = slot.above.iter().map(|other| (-ports.run(*other, id, x), stiffness(slot, &slots[*other])));
    let below = slot.below.iter().map(|other| (ports.run(id, *other, x), stiffness(slot, &slots[*other])));
    let (take_above, take_below) = match pull {
        Pull::Above => (true, false),
        Pull::Below => (false, true),
        Pull::Both => (true, true),
    };
    let links = above.filter(|_| take_above).chain(below.filter(|_| take_below));
    let (sum, weight) =
        links.fold((0.0, 0.0), |(sum, weight), (run, stiffness)| (sum + run * stiffness, weight + stiffness));
    // What nothing pulls at gives way.
    if weight > 0.0 { (x[id] + sum / weight, weight) } else { (x[id], 0.01) }
}

/// Long arrows are to be straight in the middle, and bend near their ends.
fn stiffness(slot: &Slot, other: &Slot) -> f64 {
    match (slot.content, other.content) {
        (Content::State(_), _) => other.pull,
        (_, Content::State(_)) => slot.pull,
        (Content::Label(_) | Content::Bend, Content::Label(_) | Content::Bend) => 4.0 * slot.pull,
    }
}

/// The more an arrow moves sideways between two rows, the more room it gets to do so.
fn bands(layers: &Layers, ports: &Ports, x: &Column<Slot, f64>) -> Column<Slot, Band> {
    let mut top = 0.0;
    let mut bands = Column::new(&layers.slots, Band { top, bottom: top });
    for row in &layers.rows {
        let height = row.iter().map(|slot| layers.slots[*slot].height).fold(0.0, f64::max);
        let band = Band { top, bottom: top + height };
        row.iter().for_each(|slot| bands[*slot] = band);
        let links = row.iter().flat_map(|slot| layers.slots[*slot].below.iter().map(|lower| (*slot, *lower)));
        let widest = links.map(|(upper, lower)| ports.run(upper, lower, x).abs()).fold(0.0, f64::max);
        top = band.bottom + (LEAST_GAP + widest * 0.1).min(MOST_GAP).round();
    }
    bands
}
