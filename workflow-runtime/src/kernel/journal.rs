//! Entries of the journal in the order in which they came, each found by its key: a visit may have many thousands.

use std::collections::HashMap;

use crate::record::JournalEntry;

#[derive(Debug, Clone, Default)]
pub(super) struct Journal {
    entries: Vec<JournalEntry>,
    places: HashMap<String, usize>,
}

impl Journal {
    pub(super) fn new(entries: Vec<JournalEntry>) -> Self {
        let mut journal = Self::default();
        journal.entries.reserve(entries.len());
        entries.into_iter().for_each(|entry| journal.put(entry));
        journal
    }

    pub(super) fn entries(&self) -> &[JournalEntry] {
        &self.entries
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &JournalEntry> {
        self.entries.iter()
    }

    /// Adds an entry, in the place of one with its key if there is one.
    pub(super) fn put(&mut self, entry: JournalEntry) {
        match self.places.get(&entry.key).and_then(|place| self.entries.get_mut(*place)) {
            Some(older) => *older = entry,
            None => {
                self.places.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// Takes out those that `is_over` says.
    pub(super) fn extract(&mut self, mut is_over: impl FnMut(&JournalEntry) -> bool) -> Vec<JournalEntry> {
        let over: Vec<_> = self.entries.extract_if(.., |entry| is_over(entry)).collect();
        if !over.is_empty() {
            self.places = self.entries.iter().enumerate().map(|(place, entry)| (entry.key.clone(), place)).collect();
        }
        over
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> Vec<JournalEntry> {
        self.places.clear();
        std::mem::take(&mut self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use crate::record::{JournalEntry, JournalResult, Json};

    fn entry(key: &str, attempts: u32) -> JournalEntry {
        let result = JournalResult::Done(Json::encode(&attempts).unwrap());
        JournalEntry { key: key.to_owned(), attempts, result, undo: None }
    }

    fn text(journal: &Journal) -> Vec<String> {
        journal.entries().iter().map(|entry| format!("{}{}", entry.key, entry.attempts)).collect()
    }

    #[test]
    fn a_later_entry_takes_the_place_of_an_earlier_one_of_its_key() {
        let mut journal = Journal::new(vec![entry("a", 1), entry("b", 1), entry("a", 2)]);
        journal.put(entry("c", 1));
        assert_eq!(text(&journal), ["a2", "b1", "c1"]);
        let over = journal.extract(|entry| entry.key == "a");
        assert_eq!(over.len(), 1);
        journal.put(entry("c", 2));
        journal.put(entry("a", 3));
        assert_eq!(text(&journal), ["b1", "c2", "a3"]);
        assert_eq!(journal.take().len(), 3);
        journal.put(entry("c", 4));
        assert_eq!(text(&journal), ["c4"]);
    }
}
