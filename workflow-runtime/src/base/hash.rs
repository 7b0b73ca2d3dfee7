//! A quick hash for maps whose keys are texts that code and data make up together.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// Begins every hash with a number that is another one in every process, so that nobody can choose texts that clash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quick {
    seed: u64,
}

impl Default for Quick {
    fn default() -> Self {
        static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        Self { seed: *SEED }
    }
}

impl BuildHasher for Quick {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer { state: self.seed }
    }
}

/// Multiplies what it is given into its state, eight bytes at a time, and folds the product in half.
#[derive(Debug)]
pub(crate) struct Mixer {
    state: u64,
}

impl Mixer {
    fn mix(&mut self, word: u64) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(self.state ^ word) * u128::from(ODD);
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.state = (low ^ high).rotate_left(23);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_that_are_nearly_alike_have_hashes_of_their_own() {
        let hash = Quick::default();
        let texts = (0..100_000).map(|number| format!("run:load:0123456789abcdef:{number}"));
        let hashes: HashSet<u64> = texts.map(|text| hash.hash_one(text)).collect();
        assert_eq!(hashes.len(), 100_000);
        // What a table looks at first are the lowest bits and the highest.
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xffff).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(low.len() > 40_000, "{}", low.len());
        assert_eq!(high.len(), 128);
    }

    #[test]
    fn how_long_a_text_is_counts() {
        let hash = Quick::default();
        let hashes: HashSet<u64> = (0..64).map(|len| hash.hash_one("\0".repeat(len))).collect();
        assert_eq!(hashes.len(), 64);
    }
}
