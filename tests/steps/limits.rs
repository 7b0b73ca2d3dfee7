//! `limit`, `rate` and `breaker(…)`: shared by all executions of an engine, and changeable while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use workflow_runtime::prelude::*;
use workflow_runtime::store::Query;
use workflow_runtime::{
    AtOnce, BreakerPolicy, BreakerState, Clock as _, Engine, EngineError, Limit, LimitState, Rate, Stepper, Timestamp,
};

use super::world::{World, settle, test};

#[state]
pub struct Queued {
    pub with: String,
}

#[state(end)]
pub struct Sent {
    pub attempts: u32,
}

#[state(end)]
pub struct Withdrawn;

#[event]
pub struct Withdraw;

/// The service that the steps call.
#[derive(Default)]
pub struct Service {
    under_way: AtomicU32,
    most: AtomicU32,
    calls: AtomicU32,
    down: AtomicBool,
    order: std::sync::Mutex<Vec<String>>,
    begun: std::sync::Mutex<Vec<i64>>,
}

pub struct Mail {
    service: Arc<Service>,
    /// A call ends when there is a permit.
    ends: Arc<Semaphore>,
    clock: workflow_runtime::ManualClock,
}

impl Mail {
    async fn call(&self, cx: &Cx) -> Result<u32> {
        let service = &self.service;
        service.calls.fetch_add(1, Ordering::SeqCst);
        service.order.lock().unwrap().push(cx.id().as_str().to_owned());
        service.begun.lock().unwrap().push(self.clock.now().as_millis());
        let under_way = service.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        service.most.fetch_max(under_way, Ordering::SeqCst);
        self.ends.acquire().await?.forget();
        service.under_way.fetch_sub(1, Ordering::SeqCst);
        if service.down.load(Ordering::SeqCst) { Err(Error::msg("down")) } else { Ok(cx.attempt()) }
    }
}

#[workflow(start = Queued)]
impl Mail {
    #[state]
    async fn queued(&self, cx: &Cx, queued: Queued) -> Result<Sent> {
        let attempts = match queued.with.as_str() {
            "two" => self.two_at_once(cx).await?,
            "rate" => self.ten_a_second(cx).await?,
            "both" => {
                let (one, other) = futures::join!(self.one_at_once(cx, 1), self.one_at_once(cx, 2));
                one? + other?
            }
            "breaker" => self.guarded(cx).await?,
            _ => self.adapting(cx).await?,
        };
        Ok(Sent { attempts })
    }

    #[on]
    fn withdrawn(&self, _: Queued, _: Withdraw) -> Withdrawn {
        Withdrawn
    }

    #[step(limit = 2, retry(max = 3))]
    async fn two_at_once(&self, cx: &Cx) -> Result<u32> {
        self.call(cx).await
    }

    #[step(limit = 1, retry(max = 3))]
    async fn one_at_once(&self, cx: &Cx, _number: u32) -> Result<u32> {
        self.call(cx).await
    }

    #[step(rate = "10/s", retry(max = 3))]
    async fn ten_a_second(&self, cx: &Cx) -> Result<u32> {
        self.call(cx).await
    }

    #[step(breaker(failures = 3, within = "1m", open = "30s"), retry(max = 10, backoff = "1s..1s", jitter = none))]
    async fn guarded(&self, cx: &Cx) -> Result<u32> {
        self.call(cx).await
    }

    #[step(limit = adaptive(min = 3, max = 64), retry(max = 3))]
    async fn adapting(&self, cx: &Cx) -> Result<u32> {
        self.call(cx).await
    }
}

struct Scene {
    world: World,
    service: Arc<Service>,
    ends: Arc<Semaphore>,
}

impl Scene {
    fn new() -> Self {
        Self { world: World::default(), service: Arc::default(), ends: Arc::new(Semaphore::new(0)) }
    }

    /// One whose calls end at once.
    fn quick() -> Self {
        let scene = Self::new();
        scene.ends.add_permits(1_000_000);
        scene
    }

    fn mail(&self) -> Mail {
        Mail { service: Arc::clone(&self.service), ends: Arc::clone(&self.ends), clock: self.world.clock.clone() }
    }

    async fn engine(&self) -> Engine {
        self.world.builder().workflow(self.mail()).start().await.unwrap()
    }

    async fn start(&self, engine: &Engine, with: &str, count: usize) {
        let start = |index| (format!("{index:05}"), Queued { with: with.to_owned() });
        engine.start_all::<Mail, _>((0..count).map(start)).await.unwrap();
        settle(engine).await;
    }

    fn most(&self) -> u32 {
        self.service.most.load(Ordering::SeqCst)
    }

    fn calls(&self) -> u32 {
        self.service.calls.load(Ordering::SeqCst)
    }
}

fn state(engine: &Engine, step: &str) -> LimitState {
    engine.limits().into_iter().find(|state| state.step == step).expect("the step has limits")
}

async fn sent(engine: &Engine) -> u64 {
    let counts = engine.counts::<Mail>().await.unwrap();
    counts.iter().find(|count| count.state == "sent").map_or(0, |count| count.count)
}

