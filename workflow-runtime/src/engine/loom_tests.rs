//! Every order of the threads that meet at the places of an engine. tokio's own types count as one act each.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt as _;
use loom::sync::atomic::AtomicBool;
use loom::thread;

use super::active::{ActiveSet, Claim, Place};
use super::watchers::Watchers;
use crate::base::{ExecutionId, Timestamp};
use crate::record::{Activity, ExecutionKey, ExecutionRecord, Json};

fn key() -> ExecutionKey {
    ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("a").unwrap() }
}

/// What a run does with its place: it looks until it is let go.
fn looks(mut place: Place, event: &AtomicBool) -> bool {
    let mut seen = false;
    loop {
        place.signal().take();
        // The event is as unordered as can be: what makes it seen are the place and its signal.
        seen |= event.load(Ordering::Relaxed);
        if place.release() {
            return seen;
        }
    }
}

#[test]
fn an_event_is_seen_by_who_has_the_place_or_by_the_next_one() {
    loom::model(|| {
        let set = Arc::new(ActiveSet::new(1));
        let event = Arc::new(AtomicBool::new(false));
        let Claim::Granted(place) = set.claim(&key()) else { panic!("it is free") };
        let runs = {
            let event = Arc::clone(&event);
            thread::spawn(move || looks(place, &event))
        };
        event.store(true, Ordering::Relaxed);
        let by_sender = match set.claim(&key()) {
            Claim::Granted(place) => looks(place, &event),
            Claim::Running => false,
            // The place is given up and not yet free; whoever gives it up says so, and the store is asked again.
            Claim::Full => {
                let by_run = runs.join().unwrap();
                let Claim::Granted(place) = set.claim(&key()) else { panic!("it is free again") };
                assert!(looks(place, &event) || by_run);
                assert_eq!((set.len(), set.free()), (0, 1));
                return;
            }
        };
        let by_run = runs.join().unwrap();
        assert!(by_run || by_sender, "nobody has seen the event");
        assert_eq!((set.len(), set.free()), (0, 1));
    });
}

#[test]
fn an_execution_has_one_place_at_a_time() {
    loom::model(|| {
        let set = Arc::new(ActiveSet::new(2));
        let runs = Arc::new(AtomicBool::new(false));
        let claim = |set: &Arc<ActiveSet>, runs: &AtomicBool| {
            if let Claim::Granted(mut place) = set.claim(&key()) {
                assert!(!runs.swap(true, Ordering::SeqCst), "two have it");
                runs.store(false, Ordering::SeqCst);
                place.leave();
            }
        };
        let other = {
            let (set, runs) = (Arc::clone(&set), Arc::clone(&runs));
            thread::spawn(move || claim(&set, &runs))
        };
        if let Some(mut place) = set.reserve(&key()) {
            assert!(!runs.swap(true, Ordering::SeqCst), "two have it");
            runs.store(false, Ordering::SeqCst);
            place.leave();
        }
        other.join().unwrap();
        assert_eq!((set.len(), set.free()), (0, 2));
    });
}

#[test]
fn a_task_is_aborted_whichever_of_the_two_comes_first() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    loom::model(move || {
        let set = Arc::new(ActiveSet::new(1));
        let Claim::Granted(place) = set.claim(&key()) else { panic!("it is free") };
        let task = runtime.spawn(std::future::pending::<()>());
        let handle = task.abort_handle();
        let aborts = {
            let set = Arc::clone(&set);
            thread::spawn(move || set.abort_all())
        };
        set.has_task(place.signal(), handle);
        aborts.join().unwrap();
        assert!(runtime.block_on(task).unwrap_err().is_cancelled());
    });
}

#[test]
fn who_waits_for_an_end_reads_it_or_is_told() {
    loom::model(|| {
        let watchers = Arc::new(Watchers::default());
        let ended = Arc::new(AtomicBool::new(false));
        let run = {
            let (watchers, ended) = (Arc::clone(&watchers), Arc::clone(&ended));
            thread::spawn(move || {
                ended.store(true, Ordering::Relaxed);
                let mut record = ExecutionRecord::new("Done", Json::null(), Timestamp::EPOCH);
                record.activity = Activity::Ended;
                watchers.tell_of(&key(), &record);
            })
        };
        let key = key();
        let watch = watchers.watch(&key);
        let is_read = ended.load(Ordering::Relaxed);
        run.join().unwrap();
        let told = watch.told().now_or_never();
        assert!(is_read || told.flatten().is_some_and(|record| record.status().is_over()));
    });
}

#[test]
fn who_waits_without_reading_is_told_of_rest() {
    loom::model(|| {
        let watchers = Arc::new(Watchers::default());
        let runs = Arc::new(AtomicBool::new(true));
        let run = {
            let (watchers, runs) = (Arc::clone(&watchers), Arc::clone(&runs));
            thread::spawn(move || {
                runs.store(false, Ordering::SeqCst);
                watchers.tell_of_rest(&key());
            })
        };
        let key = key();
        let watch = watchers.watch(&key);
        watch.mark_unread();
        // Whoever says that it is unread looks afterwards whether it runs.
        let still_runs = runs.load(Ordering::SeqCst);
        run.join().unwrap();
        let is_told = watch.told().now_or_never().is_some();
        assert!(!still_runs || is_told, "it waits for ever");
    });
}

#[test]
fn nothing_is_left_of_those_who_have_gone() {
    loom::model(|| {
        let watchers = Arc::new(Watchers::default());
        let goes = {
            let watchers = Arc::clone(&watchers);
            thread::spawn(move || drop(watchers.watch(&key())))
        };
        let key = key();
        let watch = watchers.watch(&key);
        watchers.tell(&key);
        assert!(watch.told().now_or_never().is_some());
        goes.join().unwrap();
        assert_eq!(watchers.len(), 0);
    });
}
