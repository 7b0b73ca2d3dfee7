//! `retry(…)`: pauses, jitter, and the errors after which there is no next attempt.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{Graph, Jitter, Stepper};

use super::world::{Calls, World, settle, test};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum CarrierError {
    #[error("busy")]
    Busy,
    #[error("too slow: {0} ms")]
    Slow(u32),
    #[error("no such address: {text}")]
    Address { text: String },
}

#[state]
pub struct Packed {
    /// Which step is called.
    pub with: String,
    /// What it does, call by call.
    pub script: Vec<Option<CarrierError>>,
}

#[state(end)]
pub struct Shipped {
    pub calls: u32,
}

#[state(end)]
pub struct Refused {
    pub error: CarrierError,
}

pub struct Parcel {
    calls: Arc<Calls>,
}

#[workflow(start = Packed)]
impl Parcel {
    #[state]
    async fn packed(&self, cx: &Cx, packed: Packed) -> Result<Shipped, CarrierError> {
        match packed.with.as_str() {
            "only" => self.ship_only(cx, &packed.script).await?,
            "never" => self.ship_never(cx, &packed.script).await?,
            "slow" => self.ship_slow(cx).await?,
            "all" => self.ship_all(cx).await?,
            _ => self.ship_equal(cx, &packed.script).await?,
        }
        Ok(Shipped { calls: self.calls.count() })
    }

    #[catch]
    fn refused(&self, _: Packed, error: CarrierError) -> Refused {
        Refused { error }
    }

    #[step(retry(max = 4, backoff = "1s..1m", jitter = none, only(Busy, Slow)))]
    async fn ship_only(&self, _: &Cx, script: &[Option<CarrierError>]) -> Result<(), CarrierError> {
        self.play(script)
    }

    #[step(retry(max = 4, backoff = "1s..1m", jitter = none, never(Address)))]
    async fn ship_never(&self, _: &Cx, script: &[Option<CarrierError>]) -> Result<(), CarrierError> {
        self.play(script)
    }

    #[step(retry(max = 3, backoff = "1s..1m", jitter = none, only(Busy)), timeout = "10s")]
    async fn ship_slow(&self, cx: &Cx) -> Result<(), CarrierError> {
        self.calls.next("slow");
        if cx.attempt() < 3 { std::future::pending().await } else { Ok(()) }
    }

    #[step(retry(max = 2, jitter = none, only(Busy, Slow, Address)))]
    async fn ship_all(&self, cx: &Cx) -> Result<(), CarrierError> {
        self.calls.next("all");
        if cx.attempt() < 2 { Err(CarrierError::Busy) } else { Ok(()) }
    }

    #[step(retry(max = 2, backoff = "10s..10s", jitter = equal))]
    async fn ship_equal(&self, _: &Cx, script: &[Option<CarrierError>]) -> Result<(), CarrierError> {
        self.play(script)
    }