#[test]
fn so_many_run_at_once_and_the_others_wait_their_turn_without_a_task() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "two", 50).await;
        assert_eq!((scene.calls(), engine.active()), (2, 2), "those who wait have no task");
        let two = state(&engine, "two_at_once");
        assert_eq!((two.workflow.as_str(), two.in_use, two.waiting, two.at_once), ("Mail", 2, 48, Some(2)));
        for ended in 1..=50_u32 {
            scene.ends.add_permits(1);
            settle(&engine).await;
            assert_eq!(scene.calls(), (ended + 2).min(50));
        }
        assert_eq!((scene.most(), sent(&engine).await), (2, 50));
        let order = scene.service.order.lock().unwrap().clone();
        assert!(order.is_sorted(), "first come, first served: {order:?}");
        assert_eq!((state(&engine, "two_at_once").in_use, state(&engine, "two_at_once").waiting), (0, 0));
    });
}

#[test]
fn ten_thousand_wait_and_all_come_to_their_end() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "two", 10_000).await;
        while state(&engine, "two_at_once").waiting < 9_998 {
            settle(&engine).await;
        }
        assert_eq!((engine.active(), scene.calls()), (2, 2));
        scene.ends.add_permits(10_000);
        while sent(&engine).await < 10_000 {
            settle(&engine).await;
        }
        assert_eq!((scene.most(), scene.calls()), (2, 10_000));
        assert_eq!(scene.world.clock.now(), Timestamp::EPOCH, "nobody waited for a time");
    });
}

#[test]
fn those_who_wait_for_one_step_do_not_keep_others_from_running() {
    test(async {
        let scene = Scene::new();
        let engine = scene.world.builder().max_active(4).workflow(scene.mail()).start().await.unwrap();
        scene.start(&engine, "two", 20).await;
        let other = engine.start::<Mail>("other", Queued { with: "adaptive".to_owned() }).await.unwrap();
        settle(&engine).await;
        assert_eq!(scene.calls(), 3);
        scene.ends.add_permits(30);
        assert!(matches!(other.outcome().await.unwrap(), MailOutcome::Sent(_)));
    });
}

#[test]
fn one_that_is_withdrawn_while_it_waits_lets_the_next_one_through() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "two", 4).await;
        let third = engine.execution::<Mail>("00002").unwrap();
        third.send(Withdraw).await.unwrap();
        settle(&engine).await;
        assert!(matches!(third.outcome().await.unwrap(), MailOutcome::Withdrawn(_)));
        scene.ends.add_permits(1);
        settle(&engine).await;
        let order = scene.service.order.lock().unwrap().clone();
        assert_eq!(order, ["00000", "00001", "00003"]);
    });
}

#[test]
fn calls_of_one_handler_wait_for_one_another() {
    test(async {
        let scene = Scene::quick();
        let engine = scene.engine().await;
        scene.start(&engine, "both", 3).await;
        assert_eq!((sent(&engine).await, scene.most(), scene.calls()), (3, 1, 6));
    });
}

#[test]
fn in_no_second_do_more_begin_than_the_rate_allows() {
    test(async {
        let scene = Scene::quick();
        let engine = scene.engine().await;
        scene.start(&engine, "rate", 35).await;
        assert_eq!(scene.calls(), 10);
        scene.world.pass(&engine, Duration::from_millis(999)).await;
        assert_eq!(scene.calls(), 10);
        scene.world.pass(&engine, Duration::from_millis(1)).await;
        assert_eq!(scene.calls(), 20);
        scene.world.pass(&engine, Duration::from_secs(2)).await;
        assert_eq!((scene.calls(), sent(&engine).await), (35, 35));
        let begun = scene.service.begun.lock().unwrap().clone();
        assert!(begun.windows(11).all(|window| window[10] - window[0] >= 1_000), "{begun:?}");
    });
}

#[test]
fn an_open_breaker_delays_calls_and_burns_no_attempts() {
    test(async {
        let scene = Scene::quick();
        let engine = scene.engine().await;
        scene.service.down.store(true, Ordering::SeqCst);
        scene.start(&engine, "breaker", 3).await;
        assert_eq!(scene.calls(), 3);
        let at = |seconds| Timestamp::EPOCH + Duration::from_secs(seconds);
        let open = state(&engine, "guarded").breaker;
        assert_eq!(open, Some(BreakerState::Open { since: at(0), until: at(30) }));

        // Its retries are due, and wait; so does one that comes now.
        engine.start::<Mail>("late", Queued { with: "breaker".to_owned() }).await.unwrap();
        scene.world.pass(&engine, Duration::from_secs(29)).await;
        assert_eq!((scene.calls(), engine.active()), (3, 0));
        scene.world.pass(&engine, Duration::from_secs(1)).await;
        assert_eq!(scene.calls(), 4, "one probe");
        assert_eq!(state(&engine, "guarded").breaker, Some(BreakerState::Open { since: at(30), until: at(60) }));

        scene.service.down.store(false, Ordering::SeqCst);
        scene.world.pass(&engine, Duration::from_secs(30)).await;
        assert_eq!(state(&engine, "guarded").breaker, Some(BreakerState::Closed { failures: 0 }));
        scene.world.pass(&engine, Duration::from_secs(90)).await;
        assert_eq!((sent(&engine).await, scene.calls()), (4, 8));
        for id in ["00000", "00001", "00002", "late"] {
            let end = engine.execution::<Mail>(id).unwrap().outcome().await.unwrap();
            assert!(matches!(end, MailOutcome::Sent(sent) if sent.attempts <= 3), "{id}");
        }
    });
}

