//! The queue of a step, on a clock that stands still.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::{CallId, Limits, Permit, StepQueue};
use crate::base::{Clock, ExecutionId, ManualClock, Timestamp};
use crate::kernel::{AtOnce, Rate, StepLimits};
use crate::record::ExecutionKey;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Scene {
    clock: ManualClock,
    limits: Limits,
    queue: Arc<StepQueue>,
}

impl Scene {
    fn new(limits: StepLimits) -> Self {
        let all = Limits::default();
        let queue = all.queue_of("W", "step", Some(limits)).unwrap();
        Self { clock: ManualClock::new(Timestamp::EPOCH), limits: all, queue }
    }

    fn at_once(limit: u32) -> Self {
        Self::new(StepLimits { limit: Some(AtOnce::Fixed(limit)), ..StepLimits::none() })
    }

    fn ask(&self, call: u128, holder: u64) -> Result<Permit, Timestamp> {
        self.ask_with(call, holder, &Waker::noop().clone())
    }

    fn ask_with(&self, call: u128, holder: u64, waker: &Waker) -> Result<Permit, Timestamp> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        self.queue.poll(CallId(call), holder, &clock, || waker.clone())
    }

    fn waiting(&self) -> usize {
        self.limits.states(self.clock.now()).first().map_or(0, |state| state.waiting)
    }

    fn in_use(&self) -> u32 {
        self.limits.states(self.clock.now()).first().map_or(0, |state| state.in_use)
    }
}

fn key(id: &str) -> ExecutionKey {
    ExecutionKey { workflow: "W".into(), id: ExecutionId::new(id).unwrap() }
}

#[test]
fn the_first_to_come_is_the_first_to_go_and_nobody_pushes_in() {
    let scene = Scene::at_once(1);
    let under_way = scene.ask(1, 1).unwrap();
    let woken: [Arc<Woken>; 2] = Default::default();
    for (call, woken) in (2..).zip(&woken) {
        scene.ask_with(call, call as u64, &Waker::from(Arc::clone(woken))).unwrap_err();
    }
    under_way.end(false, false);
    assert_eq!(woken.each_ref().map(|woken| woken.0.load(Ordering::SeqCst)), [1, 0]);
    scene.ask(4, 4).unwrap_err();
    scene.ask(3, 3).unwrap_err();
    let second = scene.ask(2, 2).unwrap();
    drop(second);
    scene.ask(4, 4).unwrap_err();
    scene.ask(3, 3).unwrap();
}

#[test]
fn one_that_is_dropped_frees_its_place_whether_it_waits_or_was_offered_one() {
    let scene = Scene::at_once(1);
    let under_way = scene.ask(1, 1).unwrap();
    for call in 2..=4 {
        scene.ask(call, call as u64).unwrap_err();
    }
    scene.queue.cancel(CallId(3), 3, scene.clock.now());
    assert_eq!(scene.waiting(), 2);
    drop(under_way);
    // The second one has been offered the place, and goes away before it takes it.
    scene.queue.cancel(CallId(2), 2, scene.clock.now());
    let fourth = scene.ask(4, 4).unwrap();
    assert_eq!((scene.waiting(), scene.in_use()), (0, 1));
    drop(fourth);
    assert_eq!(scene.in_use(), 0);
}

#[test]
fn one_that_asked_before_has_nothing_to_say_any_more() {
    let scene = Scene::at_once(1);
    let _under_way = scene.ask(1, 1).unwrap();
    scene.ask(2, 2).unwrap_err();
    scene.ask(2, 20).unwrap_err();
    scene.queue.cancel(CallId(2), 2, scene.clock.now());
    assert_eq!(scene.waiting(), 1);
    scene.queue.cancel(CallId(2), 20, scene.clock.now());
    assert_eq!(scene.waiting(), 0);
}