    fn play(&self, script: &[Option<CarrierError>]) -> Result<(), CarrierError> {
        let call = self.calls.next("ship") as usize;
        match script.get(call - 1).cloned().flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn address() -> CarrierError {
    CarrierError::Address { text: "nowhere".to_owned() }
}

async fn outcome(with: &str, script: Vec<Option<CarrierError>>) -> (ParcelOutcome, u64, u32) {
    let calls = Arc::new(Calls::default());
    let parcel = Parcel { calls: Arc::clone(&calls) };
    let mut stepper = Stepper::start(parcel, Packed { with: with.to_owned(), script }).unwrap();
    stepper.run_to_end().await.unwrap();
    let seconds = stepper.now().as_millis().unsigned_abs() / 1_000;
    (stepper.outcome().unwrap().expect("it ended"), seconds, calls.count())
}

#[test]
fn only_the_named_variants_are_tried_again() {
    test(async {
        let script = vec![Some(CarrierError::Busy), Some(CarrierError::Slow(7)), None];
        let (end, seconds, calls) = outcome("only", script).await;
        assert!(matches!(end, ParcelOutcome::Shipped(_)));
        assert_eq!((seconds, calls), (1 + 2, 3), "without jitter the pauses are exact");

        let (end, seconds, calls) = outcome("only", vec![Some(CarrierError::Busy), Some(address())]).await;
        assert!(matches!(end, ParcelOutcome::Refused(refused) if refused.error == address()));
        assert_eq!((seconds, calls), (1, 2));
    });
}

#[test]
fn the_variants_that_are_never_tried_again_are_final_at_once() {
    test(async {
        let (end, seconds, calls) = outcome("never", vec![Some(address())]).await;
        assert!(matches!(end, ParcelOutcome::Refused(refused) if refused.error == address()));
        assert_eq!((seconds, calls), (0, 1));

        let (end, _, calls) = outcome("never", vec![Some(CarrierError::Slow(1)), None]).await;
        assert!(matches!(end, ParcelOutcome::Shipped(_)));
        assert_eq!(calls, 2);
    });
}

#[test]
fn a_timeout_is_tried_again_whatever_the_variants_say() {
    test(async {
        let world = World::default();
        let calls = Arc::new(Calls::default());
        let engine = world.builder().workflow(Parcel { calls: Arc::clone(&calls) }).start().await.unwrap();
        let start = Packed { with: "slow".to_owned(), script: Vec::new() };
        let parcel = engine.start::<Parcel>("a", start).await.unwrap();
        world.pass(&engine, Duration::from_secs(10 + 1 + 10 + 2)).await;
        assert!(matches!(parcel.outcome().await.unwrap(), ParcelOutcome::Shipped(shipped) if shipped.calls == 3));
    });
}

#[test]
fn all_variants_may_be_named() {
    test(async {
        let (end, _, calls) = outcome("all", Vec::new()).await;
        assert!(matches!(end, ParcelOutcome::Shipped(_)));
        assert_eq!(calls, 2);
    });
}

#[test]
fn equal_jitter_leaves_half_of_the_pause_to_chance() {
    test(async {
        for _ in 0..20 {
            let (_, seconds, _) = outcome("equal", vec![Some(CarrierError::Busy), None]).await;
            assert!((5..=10).contains(&seconds), "{seconds} s");
        }
    });
}

#[test]
fn a_final_error_keeps_its_type_through_a_restart() {
    test(async {
        let world = World::default();
        let calls = Arc::new(Calls::default());
        let parcel = || Parcel { calls: Arc::clone(&calls) };
        let engine = world.builder().workflow(parcel()).start().await.unwrap();
        let start = Packed { with: "only".to_owned(), script: vec![Some(CarrierError::Busy), Some(address())] };
        engine.start::<Parcel>("a", start).await.unwrap();
        settle(&engine).await;
        assert_eq!(calls.count(), 1);
        drop(engine);
        world.clock.advance(Duration::from_secs(1));
        let engine = world.builder().workflow(parcel()).start().await.unwrap();
        let end = engine.execution::<Parcel>("a").unwrap().outcome().await.unwrap();
        assert!(matches!(end, ParcelOutcome::Refused(refused) if refused.error == address()));
        assert_eq!(calls.count(), 2);
    });
}

#[test]
fn the_graph_shows_how_a_step_is_retried() {
    let graph: &Graph = ParcelState::GRAPH;
    let step = |name: &str| graph.steps.iter().find(|step| step.name == name).unwrap();
    let only = step("ship_only").retry.unwrap();
    assert_eq!((only.max, only.jitter, only.only, only.never), (4, Jitter::None, &["Busy", "Slow"][..], &[][..]));
    let never = step("ship_never").retry.unwrap();
    assert_eq!((never.only, never.never), (&[][..], &["Address"][..]));
    assert_eq!(step("ship_equal").retry.unwrap().jitter, Jitter::Equal);
}
