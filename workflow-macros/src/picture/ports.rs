//! Where arrows end at the upper and lower sides of boxes.

use super::arena::{Column, Id};
use super::layers::{Content, Layers, STATE_MARGIN, Slot};
use super::text::as_f64;

/// The distance between two arrows where there is room for it, and the part of a side that is kept free of them.
const DISTANCE: f64 = 24.0;
const CORNER: f64 = 12.0;

/// Distances from the axes of states. A slot that is no state has one link to each side, so it stands for that link.
pub(super) struct Ports {
    /// At the state above, if it is one.
    pub(super) above: Column<Slot, f64>,
    /// At the state below, if it is one.
    pub(super) below: Column<Slot, f64>,
}

impl Ports {
    pub(super) fn new(layers: &Layers) -> Self {
        let mut ports = Self { above: Column::new(&layers.slots, 0.0), below: Column::new(&layers.slots, 0.0) };
        for slot in layers.slots.iter() {
            let Content::State(_) = slot.content else { continue };
            let half = slot.left - STATE_MARGIN - CORNER;
            for (link, port) in slot.below.iter().zip(spread(layers, &slot.below, half)) {
                ports.above[*link] = port;
            }
            for (link, port) in slot.above.iter().zip(spread(layers, &slot.above, half)) {
                ports.below[*link] = port;
            }
        }
        ports
    }

    /// How far the ends of a link are apart, to the right, while its slots stand at these places.
    pub(super) fn run(&self, upper: Id<Slot>, lower: Id<Slot>, x: &Column<Slot, f64>) -> f64 {
        x[lower] + self.below[upper] - x[upper] - self.above[lower]
    }
}

/// At even distances, with the one that pulls most in the middle, so that the main way is a straight line through the
/// middles of its boxes. If there is no such one, the middle is that of all.
fn spread(layers: &Layers, links: &[Id<Slot>], half: f64) -> impl Iterator<Item = f64> {
    let last = as_f64(links.len().saturating_sub(1));
    let middle = strongest(layers, links).map_or(last / 2.0, |(position, _)| as_f64(position));
    let farthest = middle.max(last - middle);
    let distance = if farthest > 0.0 { DISTANCE.min(half / farthest) } else { 0.0 };
    (0..links.len()).map(move |position| (as_f64(position) - middle) * distance)
}

/// The link that pulls more than any other, and which one it is.
pub(super) fn strongest(layers: &Layers, links: &[Id<Slot>]) -> Option<(usize, Id<Slot>)> {
    let pull = |link: &Id<Slot>| layers.slots[*link].pull;
    let most = links.iter().map(pull).fold(0.0, f64::max);
    let mut strongest = links.iter().copied().enumerate().filter(|(_, link)| pull(link) >= most);
    match (strongest.next(), strongest.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
