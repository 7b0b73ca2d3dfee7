//! Takes the small bends out of arrows.
//!
//! Each slot may move between its neighbours in its row. Going along a way, as many slots as have a place in common are
//! put there; that leaves the way with the fewest bends that the others allow. The ways are first those that the
//! strongest links make through several states, then the single arrows.

use std::cmp::Reverse;

use super::arena::{Column, Id};
use super::layers::{Layers, Slot};
use super::ports::{Ports, strongest};

/// How often all arrows are taken; one that was straightened may have made room for another.
const ROUNDS: usize = 3;

pub(super) fn straighten(layers: &Layers, ports: &Ports, x: &mut Column<Slot, f64>) {
    let neighbours = Neighbours::new(layers);
    for way in main_ways(layers) {
        let mut run = Run::default();
        for slot in way {
            run.take(slot, neighbours.room(slot, layers, x), x);
        }
        run.settle(x);
    }
    // Long arrows first, as their bends show most.
    let mut chains: Vec<_> = layers.chains.values().collect();
    chains.sort_by_key(|chain| Reverse(chain.len()));
    for chain in std::iter::repeat_n(chains, ROUNDS).flatten() {
        let [upper, slots @ .., lower] = chain.as_slice() else { continue };
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { continue };
        let mut run = Run::at(x[*lower] + ports.below[*last]);
        for slot in slots.iter().rev() {
            run.take(*slot, neighbours.room(*slot, layers, x), x);
        }
        run.end_at(x[*upper] + ports.above[*first]);
        run.settle(x);
    }
}

/// Slots from the top down, each of which is the strongest link of the one above it, and the other way round.
fn main_ways(layers: &Layers) -> Vec<Vec<Id<Slot>>> {
    let next = |slot: Id<Slot>| {
        let (_, below) = strongest(layers, &layers.slots[slot].below)?;
        let (_, back) = strongest(layers, &layers.slots[below].above)?;
        (back == slot).then_some(below)
    };
    let mut is_first = Column::new(&layers.slots, true);
    layers.slots.ids().filter_map(next).for_each(|slot| is_first[slot] = false);
    let firsts = layers.slots.ids().filter(|slot| is_first[*slot]);
    firsts.map(|first| std::iter::successors(Some(first), |slot| next(*slot)).collect()).collect()
}

/// Slots that can stand on one line, and where that can be.
struct Run {
    least: f64,
    most: f64,
    slots: Vec<Id<Slot>>,
}

impl Default for Run {
    fn default() -> Self {
        Self { least: f64::NEG_INFINITY, most: f64::INFINITY, slots: Vec::new() }
    }
}

impl Run {
    fn at(place: f64) -> Self {
        Self { least: place, most: place, slots: Vec::new() }
    }

    /// The next slot of the way; if its room does not reach this line, it begins another one.
    fn take(&mut self, slot: Id<Slot>, (least, most): (f64, f64), x: &mut Column<Slot, f64>) {
        if least > self.most || most < self.least {
            self.settle(x);
            *self = Self::default();
        }
        self.least = self.least.max(least);
        self.most = self.most.min(most);
        self.slots.push(slot);
    }

    /// The way ends here, on the same line if it can.
    fn end_at(&mut self, place: f64) {
        if self.least <= place && place <= self.most {
            self.least = place;
            self.most = place;
        }
    }

    /// As near as possible to where the slots were on the average.
    fn settle(&self, x: &mut Column<Slot, f64>) {
        let (sum, count) = self.slots.iter().fold((0.0, 0.0), |(sum, count), slot| (sum + x[*slot], count + 1.0));
        if count > 0.0 {
            let place = (sum / count).max(self.least).min(self.most);
            self.slots.iter().for_each(|slot| x[*slot] = place);
        }
    }
}

struct Neighbours {
    left: Column<Slot, Option<Id<Slot>>>,
    right: Column<Slot, Option<Id<Slot>>>,
}

impl Neighbours {
    fn new(layers: &Layers) -> Self {
        let mut neighbours = Self { left: Column::new(&layers.slots, None), right: Column::new(&layers.slots, None) };
        for pair in layers.rows.iter().flat_map(|row| row.windows(2)) {
            if let [left, right] = pair {
                neighbours.right[*left] = Some(*right);
                neighbours.left[*right] = Some(*left);
            }
        }
        neighbours
    }

    /// From where to where a slot can move. Its own place is always in there, even if rounding says otherwise.
    fn room(&self, slot: Id<Slot>, layers: &Layers, x: &Column<Slot, f64>) -> (f64, f64) {
        let slots = &layers.slots;
        let least = self.left[slot].map(|left| x[left] + slots[left].right + slots[slot].left);
        let most = self.right[slot].map(|right| x[right] - slots[right].left - slots[slot].right);
        (least.unwrap_or(f64::NEG_INFINITY).min(x[slot]), most.unwrap_or(f64::INFINITY).max(x[slot]))
    }
}
