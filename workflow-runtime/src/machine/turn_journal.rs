//! What a turn knows of the journal: what is recorded, which calls were made, and what is still to be saved.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Bound;

use super::step::is_details;
use crate::base::{Name, Quick};
use crate::record::{JournalEntry, JournalResult, ParallelEnd};

/// What there is room for as soon as there is anything.
const FEW: usize = 8;

#[derive(Default)]
pub(super) struct TurnJournal {
    entries: Vec<Known>,
    /// Where in there a key is.
    places: HashMap<Name, usize, Quick>,
    /// How many entries were there at the beginning.
    found: usize,
    /// How often each call was made.
    calls: BTreeMap<Call, u32>,
    /// What is to be handed to the driver, in the order in which it was recorded: the last one has the number
    /// [`recorded`](Self::recorded).
    unsaved: Vec<JournalEntry>,
    /// Those in there whose key has another entry after them.
    outdated: Vec<usize>,
    /// How many entries were recorded, how many of them handed to the driver, and how many are on disk.
    recorded: u64,
    handed: u64,
    saved: u64,
    /// The last entry that a step may not start before.
    decisive: u64,
    /// Whether a step has left the details of a heartbeat.
    has_details: bool,
    /// Where keys are put together.
    text: String,
}

/// An entry.
struct Known {
    entry: JournalEntry,
    /// Whether a call has asked for it, if it was there at the beginning.
    claimed: bool,
    /// How many entries had been recorded when it was, itself included.
    number: u64,
}

/// A call: all of its key but the count. It is kept as the key of the first one that was made, which it is the beginning of.
struct Call {
    first: Name,
    len: usize,
}

