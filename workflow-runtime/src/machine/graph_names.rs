//! Names, compared in constants: by a number each, as the compiler interprets all of it and would take a second for all
//! pairs of the names of some hundred states.
#![allow(
    clippy::indexing_slicing,
    reason = "a constant function has no other way, and a slip fails the user's build, not the program"
)]

/// Into how many lists the names are laid.
const LISTS: usize = 256;

/// Names with a place each, found by their digests. A place is less than `N`.
pub(super) struct Names<const N: usize> {
    digests: [u64; N],
    /// The youngest place of each list, and `N` where there is none.
    youngest: [usize; LISTS],
    /// The next older place of the same list.
    older: [usize; N],
}

impl<const N: usize> Names<N> {
    pub(super) const fn new() -> Self {
        Self { digests: [0; N], youngest: [N; LISTS], older: [N; N] }
    }

    /// Adds a name; each place has one at most.
    pub(super) const fn add(&mut self, place: usize, name: &str) {
        let digest = name_digest(name);
        let list = list_of(digest);
        self.digests[place] = digest;
        self.older[place] = self.youngest[list];
        self.youngest[list] = place;
    }

    /// The youngest place whose name has the digest of this one, and `N` if there is none.
    pub(super) const fn find(&self, name: &str) -> usize {
        let digest = name_digest(name);
        self.at_or_before(self.youngest[list_of(digest)], digest)
    }

    /// The next older one.
    pub(super) const fn find_older(&self, place: usize) -> usize {
        self.at_or_before(self.older[place], self.digests[place])
    }

    const fn at_or_before(&self, place: usize, digest: u64) -> usize {
        let mut place = place;
        while place < N && self.digests[place] != digest {
            place = self.older[place];
        }
        place
    }
}

/// The number that stands for a name: FNV-1a.
const fn name_digest(name: &str) -> u64 {
    let mut bytes = name.as_bytes();
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    while let [byte, rest @ ..] = bytes {
        digest = (digest ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    digest
}

#[expect(clippy::cast_possible_truncation, reason = "it is less than the number of lists")]
const fn list_of(digest: u64) -> usize {
    (digest % LISTS as u64) as usize
}

/// Whether two names are the same.
pub(super) const fn same_name(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    loop {
        match (left, right) {
            ([], []) => return true,
            ([rest_of_left @ .., first], [rest_of_right @ .., second]) if *first == *second => {
                left = rest_of_left;
                right = rest_of_right;
            }
            _ => return false,
        }
    }
}

/// Whether a name is among others.
pub(super) const fn has_name(names: &[&str], name: &str) -> bool {
    let mut names = names;
    while let [first, rest @ ..] = names {
        if same_name(first, name) {
            return true;
        }
        names = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_at_every_place_of_it_and_at_no_other() {
        const PLACES: usize = 600;
        let name = |place: usize| format!("state-{}", place % 200);
        let mut names = Names::<PLACES>::new();
        (0..PLACES).for_each(|place| names.add(place, &name(place)));
        for place in 400..PLACES {
            let found = names.find(&name(place));
            assert_eq!((found, names.find_older(found)), (place, place - 200));
            assert_eq!(names.find_older(names.find_older(place - 200)), PLACES);
        }
        assert_eq!(names.find("state-200"), PLACES);
        assert_eq!(Names::<0>::new().find(""), 0);
    }
}
