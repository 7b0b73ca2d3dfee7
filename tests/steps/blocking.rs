//! `blocking`: steps that have a thread of their own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{ExecutionId, ManualClock, StepPanicked, StepTimedOut, Stepper};

use super::world::{Calls, World, settle, test};

#[state]
pub struct Given {
    pub what: String,
}

#[state(end)]
pub struct Digested {
    pub sum: u64,
}

#[state(end)]
pub struct Spoilt {
    pub why: String,
}

pub struct Mill {
    calls: Arc<Calls>,
    threads: Arc<Mutex<Vec<ThreadId>>>,
    go_on: Arc<Mutex<Receiver<()>>>,
}

#[step(blocking)]
fn length(_: &Cx, text: String) -> Result<u64> {
    Ok(text.len() as u64)
}

#[workflow(start = Given)]
impl Mill {
    #[state]
    async fn given(&self, cx: &Cx, given: Given) -> Result<Digested> {
        let sum = match given.what.as_str() {
            "free" => length(cx, "four".to_owned()).await?,
            "panic" => self.explode(cx, 1).await?,
            "slow" => self.wait(cx, given.what).await?,
            _ => self.digest(cx, vec![1, 2, 3]).await?,
        };
        Ok(Digested { sum })
    }

    #[catch(source)]
    fn panicked(&self, _: Given, error: StepPanicked) -> Spoilt {
        Spoilt { why: error.message }
    }

    #[catch(source)]
    fn timed_out(&self, _: Given, error: StepTimedOut) -> Spoilt {
        Spoilt { why: error.to_string() }
    }

    /// Adds up.
    #[step(blocking, retry(max = 3, backoff = "1s..1s", jitter = none))]
    fn digest(&self, cx: &Cx, numbers: Vec<u64>) -> Result<u64> {
        self.calls.next(&cx.idempotency_key());
        self.threads.lock().unwrap().push(std::thread::current().id());
        if cx.attempt() == 1 {
            return Err(Error::msg("once more"));
        }
        Ok(numbers.iter().sum())
    }

    #[step(blocking)]
    fn explode(&self, _: &Cx, number: u64) -> Result<u64> {
        assert_eq!(number, 2, "boom");
        Ok(number)
    }

    #[step(blocking, timeout = "10s")]
    fn wait(&self, _: &Cx, _what: String) -> Result<u64> {
        self.go_on.lock().unwrap().recv()?;
        self.calls.next("went on");
        Ok(0)
    }
}

fn mill() -> (Mill, Sender<()>) {
    let (go_on, held) = channel();
    let mill = Mill { calls: Arc::default(), threads: Arc::default(), go_on: Arc::new(Mutex::new(held)) };
    (mill, go_on)
}

fn given(what: &str) -> Given {
    Given { what: what.to_owned() }
}

/// Runs `what` on an engine with real threads, moving the clock until it has ended.
async fn outcome(mill: Mill, what: &str) -> MillOutcome {
    let world = World::default();
    let engine = world.builder().workflow(mill).start().await.unwrap();
    let run = engine.start::<Mill>("a", given(what)).await.unwrap();
    let outcome = run.outcome();
    tokio::pin!(outcome);
    loop {
        tokio::select! {
            biased;
            outcome = &mut outcome => return outcome.unwrap(),
            () = settle(&engine) => world.clock.advance(Duration::from_secs(1)),
        }
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
}

#[test]
fn it_runs_on_another_thread_and_is_retried_with_one_key() {
    test(async {
        let (mill, _go_on) = mill();
        let (calls, threads) = (Arc::clone(&mill.calls), Arc::clone(&mill.threads));
        assert!(matches!(outcome(mill, "sum").await, MillOutcome::Digested(digested) if digested.sum == 6));
        let notes = calls.notes();
        assert_eq!((notes.len(), &notes[0]), (2, &notes[1]));
        assert!(threads.lock().unwrap().iter().all(|thread| *thread != std::thread::current().id()));
    });
}

#[test]
fn a_function_of_its_own_may_block_too() {
    test(async {
        assert!(matches!(outcome(mill().0, "free").await, MillOutcome::Digested(digested) if digested.sum == 4));
    });
}

#[test]
fn a_panic_is_caught() {
    test(async {
        let MillOutcome::Spoilt(spoilt) = outcome(mill().0, "panic").await else { panic!("it was digested") };
        assert!(spoilt.why.contains("boom"), "{}", spoilt.why);
    });
}

#[test]
fn an_attempt_that_takes_too_long_is_abandoned_and_its_thread_goes_on() {
    test(async {
        let (mill, go_on) = mill();
        let calls = Arc::clone(&mill.calls);
        let MillOutcome::Spoilt(spoilt) = outcome(mill, "slow").await else { panic!("it was digested") };
        assert!(spoilt.why.contains("cut off after 10000 ms"), "{}", spoilt.why);
        assert_eq!(calls.count(), 0);
        go_on.send(()).unwrap();
        while calls.count() == 0 {
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        }
    });
}

#[test]
fn without_threads_it_runs_where_it_is_called() {
    test(async {
        let (mill, _go_on) = mill();
        let threads = Arc::clone(&mill.threads);
        let mut stepper = Stepper::start(mill, given("sum")).unwrap();
        stepper.run_to_end().await.unwrap();
        assert!(matches!(stepper.outcome().unwrap(), Some(MillOutcome::Digested(digested)) if digested.sum == 6));
        assert!(threads.lock().unwrap().iter().all(|thread| *thread == std::thread::current().id()));

        let cx = Cx::detached("Mill", ExecutionId::new("a").unwrap(), ManualClock::default());
        assert_eq!(length(&cx, "abc".to_owned()).await.unwrap(), 3);
    });
}

#[test]
fn the_graph_shows_it() {
    let step = |name: &str| MillState::GRAPH.steps.iter().find(|step| step.name == name).unwrap();
    assert!(step("digest").blocking);
    assert_eq!(step("digest").doc, "Adds up.");
}
