//! What a seed decides.

/// A number that follows from the seed and `of`, and looks like chance.
pub(in crate::testing) fn chosen(seed: u64, of: u128) -> u64 {
    let halves = [of as u64, (of >> 64) as u64];
    halves.into_iter().fold(mix(seed), |number, half| mix(number ^ half))
}

/// The finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Has the chance of this thread follow from a seed, as long as this lives.
#[derive(Debug)]
pub(super) struct Seeded {
    before: u64,
}

impl Seeded {
    pub(super) fn new(seed: u64) -> Self {
        let before = fastrand::get_seed();
        fastrand::seed(mix(seed));
        Self { before }
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        fastrand::seed(self.before);
    }
}
