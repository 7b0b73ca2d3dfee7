//! Every order of the threads that meet at a turn: the one that drives it, branches of it, and those who wake them.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Wake, Waker};

use loom::sync::Notify;
use loom::sync::atomic::AtomicBool;
use loom::thread;

use super::turn_state::TurnState;
use super::watch::Driver;
use super::{Services, TurnScope};
use crate::base::{ExecutionId, ManualClock, Timestamp};
use crate::record::{ExecutionKey, JournalEntry, JournalResult, Json};

/// Whoever polls something, and sleeps until he is woken.
struct Poller(Notify);

impl Poller {
    fn new() -> Arc<Self> {
        Arc::new(Self(Notify::new()))
    }
}

impl Wake for Poller {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

fn turn(waker: Waker) -> Arc<TurnState> {
    let scope = TurnScope {
        key: ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("1").unwrap() },
        visit: 1,
        handler: "handler".into(),
        edge_number: 0,
        services: Services::new(ManualClock::new(Timestamp::EPOCH)),
    };
    Arc::new(TurnState::new(scope, Vec::new(), waker))
}

fn done(key: &str) -> JournalEntry {
    JournalEntry::new(key, 1, JournalResult::Done(Json::null()))
}

/// The turn ends when its one branch waits for nothing but the turn, and is told of that.
#[test]
fn a_turn_whose_branches_are_idle_ends_and_never_sleeps_for_ever() {
    loom::model(|| {
        let poller = Poller::new();
        let turn_driver = Arc::new(Driver::default());
        turn_driver.watch(&Waker::from(Arc::clone(&poller)));
        let state = turn(Waker::from(Arc::clone(&turn_driver)));
        let branch = Arc::new(Driver::of_branch(state.busy()));
        let runs = {
            let (state, branch) = (Arc::clone(&state), Arc::clone(&branch));
            thread::spawn(move || {
                branch.be_busy();
                branch.rest();
                // It is polled, and is pending.
                if branch.go_idle() {
                    state.wake_turn();
                }
            })
        };
        loop {
            turn_driver.rest();
            if !state.has_busy_branches() && !turn_driver.is_woken() && state.suspend() {
                break;
            }
            if !turn_driver.is_woken() {
                poller.0.wait();
            }
        }
        runs.join().unwrap();
        assert!(state.is_suspended() && !state.has_busy_branches());
    });
}

/// Somebody wakes the branch just as it becomes idle: the turn goes on with it, or it finds that the turn is over.
#[test]
fn a_branch_that_is_woken_counts_until_the_turn_is_over() {
    loom::model(|| {
        let state = turn(Waker::noop().clone());
        let branch = Arc::new(Driver::of_branch(state.busy()));
        branch.rest();
        let others = {
            let branch = Arc::clone(&branch);
            thread::spawn(move || branch.wake_by_ref())
        };
        let turns = {
            let state = Arc::clone(&state);
            thread::spawn(move || state.suspend())
        };
        let idle = branch.go_idle();
        others.join().unwrap();
        let suspended = turns.join().unwrap();
        assert!(branch.is_woken(), "nobody forgets it");
        assert!(idle || !suspended, "the turn is not over while the branch counts");
        // Its executor polls it again, as it was woken: it counts, or knows that it need not go on.
        assert!(state.has_busy_branches(), "it counts again");
        branch.be_over();
        assert!(!state.has_busy_branches(), "and counts but once");
    });
}

/// A branch ends, and is woken at the same time by someone who does not know.
#[test]
fn a_branch_that_is_over_counts_no_more() {
    loom::model(|| {
        let state = turn(Waker::noop().clone());
        let branch = Arc::new(Driver::of_branch(state.busy()));
        branch.rest();
        let others = {
            let branch = Arc::clone(&branch);
            thread::spawn(move || branch.wake_by_ref())
        };
        let ends = {
            let branch = Arc::clone(&branch);
            thread::spawn(move || branch.be_over())
        };
        branch.go_idle();
        others.join().unwrap();
        ends.join().unwrap();
        assert!(!state.has_busy_branches());
    });
}

/// A step begins before an interruption, which then waits for it, or it does not begin.
#[test]
fn no_step_begins_once_a_turn_is_told_that_none_runs() {
    loom::model(|| {
        let poller = Poller::new();
        let state = turn(Waker::from(Arc::clone(&poller)));
        let runs = Arc::new(AtomicBool::new(false));
        let branch = {
            let (state, runs) = (Arc::clone(&state), Arc::clone(&runs));
            thread::spawn(move || {
                if let Some(attempt) = state.attempt(false) {
                    runs.store(true, Ordering::SeqCst);
                    runs.store(false, Ordering::SeqCst);
                    drop(attempt);
                }
            })
        };
        state.interrupt();
        // Whoever interrupts looks, and is woken when the last step ends.
        while !state.begin_poll() {
            let looked = state.end_poll();
            if !looked.is_interrupted {
                poller.0.wait();
            }
        }
        assert!(!runs.load(Ordering::SeqCst), "a step runs");
        branch.join().unwrap();
        assert!(!runs.load(Ordering::SeqCst));
    });
}

/// A step waits at the gate for what was recorded before it, while that is being saved.
#[test]
fn a_step_at_the_gate_is_let_through_or_woken() {
    loom::model(|| {
        let poller = Poller::new();
        let state = turn(Waker::from(Arc::clone(&poller)));
        state.record(done("handler:a::0"));
        let branch = {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                let branch = Poller::new();
                let waker = Waker::from(Arc::clone(&branch));
                let mut gate = pin!(state.gate());
                while gate.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    branch.0.wait();
                }
                // What comes after the gate finds its predecessor on disk.
                assert!(state.take_unsaved().is_empty());
            })
        };
        let saved = state.take_unsaved();
        assert_eq!(saved.len(), 1);
        state.saved();
        branch.join().unwrap();
    });
}

/// What a branch records while the turn saves is saved next.
#[test]
fn a_result_is_saved_now_or_the_turn_is_woken_for_it() {
    loom::model(|| {
        let poller = Poller::new();
        let state = turn(Waker::from(Arc::clone(&poller)));
        let branch = {
            let state = Arc::clone(&state);
            thread::spawn(move || state.record(done("handler:a::0")))
        };
        let mut saved = Vec::new();
        while saved.is_empty() {
            assert!(!state.begin_poll());
            let looked = state.end_poll();
            saved = state.take_unsaved();
            assert!(!looked.has_unsaved || !saved.is_empty());
            if saved.is_empty() {
                poller.0.wait();
            }
        }
        branch.join().unwrap();
        state.saved();
        assert!(state.take_unsaved().is_empty());
    });
}