#[test]
fn a_rate_says_when_to_come_again() {
    let scene = Scene::new(StepLimits { rate: Some(Rate::per_second(2)), ..StepLimits::none() });
    for call in 1..=2 {
        scene.ask(call, 1).unwrap().end(false, false);
    }
    assert_eq!(scene.ask(3, 1).unwrap_err(), Timestamp::from_millis(1_000));
    assert_eq!(scene.ask(4, 1).unwrap_err(), Timestamp::from_millis(1_000));
    scene.clock.advance(Duration::from_secs(1));
    scene.ask(4, 1).unwrap();
    scene.ask(3, 1).unwrap();
}

#[test]
fn an_execution_that_left_memory_keeps_its_place_and_is_told() {
    let scene = Scene::at_once(1);
    let told: Arc<Mutex<Vec<ExecutionKey>>> = Arc::default();
    let tell = Arc::clone(&told);
    scene.limits.on_offer(move |execution| tell.lock().unwrap().push(execution.clone()));
    let under_way = scene.ask(1, 1).unwrap();
    let now = scene.clock.now();
    for (call, id) in [(2, "b"), (3, "c")] {
        scene.ask(call, 1).unwrap_err();
        scene.queue.suspend(CallId(call), 1, &key(id), now);
        scene.limits.settle(&key(id), now);
    }
    drop(under_way);
    assert_eq!(*told.lock().unwrap(), [key("b")]);
    assert!(scene.limits.takes_offer(&key("b")));
    assert!(!scene.limits.takes_offer(&key("c")));
    let second = scene.ask(2, 2).unwrap();
    scene.limits.settle(&key("b"), now);
    drop(second);
    assert_eq!(*told.lock().unwrap(), [key("b"), key("c")]);

    // The third one's turn comes and goes without it: the place is not lost.
    assert!(scene.limits.takes_offer(&key("c")));
    scene.limits.settle(&key("c"), now);
    assert_eq!((scene.waiting(), scene.in_use()), (0, 0));
    scene.ask(4, 1).unwrap();
}

#[test]
fn an_offer_that_comes_while_the_turn_ends_is_not_lost() {
    let scene = Scene::at_once(1);
    let told: Arc<AtomicUsize> = Arc::default();
    let tell = Arc::clone(&told);
    scene.limits.on_offer(move |_| {
        tell.fetch_add(1, Ordering::SeqCst);
    });
    let under_way = scene.ask(1, 1).unwrap();
    scene.ask(2, 1).unwrap_err();
    drop(under_way);
    scene.queue.suspend(CallId(2), 1, &key("b"), scene.clock.now());
    assert_eq!(told.load(Ordering::SeqCst), 1);
    scene.limits.settle(&key("b"), scene.clock.now());
    assert!(scene.limits.takes_offer(&key("b")));
}

#[test]
fn without_a_driver_that_can_be_told_a_turn_that_ends_gives_its_ticket_back() {
    let scene = Scene::at_once(1);
    let _under_way = scene.ask(1, 1).unwrap();
    scene.ask(2, 1).unwrap_err();
    scene.queue.suspend(CallId(2), 1, &key("b"), scene.clock.now());
    assert_eq!(scene.waiting(), 0);
}

#[test]
fn a_limit_that_is_raised_lets_those_through_who_wait() {
    let scene = Scene::at_once(1);
    let _under_way = scene.ask(1, 1).unwrap();
    scene.ask(2, 1).unwrap_err();
    scene.ask(3, 1).unwrap_err();
    let now = scene.clock.now();
    let raised = |limits: &mut StepLimits| limits.limit = Some(AtOnce::Fixed(3));
    scene.limits.change("W", "step", raised, now).unwrap().unwrap();
    scene.ask(2, 1).unwrap();
    scene.ask(3, 1).unwrap();
    let known = scene.limits.change("W", "stop", |_| {}, now).unwrap_err().known;
    assert_eq!(known, ["step"]);
    scene.limits.change("W", "step", |limits| limits.limit = Some(AtOnce::Fixed(0)), now).unwrap().unwrap_err();
    assert_eq!(scene.limits.get("W", "step").unwrap().limit, Some(AtOnce::Fixed(3)));
}