impl Call {
    fn text(&self) -> &str {
        self.first.get(..self.len).unwrap_or(&self.first)
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Call {}

impl PartialOrd for Call {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Call {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text().cmp(other.text())
    }
}

impl Borrow<str> for Call {
    fn borrow(&self) -> &str {
        self.text()
    }
}

impl TurnJournal {
    pub(super) fn new(journal: Vec<JournalEntry>) -> Self {
        let mut known = Self { found: journal.len(), ..Self::default() };
        known.entries.reserve(journal.len());
        known.places.reserve(journal.len());
        for entry in journal {
            known.put(Known { entry, claimed: false, number: 0 });
        }
        known
    }

    /// Puts an entry in the place of an earlier one of its key, if there is one, and gives that back.
    fn put(&mut self, known: Known) -> Option<Known> {
        self.has_details |= is_details(&known.entry.key);
        match self.places.get(&known.entry.key).and_then(|place| self.entries.get_mut(*place)) {
            Some(older) => {
                let claimed = older.claimed;
                Some(std::mem::replace(older, Known { claimed, ..known }))
            }
            None => {
                if self.entries.is_empty() {
                    // Growing from nothing takes as long as what is kept, where that is little.
                    self.entries.reserve(FEW);
                    self.places.reserve(FEW);
                }
                self.places.insert(known.entry.key.clone(), self.entries.len());
                self.entries.push(known);
                None
            }
        }
    }

    fn known(&self, key: &str) -> Option<&Known> {
        self.entries.get(*self.places.get(key)?)
    }

    pub(super) fn get(&self, key: &str) -> Option<&JournalEntry> {
        self.known(key).map(|known| &known.entry)
    }

    /// The details that the last heartbeat of a step has left. `key` is where they are, if there are any.
    pub(super) fn details(&self, key: impl FnOnce() -> String) -> Option<&JournalEntry> {
        if self.has_details { self.get(&key()) } else { None }
    }

    /// The key of a call that is made now. What is given are the parts of the call, which are put together with colons.
    pub(super) fn claim(&mut self, call: &[&str]) -> Name {
        let mut key = std::mem::take(&mut self.text);
        key.clear();
        for (place, part) in call.iter().enumerate() {
            if place > 0 {
                key.push(':');
            }
            key.push_str(part);
        }
        let len = key.len();
        let claimed = match self.calls.get_mut(key.as_str()) {
            Some(count) => {
                // Writing to a text does not fail.
                let _ = write!(key, ":{count}");
                *count += 1;
                Name::from(&key)
            }
            None => {
                key.push_str(":0");
                let first = Name::from(&key);
                self.calls.insert(Call { first: first.clone(), len }, 1);
                first
            }
        };
        self.text = key;
        if self.found > 0
            && let Some(known) = self.places.get(&claimed).and_then(|place| self.entries.get_mut(*place))
        {
            known.claimed = true;
        }
        claimed
    }

    /// Takes what was recorded under this key, or inside of it. Says whether anything was.
    pub(super) fn claim_old(&mut self, key: &str) -> bool {
        if let Some(known) = self.places.get(key).and_then(|place| self.entries.get_mut(*place)) {
            known.claimed = true;
            return true;
        }
        let is_inside = |known: &Known| known.entry.key.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
        self.entries.iter().take(self.found).any(is_inside)
    }

    /// Counts the calls inside of this step from the beginning, as after a crash.
    pub(super) fn begin_attempt(&mut self, step: &str) {
        let from = format!("{step}:");
        while let Some(call) = self.calls_from(&from) {
            self.calls.remove(&*call);
        }
    }

    /// Whether a call was made whose key begins with this one.
    pub(super) fn has_calls_in(&self, key: &str) -> bool {
        self.calls_from(&format!("{key}:")).is_some()
    }

    /// The first call that begins with `from`.
    fn calls_from(&self, from: &str) -> Option<String> {
        let (call, _) = self.calls.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next()?;
        call.text().starts_with(from).then(|| call.text().to_owned())
    }

    /// All that is recorded, in the order in which it came.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn all(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter().map(|known| &known.entry)
    }

    /// Keeps an entry that need not be saved.
    pub(super) fn keep_only(&mut self, entry: JournalEntry) {
        self.put(Known { entry, claimed: true, number: 0 });
    }

    /// Keeps an entry that is to be saved. If it is `decisive`, no step may start before it is.
    pub(super) fn keep(&mut self, entry: JournalEntry, decisive: bool) {
        self.recorded += 1;
        if decisive {
            self.decisive = self.recorded;
        }
        if self.unsaved.capacity() == 0 {
            // Mostly there is one.
            self.unsaved.reserve_exact(1);
        }
        self.unsaved.push(entry.clone());
        let older = self.put(Known { entry, claimed: true, number: self.recorded });
        let older = older.filter(|older| older.number > self.handed);
        // Two results of one call between two commits: the later one is all that matters.
        self.outdated.extend(older.and_then(|older| usize::try_from(older.number - self.handed - 1).ok()));
    }

    pub(super) fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    pub(super) fn take_unsaved(&mut self) -> Vec<JournalEntry> {
        self.handed = self.recorded;
        let mut unsaved = std::mem::take(&mut self.unsaved);
        if !self.outdated.is_empty() {
            let outdated: BTreeSet<usize> = self.outdated.drain(..).collect();
            let mut place = 0..;
            unsaved.retain(|_| place.next().is_some_and(|place| !outdated.contains(&place)));
        }
        unsaved
    }

    /// What was handed out is on disk.
    pub(super) fn saved(&mut self) {
        self.saved = self.handed;
    }

    /// The number of the last entry that a step which comes to the gate now may not start before.
    pub(super) fn decisive(&self) -> u64 {
        self.decisive
    }

    pub(super) fn is_saved(&self, number: u64) -> bool {
        self.saved >= number
    }

    /// Keys that were there at the beginning, which no call of `handler` has asked for.
    pub(super) fn unclaimed(&self, handler: &str) -> Vec<Name> {
        let told = |entry: &JournalEntry| entry.is_of(handler) && is_of_interest(&entry.result);
        // Nobody asks for what is inside of a step that is recorded itself.
        let is_inside_of_claimed = |key: &str| {
            let outer = |(end, _)| key.get(..end).is_some_and(|outer| self.is_claimed(outer));
            key.match_indices(':').any(outer)
        };
        let found = self.entries.iter().take(self.found).filter(|known| !known.claimed).map(|known| &known.entry);
        let unclaimed = found.filter(|entry| told(entry) && !is_inside_of_claimed(&entry.key));
        let mut keys: Vec<Name> = unclaimed.map(|entry| entry.key.clone()).collect();
        keys.sort_unstable();
        keys
    }

    /// Whether what was asked for has all that is inside of it with it.
    fn is_claimed(&self, key: &str) -> bool {
        let whole = |entry: &JournalEntry| match &entry.result {
            // The branches that were stopped are not asked for again.
            JournalResult::Parallel(call) => {
                call.end.as_ref().is_some_and(|end| *end == ParallelEnd::TimedOut || !end.by().is_empty())
            }
            JournalResult::Branch(_) => false,
            _ => true,
        };
        self.known(key).is_some_and(|known| whole(&known.entry) && known.claimed)
    }
}

/// Whether somebody wants to know that nobody asked for it: not where it says nothing that was done.
fn is_of_interest(result: &JournalResult) -> bool {
    !matches!(result, JournalResult::Sleeping { .. } | JournalResult::Parallel(_) | JournalResult::Branch(_))
}
