//! What the writer knows of executions that it wrote lately, so that it need not ask the file again.
//!
//! It is as good as the file as long as nobody else writes there, which the writer finds out at the beginning of each
//! group. Its size is bounded: of two generations, the older one is forgotten when the younger one is full, and who is
//! asked for comes to the younger one.

use std::collections::HashMap;

use crate::base::Quick;
use crate::record::ExecutionKey;
use crate::stores::rules::Head;

/// The most executions of one generation; with what is known of them, some 2 MiB.
const GENERATION: usize = if cfg!(test) { 64 } else { 8_192 };

/// An execution as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) exec: i64,
    pub(super) head: Head,
    pub(super) last_event: u64,
    pub(super) last_control: u64,
    pub(super) has_attributes: bool,
    /// Whether there may be rows of it in the journal.
    pub(super) has_journal: bool,
    /// Whether `last_event` has been compared with the inbox.
    pub(super) is_inbox_known: bool,
    /// The ends of its history, once they were asked for.
    pub(super) history: Option<HistoryEnds>,
}

/// Where a history begins and ends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HistoryEnds {
    /// Every place up to this one is empty.
    pub(super) dropped: i64,
    /// The place of the last row, 0 if there has been none.
    pub(super) last: i64,
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    // On the heap, as each is taken out and put back with every commit.
    young: HashMap<ExecutionKey, Box<Found>, Quick>,
    old: HashMap<ExecutionKey, Box<Found>, Quick>,
}

impl Cache {
    /// What is known of `key`. It is forgotten here: who has changed the execution puts it back.
    pub(super) fn take(&mut self, key: &ExecutionKey) -> Option<(ExecutionKey, Box<Found>)> {
        self.young.remove_entry(key).or_else(|| self.old.remove_entry(key))
    }

    pub(super) fn put(&mut self, key: ExecutionKey, found: Box<Found>) {
        if self.young.len() >= GENERATION {
            // The emptied map keeps its memory.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, found);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ExecutionId, Timestamp};
    use crate::record::Status;

    fn key(number: usize) -> ExecutionKey {
        ExecutionKey { workflow: "Orders".into(), id: ExecutionId::new(number.to_string()).unwrap() }
    }

    fn found(exec: i64) -> Box<Found> {
        let head = Head {
            version: 1,
            visit: 1,
            status: Status::Running,
            entered_at: Timestamp::EPOCH,
            record_wake_at: None,
            inbox_seen: 0,
        };
        Box::new(Found {
            exec,
            head,
            last_event: 0,
            last_control: 0,
            has_attributes: false,
            has_journal: false,
            is_inbox_known: true,
            history: None,
        })
    }

    #[test]
    fn who_is_asked_for_stays_and_the_others_go() {
        let mut cache = Cache::default();
        cache.put(key(0), found(0));
        for number in 1..10 * GENERATION {
            cache.put(key(number), found(1));
            let (asked, kept) = cache.take(&key(0)).unwrap();
            assert_eq!(kept.exec, 0);
            cache.put(asked, kept);
            assert!(cache.young.len() + cache.old.len() <= 2 * GENERATION);
        }
        assert!(cache.take(&key(1)).is_none());
        cache.clear();
        assert!(cache.take(&key(0)).is_none());
    }
}
