//! Random identifiers.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A random identifier of version 4 (RFC 9562), as text.
pub(super) fn new_uuid() -> String {
    // The keys of these are from the system's source of randomness.
    let half = || RandomState::new().build_hasher().finish();
    text(u128::from(half()) << 64 | u128::from(half()))
}

/// The identifier that goes with this number.
pub(super) fn uuid_of(number: u64) -> String {
    // Both halves differ wherever the number does, as the factor is odd.
    text(u128::from(number) << 64 | u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn text(random: u128) -> String {
    let bits = random & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
    let digits = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{new_uuid, text};

    #[test]
    fn it_says_that_it_is_random() {
        assert_eq!(text(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(text(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn no_two_are_the_same() {
        let uuids: BTreeSet<_> = (0..10_000).map(|_| new_uuid()).collect();
        assert_eq!(uuids.len(), 10_000);
    }
}
