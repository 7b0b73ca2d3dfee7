//! Entries of the journal in the order in which they came, each found by its key: a visit may have many thousands. It knows
//! which of them are not stored yet, and which are of steps that fail.

use std::collections::{BTreeSet, HashMap};

use crate::base::{Name, Quick};
use crate::record::{JournalEntry, JournalResult};

/// What there is room for as soon as there is anything.
const FEW: usize = 8;

#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    entries: Vec<JournalEntry>,
    places: HashMap<Name, usize, Quick>,
    /// Those that are not stored yet.
    unsaved: Vec<JournalEntry>,
    /// Where in there they are.
    unsaved_places: HashMap<Name, usize, Quick>,
    /// The places of those that have failed and are tried again.
    retrying: BTreeSet<usize>,
}

impl Journal {
    /// What is stored.
    pub(super) fn new(entries: Vec<JournalEntry>) -> Self {
        let mut journal = Self::default();
        journal.entries.reserve(entries.len());
        journal.places.reserve(entries.len());
        entries.into_iter().for_each(|entry| journal.put(entry));
        journal
    }

    pub(super) fn entries(&self) -> &[JournalEntry] {
        &self.entries
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter()
    }

    pub(super) fn get(&self, key: &str) -> Option<&JournalEntry> {
        self.entries.get(*self.places.get(key)?)
    }

    /// The first step that has failed and is tried again, other than the one with this key.
    pub(super) fn retrying_besides(&self, key: &str) -> Option<&JournalEntry> {
        self.retrying.iter().filter_map(|place| self.entries.get(*place)).find(|entry| entry.key != *key)
    }

    /// Adds an entry, in the place of one with its key if there is one.
    pub(super) fn put(&mut self, entry: JournalEntry) {
        let is_retrying = matches!(entry.result, JournalResult::Retrying { .. });
        let place = match self.places.get(&entry.key) {
            Some(place) => *place,
            None => {
                if self.entries.is_empty() {
                    // Growing from nothing takes as long as what is kept, where that is little.
                    self.entries.reserve(FEW);
                    self.places.reserve(FEW);
                }
                self.places.insert(entry.key.clone(), self.entries.len());
                self.entries.len()
            }
        };
        if is_retrying {
            self.retrying.insert(place);
        } else if !self.retrying.is_empty() {
            self.retrying.remove(&place);
        }
        match self.entries.get_mut(place) {
            Some(older) => *older = entry,
            None => self.entries.push(entry),
        }
    }

    /// Has entries stored that were just [put](Self::put).
    pub(super) fn save(&mut self, entries: Vec<JournalEntry>) {
        // Mostly there is one between two commits.
        if self.unsaved.is_empty() && entries.len() == 1 {
            self.unsaved = entries;
            return;
        }
        for entry in entries {
            match self.unsaved_place(&entry.key).and_then(|place| self.unsaved.get_mut(place)) {
                Some(older) => *older = entry,
                None => self.unsaved.push(entry),
            }
        }
    }

    /// Where among the unsaved ones a key is. They are indexed when there are several.
    fn unsaved_place(&mut self, key: &str) -> Option<usize> {
        let known = self.unsaved_places.len();
        let new = self.unsaved.iter().enumerate().skip(known).map(|(place, entry)| (entry.key.clone(), place));
        self.unsaved_places.extend(new);
        self.unsaved_places.get(key).copied()
    }

    /// Takes those that are not stored, to be stored.
    pub(super) fn take_unsaved(&mut self) -> Vec<JournalEntry> {
        self.unsaved_places.clear();
        std::mem::take(&mut self.unsaved)
    }

    /// Takes out those that `is_over` says.
    pub(super) fn extract(&mut self, mut is_over: impl FnMut(&JournalEntry) -> bool) -> Vec<JournalEntry> {
        self.unsaved.retain(|entry| !is_over(entry));
        self.unsaved_places.clear();
        let over: Vec<_> = self.entries.extract_if(.., |entry| is_over(entry)).collect();
        if !over.is_empty() {
            let kept = std::mem::take(&mut self.entries);
            self.places.clear();
            self.retrying.clear();
            kept.into_iter().for_each(|entry| self.put(entry));
        }
        over
    }

    /// Drops all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use crate::base::Timestamp;
    use crate::record::{ErrorKind, ErrorRecord, JournalEntry, JournalResult, Json};

    fn record(journal: &mut Journal, entry: JournalEntry) {
        journal.put(entry.clone());
        journal.save(vec![entry]);
    }

    fn entry(key: &str, attempts: u32) -> JournalEntry {
        JournalEntry::new(key, attempts, JournalResult::Done(Json::encode(&attempts).unwrap()))
    }

    fn retrying(key: &str) -> JournalEntry {
        let error = ErrorRecord { kind: ErrorKind::Failed, message: "busy".to_owned(), sources: Vec::new() };
        JournalEntry::new(key, 1, JournalResult::Retrying { error, due: Timestamp::EPOCH })
    }

    fn text(entries: &[JournalEntry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{}{}", entry.key, entry.attempts)).collect()
    }

    #[test]
    fn a_later_entry_takes_the_place_of_an_earlier_one_of_its_key() {
        let mut journal = Journal::new(vec![entry("a", 1), entry("b", 1), entry("a", 2)]);
        record(&mut journal, entry("c", 1));
        assert_eq!(text(journal.entries()), ["a2", "b1", "c1"]);
        let over = journal.extract(|entry| entry.key == "a");
        assert_eq!(over.len(), 1);
        record(&mut journal, entry("c", 2));
        record(&mut journal, entry("a", 3));
        assert_eq!(text(journal.entries()), ["b1", "c2", "a3"]);
        assert_eq!(journal.get("c").map(|entry| entry.attempts), Some(2));
        journal.clear();
        record(&mut journal, entry("c", 4));
        assert_eq!(text(journal.entries()), ["c4"]);
    }

    #[test]
    fn what_is_to_be_stored_is_the_last_of_each_key_in_the_order_in_which_they_came() {
        let mut journal = Journal::new(vec![entry("a", 1)]);
        assert_eq!(journal.take_unsaved(), []);
        for (key, attempts) in [("b", 1), ("a", 2), ("b", 2), ("c", 1), ("c", 2), ("a", 3)] {
            record(&mut journal, entry(key, attempts));
        }
        journal.extract(|entry| entry.key == "c");
        record(&mut journal, entry("b", 3));
        assert_eq!(text(&journal.take_unsaved()), ["b3", "a3"]);
        record(&mut journal, entry("b", 4));
        assert_eq!(text(&journal.take_unsaved()), ["b4"]);
    }

    #[test]
    fn a_step_that_fails_is_found_until_it_fails_no_more() {
        let mut journal = Journal::new(vec![entry("a", 1), retrying("b"), retrying("c")]);
        let besides = |journal: &Journal, key| journal.retrying_besides(key).map(|entry| entry.key.to_string());
        assert_eq!(besides(&journal, "").as_deref(), Some("b"));
        assert_eq!(besides(&journal, "b").as_deref(), Some("c"));
        journal.extract(|entry| entry.key == "a");
        record(&mut journal, entry("b", 2));
        assert_eq!(besides(&journal, "").as_deref(), Some("c"));
        record(&mut journal, entry("c", 2));
        assert_eq!(besides(&journal, ""), None);
    }
}
