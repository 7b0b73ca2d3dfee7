//! Every order of the threads that meet at the limits of a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool as Flag, Ordering};
use std::task::{Wake, Waker};

use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::{CallId, Limits, Permit, StepQueue};
use crate::base::{Clock, ExecutionId, ManualClock, Timestamp};
use crate::kernel::{AtOnce, StepLimits};
use crate::record::ExecutionKey;

/// Whether a call was woken; what it counts as is no matter of order.
#[derive(Default)]
struct Woken(Flag);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[derive(Clone)]
struct Scene {
    limits: Limits,
    queue: Arc<StepQueue>,
    clock: Arc<dyn Clock>,
    runs: Arc<AtomicUsize>,
}

impl Scene {
    /// One attempt at a time.
    fn new() -> Self {
        let limits = Limits::default();
        let one = StepLimits { limit: Some(AtOnce::Fixed(1)), ..StepLimits::none() };
        let queue = limits.queue_of("W", "step", Some(one)).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        Self { limits, queue, clock, runs: Arc::new(AtomicUsize::new(0)) }
    }

    fn ask(&self, call: u128, woken: &Arc<Woken>) -> Option<Permit> {
        self.queue.poll(CallId(call), call as u64, &self.clock, || Waker::from(Arc::clone(woken))).ok()
    }

    /// Runs an attempt: nobody else runs one meanwhile.
    fn run(&self, permit: Permit, ends_well: bool) {
        assert_eq!(self.runs.fetch_add(1, Ordering::SeqCst), 0, "two run at once");
        assert_eq!(self.runs.fetch_sub(1, Ordering::SeqCst), 1);
        match ends_well {
            true => permit.end(false, false),
            false => drop(permit),
        }
    }

    /// Asks, and runs if it is let through.
    fn try_to_run(&self, call: u128, ends_well: bool) -> Result<(), Arc<Woken>> {
        let woken = Arc::new(Woken::default());
        match self.ask(call, &woken) {
            Some(permit) => {
                self.run(permit, ends_well);
                Ok(())
            }
            None => Err(woken),
        }
    }

    fn is_idle(&self) -> bool {
        let states = self.limits.states(Timestamp::EPOCH);
        states.iter().all(|state| state.in_use == 0 && state.waiting == 0)
    }
}

fn execution() -> ExecutionKey {
    ExecutionKey { workflow: "W".into(), id: ExecutionId::new("a").unwrap() }
}

#[test]
fn one_runs_at_a_time_and_who_waits_is_woken() {
    loom::model(|| {
        let scene = Scene::new();
        let other = {
            let scene = scene.clone();
            thread::spawn(move || scene.try_to_run(2, false))
        };
        let mine = scene.try_to_run(1, true);
        let other = other.join().unwrap();
        for (call, outcome) in [(1, mine), (2, other)] {
            if let Err(woken) = outcome {
                assert!(woken.0.load(Ordering::SeqCst), "its turn came, and nobody said so");
                let permit = scene.ask(call, &woken).unwrap();
                scene.run(permit, true);
            }
        }
        assert!(scene.is_idle());
    });
}

#[test]
fn a_call_that_is_dropped_passes_its_turn_on() {
    loom::model(|| {
        let scene = Scene::new();
        let first = scene.ask(1, &Arc::default()).unwrap();
        let (gone, waits) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        assert!(scene.ask(2, &gone).is_none() && scene.ask(3, &waits).is_none());
        let drops = {
            let scene = scene.clone();
            thread::spawn(move || scene.queue.cancel(CallId(2), 2, Timestamp::EPOCH))
        };
        drop(first);
        drops.join().unwrap();
        assert!(waits.0.load(Ordering::SeqCst), "the next is not told");
        let permit = scene.ask(3, &waits).unwrap();
        scene.run(permit, true);
        assert!(scene.is_idle());
    });
}

/// The handler of a call leaves memory just as its turn comes.
#[test]
fn an_execution_that_leaves_memory_is_told_of_its_turn() {
    loom::model(|| {
        let scene = Scene::new();
        let told = Arc::new(Flag::new(false));
        let on_offer = Arc::clone(&told);
        scene.limits.on_offer(move |_| on_offer.store(true, Ordering::SeqCst));
        let first = scene.ask(1, &Arc::default()).unwrap();
        assert!(scene.ask(2, &Arc::default()).is_none());
        let leaves = {
            let scene = scene.clone();
            thread::spawn(move || scene.queue.suspend(CallId(2), 2, &execution(), Timestamp::EPOCH))
        };
        scene.run(first, true);
        leaves.join().unwrap();
        assert!(told.load(Ordering::SeqCst), "its turn came, and nobody said so");
        assert!(scene.limits.takes_offer(&execution()));
        let permit = scene.ask(2, &Arc::default()).unwrap();
        scene.run(permit, true);
        scene.limits.settle(&execution(), Timestamp::EPOCH);
        assert!(scene.is_idle() && !scene.limits.has_ticket(&execution()));
    });
}
