//! Steps that are written where they are called, and `cx.uuid()`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{ExecutionId, Jitter, ManualClock, Rest, RetryPolicy, Stepper};

use super::world::{Calls, World, settle, test};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum PostError {
    #[error("closed")]
    Closed,
    #[error("no such street: {0}")]
    Street(String),
}

#[state]
pub struct Written {
    pub what: String,
    pub to: Vec<String>,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Posted {
    pub receipts: Vec<String>,
}

#[state(end)]
pub struct Returned {
    pub error: PostError,
}

pub struct Letters {
    calls: Arc<Calls>,
}

const POLICY: RetryPolicy =
    RetryPolicy::new(3).backoff(Duration::from_secs(1), Duration::from_secs(9)).jitter(Jitter::None);

impl Letters {
    async fn post(&self, to: &str, fails: u32) -> Result<String, PostError> {
        match self.calls.next(to) {
            call if call <= fails => Err(PostError::Closed),
            call => Ok(format!("{to} {call}")),
        }
    }
}

#[workflow(start = Written)]
impl Letters {
    #[state]
    async fn written(&self, cx: &Cx, written: Written) -> Result<Posted, PostError> {
        let mut receipts = Vec::new();
        match written.what.as_str() {
            "each" => {
                for to in &written.to {
                    receipts.push(cx.step(format!("post {to}"), || async { self.post(to, 0).await }).await?);
                }
                cx.sleep(Duration::from_secs(60)).await;
            }
            "retried" => {
                let post = || async { self.post("x", 2).await };
                receipts.push(cx.step("post", post).retry(POLICY).await?);
            }
            "picky" => {
                let post = || async {
                    self.calls.next("picky");
                    Err::<String, _>(PostError::Street("Elm".to_owned()))
                };
                let again = |error: &PostError| *error == PostError::Closed;
                receipts.push(cx.step("post", post).retry_if(POLICY, again).await?);
            }
            "keys" => {
                for _ in 0..2 {
                    let key = cx.step_with("key", |cx| async move {
                        self.calls.next(&cx.idempotency_key());
                        match cx.attempt() {
                            1 => Err(PostError::Closed),
                            _ => Ok(cx.idempotency_key()),
                        }
                    });
                    receipts.push(key.retry(POLICY).await?);
                }
            }
            "slow" => {
                let post = || async {
                    match self.calls.next("slow") {
                        1 => std::future::pending().await,
                        call => Ok::<_, PostError>(call.to_string()),
                    }
                };
                receipts.push(cx.step("post", post).timeout(Duration::from_secs(5)).retry(POLICY).await?);
            }
            "uuid" => {
                receipts.extend([cx.uuid(), cx.uuid()]);
                let again = cx.step("again", || async { self.post("x", 1).await }).retry(POLICY);
                again.await?;
            }
            name => {
                let named = cx.step(name.to_owned(), || async { self.post("x", 0).await });
                receipts.push(named.await?);
            }
        }
        Ok(Posted { receipts })
    }

    #[catch]
    fn returned(&self, _: Written, error: PostError) -> Returned {
        Returned { error }
    }
}

fn start(what: &str, to: &[&str]) -> Written {
    Written { what: what.to_owned(), to: to.iter().map(ToString::to_string).collect() }
}

async fn posted(what: &str) -> (Vec<String>, Vec<String>) {
    let calls = Arc::new(Calls::default());
    let mut stepper = Stepper::start(Letters { calls: Arc::clone(&calls) }, start(what, &[])).unwrap();
    stepper.run_to_end().await.unwrap();
    let Some(LettersOutcome::Posted(posted)) = stepper.outcome().unwrap() else { panic!("it was not posted") };
    (posted.receipts, calls.notes())
}

#[test]
fn its_result_is_recorded_by_its_name_and_not_run_again_after_a_restart() {
    test(async {
        let world = World::default();
        let calls = Arc::new(Calls::default());
        let letters = || Letters { calls: Arc::clone(&calls) };
        let engine = world.builder().workflow(letters()).start().await.unwrap();
        engine.start::<Letters>("a", start("each", &["ann", "bob", "ann"])).await.unwrap();
        settle(&engine).await;
        assert_eq!(calls.notes(), ["ann", "bob", "ann"]);
        drop(engine);
        let engine = world.builder().workflow(letters()).start().await.unwrap();
        world.pass(&engine, Duration::from_secs(60)).await;
        let end = engine.execution::<Letters>("a").unwrap().outcome().await.unwrap();
        let LettersOutcome::Posted(posted) = end else { panic!("it was not posted") };
        assert_eq!((posted.receipts, calls.count()), (vec!["ann 1".to_owned(), "bob 2".into(), "ann 3".into()], 3));
    });
}

#[test]
fn it_is_retried_as_its_builder_says() {
    test(async {
        let (receipts, calls) = posted("retried").await;
        assert_eq!((receipts, calls.len()), (vec!["x 3".to_owned()], 3));
        let (receipts, calls) = posted("keys").await;
        assert_ne!(receipts[0], receipts[1], "each call has a key of its own");
        assert_eq!(calls[0], calls[1], "and keeps it in every attempt");
        assert_eq!(calls[2], calls[3]);
        assert_eq!(receipts, [calls[0].clone(), calls[2].clone()]);
    });
}

#[test]
fn an_error_that_is_not_worth_another_attempt_is_final_and_keeps_its_type() {
    test(async {
        let calls = Arc::new(Calls::default());
        let mut stepper = Stepper::start(Letters { calls: Arc::clone(&calls) }, start("picky", &[])).unwrap();
        stepper.run_to_end().await.unwrap();
        let Some(LettersOutcome::Returned(returned)) = stepper.outcome().unwrap() else { panic!("it was posted") };
        assert_eq!((returned.error, calls.count()), (PostError::Street("Elm".to_owned()), 1));
    });
}

#[test]
fn an_attempt_that_takes_too_long_is_cut_off() {
    test(async {
        let world = World::default();
        let letters = Letters { calls: Arc::default() };
        let engine = world.builder().workflow(letters).start().await.unwrap();
        let letter = engine.start::<Letters>("a", start("slow", &[])).await.unwrap();
        world.pass(&engine, Duration::from_secs(6)).await;
        let LettersOutcome::Posted(posted) = letter.outcome().await.unwrap() else { panic!("it was not posted") };
        assert_eq!(posted.receipts, ["2"]);
    });
}

#[test]
fn a_uuid_is_the_same_in_every_run_of_the_handler() {
    test(async {
        let (uuids, _) = posted("uuid").await;
        assert_ne!(uuids[0], uuids[1]);
        for uuid in &uuids {
            let parts: Vec<_> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
        }
    });
}

#[test]
fn a_name_that_cannot_be_one_is_refused_by_name() {
    test(async {
        for name in ["", "a:b", "a\nb", &"x".repeat(101)] {
            let letters = Letters { calls: Arc::default() };
            let mut stepper = Stepper::start(letters, start(name, &[])).unwrap();
            let Rest::Parked(error) = stepper.run_to_end().await.unwrap() else { panic!("{name} is a name") };
            assert!(error.message.contains("cannot be the name of a step"), "{error}");
        }
    });
}

#[test]
fn it_runs_with_a_detached_context_too() {
    test(async {
        let cx = Cx::detached("Letters", ExecutionId::new("a").unwrap(), ManualClock::default());
        let sum = cx.step("sum", || async { Ok::<_, Error>(1 + 2) }).await.unwrap();
        assert_eq!(sum, 3);
    });
}
