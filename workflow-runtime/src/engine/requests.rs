//! Those who wait to hear what became of something that they asked for by hand.
//!
//! What is asked for is on disk before anybody waits here; to wait is a courtesy, so that what is done at once can be seen
//! at once. Nobody waits for a step: while one runs, the answer is that the request will be taken later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::base::Quick;
use crate::record::{Cause, ExecutionKey, HistoryKind, HistoryRecord};

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Requests {
    // Held only to look up, insert or remove, never over an await.
    waiting: Mutex<HashMap<ExecutionKey, Vec<Waiting>, Quick>>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was carried out.
    Done,
    /// Nothing came of it, for this reason.
    Refused(String),
    /// It will be taken when something else is over.
    Later,
    /// What was taken before it has ended the execution.
    Over,
}

#[derive(Debug)]
struct Waiting {
    event_id: String,
    /// Whether it is on disk: before that, nobody can have taken it.
    delivered: bool,
    /// Whether the execution has ended since it was asked.
    is_over: bool,
    answer: oneshot::Sender<Taken>,
}

/// What the rows of a commit say of requests, to be told when the commit is on disk.
pub(super) fn taken_in(history: &[HistoryRecord]) -> Vec<(String, Taken)> {
    let requests = history.iter().filter_map(|row| match &row.kind {
        HistoryKind::Control { event_id, refused, .. } => {
            Some((event_id.clone(), refused.clone().map_or(Taken::Done, Taken::Refused)))
        }
        HistoryKind::Stayed { cause: Cause::Event { event_id, .. }, .. }
        | HistoryKind::Transition { cause: Cause::Event { event_id, .. }, .. } => Some((event_id.clone(), Taken::Done)),
        HistoryKind::EventLeft { event_id, .. } => Some((event_id.clone(), Taken::Over)),
        _ => None,
    });
    requests.collect()
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Vec<Waiting>, Quick>> {
        // Each change leaves the map whole, so a panic elsewhere cannot have left it half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer to a request comes out.
    pub(super) fn ask(&self, key: &ExecutionKey, event_id: &str) -> oneshot::Receiver<Taken> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting { event_id: event_id.to_owned(), delivered: false, is_over: false, answer };
        self.lock().entry(key.clone()).or_default().push(waiting);
        receiver
    }

    /// The request is on disk.
    pub(super) fn delivered(&self, key: &ExecutionKey, event_id: &str) {
        if let Some(waiting) = self.lock().get_mut(key) {
            waiting.iter_mut().filter(|waiting| waiting.event_id == event_id).for_each(|one| one.delivered = true);
        }
        self.answer(key, &Taken::Over, |waiting| waiting.delivered && waiting.is_over);
    }

    /// Somebody asks no longer, and has dropped where the answer would have come out.
    pub(super) fn gone(&self, key: &ExecutionKey) {
        self.answer(key, &Taken::Later, |_| false);
    }

    /// What became of requests.
    pub(super) fn tell(&self, key: &ExecutionKey, taken: Vec<(String, Taken)>) {
        for (event_id, taken) in taken {
            self.answer(key, &taken, |waiting| waiting.event_id == event_id);
        }
    }

    /// The execution has come to its end, and whoever has not been told by now was not heard: what is on disk was left by
    /// that, and what is not will be refused.
    pub(super) fn over(&self, key: &ExecutionKey) {
        if let Some(waiting) = self.lock().get_mut(key) {
            waiting.iter_mut().for_each(|waiting| waiting.is_over = true);
        }
        self.answer(key, &Taken::Over, |waiting| waiting.delivered);
    }

    /// Nobody is to wait for this execution any longer.
    pub(super) fn later(&self, key: &ExecutionKey) {
        self.answer(key, &Taken::Later, |waiting| waiting.delivered);
    }

    /// Nobody is to wait any longer.
    pub(super) fn all_later(&self) {
        let all = std::mem::take(&mut *self.lock());
        // Dropping them tells them.
        drop(all);
    }

    fn answer(&self, key: &ExecutionKey, taken: &Taken, is_answered: impl Fn(&Waiting) -> bool) {
        let mut all = self.lock();
        let Some(waiting) = all.get_mut(key) else { return };
        for answered in waiting.extract_if(.., |waiting| is_answered(waiting)) {
            // Who has gone does not need it.
            let _ = answered.answer.send(taken.clone());
        }
        // Those who have gone leave nothing behind.
        waiting.retain(|waiting| !waiting.answer.is_closed());
        if waiting.is_empty() {
            all.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ExecutionId;

    fn key() -> ExecutionKey {
        ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("a").unwrap() }
    }

    #[test]
    fn a_request_is_answered_by_its_name_and_not_before_it_is_on_disk() {
        let (requests, key) = (Requests::default(), key());
        let (mut first, mut second) = (requests.ask(&key, "one"), requests.ask(&key, "two"));
        requests.delivered(&key, "one");
        requests.tell(&key, vec![("two".to_owned(), Taken::Refused("no".to_owned()))]);
        assert!(first.try_recv().is_err());
        assert_eq!(second.try_recv().unwrap(), Taken::Refused("no".to_owned()));
        let mut third = requests.ask(&key, "three");
        requests.later(&key);
        assert_eq!(first.try_recv().unwrap(), Taken::Later);
        assert!(third.try_recv().is_err(), "it is not on disk yet");
        requests.all_later();
        assert!(matches!(third.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
        assert!(requests.lock().is_empty());
    }

    #[test]
    fn what_is_on_disk_when_all_is_over_was_left_by_that() {
        let (requests, key) = (Requests::default(), key());
        let (mut taken, mut left) = (requests.ask(&key, "taken"), requests.ask(&key, "left"));
        let (mut late, mut refused) = (requests.ask(&key, "late"), requests.ask(&key, "refused"));
        requests.delivered(&key, "taken");
        requests.delivered(&key, "left");
        requests.tell(&key, vec![("taken".to_owned(), Taken::Done)]);
        requests.over(&key);
        assert_eq!((taken.try_recv().unwrap(), left.try_recv().unwrap()), (Taken::Done, Taken::Over));
        assert!(late.try_recv().is_err(), "nobody knows whether it came before the end");
        requests.later(&key);
        requests.delivered(&key, "late");
        assert_eq!(late.try_recv().unwrap(), Taken::Over);
        assert!(refused.try_recv().is_err());
        drop(refused);
        requests.gone(&key);
        assert!(requests.lock().is_empty());
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let (requests, key) = (Requests::default(), key());
        drop(requests.ask(&key, "one"));
        requests.later(&key);
        assert!(requests.lock().is_empty());
        drop(requests.ask(&key, "two"));
        let mut third = requests.ask(&key, "three");
        requests.gone(&key);
        assert!(third.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
        drop(third);
        requests.gone(&key);
        assert!(requests.lock().is_empty());
    }
}