#[test]
fn a_stepper_waits_for_its_breaker_too() {
    test(async {
        let scene = Scene::quick();
        scene.service.down.store(true, Ordering::SeqCst);
        let mut stepper = Stepper::start(scene.mail(), Queued { with: "breaker".to_owned() }).unwrap();
        stepper.advance(Duration::from_secs(10)).await.unwrap();
        assert_eq!(scene.calls(), 3, "at 0 s, 1 s and 2 s");
        scene.service.down.store(false, Ordering::SeqCst);
        stepper.run_to_end().await.unwrap();
        assert_eq!((scene.calls(), stepper.now()), (4, Timestamp::EPOCH + Duration::from_secs(32)));
    });
}

#[test]
fn limits_are_changed_while_the_engine_runs() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "two", 10).await;
        assert_eq!(scene.calls(), 2);
        let limits = engine.set_limit::<Mail>("two_at_once", Limit::AtOnce(5)).unwrap();
        assert_eq!(limits.limit, Some(AtOnce::Fixed(5)));
        settle(&engine).await;
        assert_eq!(scene.calls(), 5);
        engine.set_limit::<Mail>("two_at_once", Limit::Rate(Rate::per_hour(1))).unwrap();
        engine.set_limit::<Mail>("two_at_once", Limit::Unlimited).unwrap();
        settle(&engine).await;
        assert_eq!(scene.calls(), 6);
        engine.set_limit::<Mail>("two_at_once", Limit::NoRate).unwrap();
        settle(&engine).await;
        assert_eq!(scene.calls(), 10);
        assert!(engine.limit::<Mail>("two_at_once").unwrap().is_none());

        // A step that was declared without a breaker gets one.
        let breaker = BreakerPolicy::new(7);
        assert_eq!(engine.set_limit::<Mail>("ten_a_second", Limit::Breaker(breaker)).unwrap().breaker, Some(breaker));
    });
}

#[test]
fn a_limit_that_makes_no_sense_is_refused_and_changes_nothing() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        let error = engine.set_limit::<Mail>("two_at_onse", Limit::AtOnce(5)).unwrap_err();
        assert!(error.to_string().contains("it has `adapting`, `guarded`, `one_at_once`"), "{error}");
        let nonsense = [Limit::AtOnce(0), Limit::Adaptive { min: 5, max: 4 }, Limit::Rate(Rate::per_second(0))];
        for limit in nonsense {
            let error = engine.set_limit::<Mail>("two_at_once", limit).unwrap_err();
            assert!(matches!(error, EngineError::InvalidLimit { .. }), "{error}");
        }
        assert_eq!(engine.limit::<Mail>("two_at_once").unwrap().limit, Some(AtOnce::Fixed(2)));
        assert!(matches!(engine.limit::<Mail>("none").unwrap_err(), EngineError::UnknownStep { .. }));
    });
}

#[test]
fn an_engine_that_starts_in_the_middle_goes_on_with_those_who_waited() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "two", 6).await;
        scene.ends.add_permits(1);
        settle(&engine).await;
        assert_eq!(sent(&engine).await, 1);
        drop(engine);
        scene.service.under_way.store(0, Ordering::SeqCst);
        let engine = scene.engine().await;
        scene.ends.add_permits(100);
        scene.world.pass(&engine, Duration::from_secs(120)).await;
        assert_eq!((sent(&engine).await, scene.most()), (6, 2));
        assert!(engine.list(&Query::default()).await.unwrap().executions.iter().all(|row| row.state == "sent"));
    });
}

#[test]
fn an_adaptive_limit_starts_low_and_grows_with_the_demand() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        scene.start(&engine, "adaptive", 200).await;
        assert_eq!((scene.calls(), state(&engine, "adapting").at_once), (3, Some(3)));
        for _ in 0..50 {
            scene.world.clock.advance(Duration::from_millis(100));
            scene.ends.add_permits(3);
            settle(&engine).await;
        }
        let grown = state(&engine, "adapting").at_once;
        assert!(grown.is_some_and(|limit| limit > 3), "{grown:?}");
    });
}

#[test]
fn the_graph_shows_the_limits() {
    let step = |name: &str| MailState::GRAPH.steps.iter().find(|step| step.name == name).unwrap();
    assert_eq!(step("two_at_once").limit, Some(AtOnce::Fixed(2)));
    assert_eq!(step("adapting").limit, Some(AtOnce::Adaptive { min: 3, max: 64 }));
    assert_eq!(step("ten_a_second").rate, Some(Rate::per_second(10)));
    assert_eq!(step("guarded").breaker, Some(BreakerPolicy::new(3)));
}
