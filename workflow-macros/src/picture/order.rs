//! The order of the slots in each row, so that few arrows cross.
//!
//! Rows are sorted by the mean place of what each slot is linked with, downwards and upwards in turn, and neighbours are
//! swapped where that helps; the best order that was seen is kept. The problem has no fast exact answer; the number of
//! rounds is bounded, and falls as pictures grow.

use super::arena::{Arena, Column, Id};
use super::layers::{Layers, Slot};
use super::text::as_f64;

/// The rounds of a small picture, and the slots that all rounds together may touch.
const MOST_ROUNDS: usize = 24;
const BUDGET: usize = 100_000;

/// Which neighbouring row a row is sorted by.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

type Rows = Vec<Vec<Id<Slot>>>;

pub(super) fn order(layers: &mut Layers) {
    let rounds = (BUDGET / (layers.slots.len() + 1)).clamp(2, MOST_ROUNDS);
    let mut sorter = Sorter { slots: &layers.slots, places: Column::new(&layers.slots, 0) };
    let mut rows = layers.rows.clone();
    rows.iter().for_each(|row| sorter.note(row));
    let mut fewest = sorter.crossings(&rows);
    for round in 0..rounds {
        if fewest == 0 {
            break;
        }
        if round % 2 == 0 {
            rows.iter_mut().for_each(|row| sorter.sort(row, Side::Above));
        } else {
            rows.iter_mut().rev().for_each(|row| sorter.sort(row, Side::Below));
        }
        sorter.swap_neighbours(&mut rows);
        let crossings = sorter.crossings(&rows);
        if crossings < fewest {
            fewest = crossings;
            layers.rows.clone_from(&rows);
        }
    }
    // Links of one state leave it in the order in which they arrive.
    let mut places = Column::new(&layers.slots, 0);
    layers.rows.iter().flat_map(|row| row.iter().enumerate()).for_each(|(place, slot)| places[*slot] = place);
    for slot in layers.slots.ids() {
        layers.slots[slot].above.sort_by_key(|other| places[*other]);
        layers.slots[slot].below.sort_by_key(|other| places[*other]);
    }
}

struct Sorter<'a> {
    slots: &'a Arena<Slot>,
    /// Where each slot is in its row.
    places: Column<Slot, usize>,
}

impl Sorter<'_> {
    fn note(&mut self, row: &[Id<Slot>]) {
        for (place, slot) in row.iter().enumerate() {
            self.places[*slot] = place;
        }
    }

    fn linked(&self, slot: Id<Slot>, side: Side) -> &[Id<Slot>] {
        match side {
            Side::Above => &self.slots[slot].above,
            Side::Below => &self.slots[slot].below,
        }
    }

    fn sort(&mut self, row: &mut [Id<Slot>], side: Side) {
        let mut sorted: Vec<_> = row.iter().map(|slot| (self.mean_place(*slot, side), *slot)).collect();
        sorted.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        row.iter_mut().zip(sorted).for_each(|(slot, (_, other))| *slot = other);
        self.note(row);
    }

    /// The mean place of the slots that this one is linked with; its own place if there are none.
    fn mean_place(&self, slot: Id<Slot>, side: Side) -> f64 {
        let linked = self.linked(slot, side);
        if linked.is_empty() {
            return as_f64(self.places[slot]);
        }
        linked.iter().map(|other| as_f64(self.places[*other])).sum::<f64>() / as_f64(linked.len())
    }

    fn swap_neighbours(&mut self, rows: &mut Rows) {
        for _ in 0..4 {
            let mut swapped = false;
            for row in rows.iter_mut() {
                for place in 1..row.len() {
                    let (Some(left), Some(right)) = (row.get(place - 1).copied(), row.get(place).copied()) else {
                        continue;
                    };
                    if self.crossings_of(right, left) < self.crossings_of(left, right) {
                        row.swap(place - 1, place);
                        self.places[right] = place - 1;
                        self.places[left] = place;
                        swapped = true;
                    }
                }
            }
            if !swapped {
                break;
            }
        }
    }

    /// How often the links of two slots cross if they stand in this order.
    fn crossings_of(&self, left: Id<Slot>, right: Id<Slot>) -> usize {
        let on = |side| {
            let right_places = || self.linked(right, side).iter().map(|other| self.places[*other]);
            let left_places = self.linked(left, side).iter().map(|other| self.places[*other]);
            left_places.map(|place| right_places().filter(|other| *other < place).count()).sum::<usize>()
        };
        on(Side::Above) + on(Side::Below)
    }

    fn crossings(&self, rows: &Rows) -> usize {
        rows.iter().map(|row| self.crossings_below(row)).sum()
    }

    /// The links from a row to the next one, taken from left to right, cross as often as their lower ends are out of
    /// order. A tree of counts (Fenwick's) tells how many of the ends so far lie further to the right.
    fn crossings_below(&self, row: &[Id<Slot>]) -> usize {
        let mut ends = Vec::new();
        for slot in row {
            let from = ends.len();
            ends.extend(self.linked(*slot, Side::Below).iter().map(|other| self.places[*other]));
            if let Some(own) = ends.get_mut(from..) {
                own.sort_unstable();
            }
        }
        let size = ends.iter().max().map_or(0, |end| end + 2);
        let mut counts = vec![0_usize; size];
        let mut crossings = 0;
        for (seen, end) in ends.iter().enumerate() {
            let mut up_to = 0;
            let mut node = end + 1;
            while node > 0 {
                up_to += counts.get(node).copied().unwrap_or_default();
                node &= node - 1;
            }
            crossings += seen - up_to;
            let mut node = end + 1;
            while let Some(count) = counts.get_mut(node) {
                *count += 1;
                node += node & node.wrapping_neg();
            }
        }
        crossings
    }
}
