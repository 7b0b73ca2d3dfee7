//! What is real in a simulated world, and what is put in place of what is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use workflow_runtime::driver::{Answer, Answering, HandlerSeen, Interceptor, StepSeen};
use workflow_runtime::prelude::*;
use workflow_runtime::record::Json;
use workflow_runtime::testing::{AtOnce, CrashTest, Sim, SimEvent};
use workflow_runtime::{EngineError, SqliteStore};

use super::fixture::{Outside, Paid, Shop, Unpaid};

#[state]
#[derive(Debug)]
pub struct Asked {
    pub number: u64,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Known {
    pub answer: u64,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Unknown {
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("code {0}")]
pub struct Code(pub u32);

pub struct Oracle {
    /// How long it takes to answer, by the clock on the wall.
    pub real: Duration,
}

#[workflow(start = Asked, allow(small_machine))]
impl Oracle {
    #[state]
    async fn ask(&self, cx: &Cx, asked: Asked) -> Result<Known> {
        let doubled = self.double(cx, asked.number).await?;
        let answer = self.look_up(cx, doubled).await?;
        Ok(Known { answer })
    }

    #[catch]
    fn refused(&self, _: Asked, error: Code) -> Unknown {
        Unknown { why: error.to_string() }
    }

    #[catch]
    fn failed(&self, _: Asked, error: Error) -> Unknown {
        Unknown { why: error.to_string() }
    }

    #[step(blocking, retry(max = 2))]
    fn double(&self, _: &Cx, number: u64) -> Result<u64> {
        Ok(number * 2)
    }

    #[step(retry(max = 3, backoff = "1s..1s"), timeout = "1m")]
    async fn look_up(&self, _: &Cx, number: u64) -> Result<u64, Code> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let real = self.real;
        std::thread::spawn(move || {
            std::thread::sleep(real);
            answer.send(number + 1).ok();
        });
        answered.await.map_err(|_| Code(0))
    }
}

async fn asked(sim: &Sim, real: Duration) -> Result<OracleOutcome> {
    sim.workflow(move || Oracle { real });
    Ok(sim.start::<Oracle>("a", Asked { number: 20 }).await?.outcome().await?)
}

#[test]
fn time_waits_for_services_that_are_real_if_it_is_told_to() {
    let asked = |wait: Duration| {
        Sim::run(1, move |sim| async move {
            sim.real_services(wait);
            let outcome = asked(&sim, Duration::from_millis(30)).await?;
            Ok((outcome, sim.elapsed()))
        })
    };
    let (outcome, elapsed) = asked(Duration::from_millis(500));
    assert!(matches!(outcome, OracleOutcome::Known(Known { answer: 41 })));
    assert_eq!(elapsed, Duration::ZERO, "no virtual time has passed");
    let (outcome, elapsed) = asked(Duration::ZERO);
    assert!(matches!(outcome, OracleOutcome::Unknown(_)), "the timeouts were over before: {outcome:?}");
    assert!(elapsed >= Duration::from_secs(3 * 60), "{elapsed:?}");
}

#[test]
fn a_store_with_threads_of_its_own_is_crashed_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    let report = CrashTest::new().pairs(5).run(|sim: Sim| {
        let path = folder.path().join(format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        async move {
            let store = Arc::new(SqliteStore::open(path)?);
            sim.store(move || Ok(AtOnce::new(Arc::clone(&store))));
            sim.interceptor(Mock(Ok(7)));
            asked(&sim, Duration::ZERO).await
        }
    });
    assert_eq!((report.steps, report.pairs), (2, 5));
}

#[test]
fn a_file_is_opened_again_wherever_the_process_has_died() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU32::new(0);
    let report = CrashTest::new().pairs(20).run(|sim: Sim| {
        let path = folder.path().join(format!("{}.db", number.fetch_add(1, Ordering::Relaxed)));
        async move {
            sim.store(move || SqliteStore::open(&path).map(AtOnce::new));
            let outside = Outside::default();
            let seen = outside.clone();
            sim.workflow(move || Shop { outside: outside.clone() });
            let first = sim.start::<Shop>("a", Unpaid { order: 1 }).await?;
            let second = sim.start::<Shop>("b", Unpaid { order: 2 }).await?;
            first.send(Paid).await?;
            second.send(Paid).await?;
            let outcomes = (first.outcome().await?, second.outcome().await?);
            Ok((format!("{outcomes:?}"), seen.done()))
        }
    });
    assert!(report.single > 20 && report.pairs == 20, "{report}");
}

/// Answers in place of `look_up`, after ten seconds.
#[derive(Debug, Clone)]
struct Mock(Result<u64, Code>);

impl Interceptor for Mock {
    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let answer = self.0.clone();
        let first = step.attempt == 1;
        (step.step == "look_up").then(|| -> Answering {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(10)).await;
                match answer {
                    Ok(number) => Answer::Done(Json::encode(&number).unwrap()),
                    Err(_) if first => Answer::Panicked("boom".into()),
                    Err(code) => Answer::Failed(Box::new(code)),
                }
            })
        })
    }
}

#[test]
fn what_answers_in_place_of_a_step_is_taken_for_its_result() {
    let mocked = |mock: Mock| {
        Sim::run(1, move |sim| async move {
            sim.interceptor(mock);
            let outcome = asked(&sim, Duration::ZERO).await?;
            Ok((outcome, sim.attempts("look_up"), sim.elapsed()))
        })
    };
    let (outcome, attempts, elapsed) = mocked(Mock(Ok(7)));
    assert!(matches!(outcome, OracleOutcome::Known(Known { answer: 7 })));
    assert_eq!((attempts, elapsed), (1, Duration::from_secs(10)));
    let (outcome, attempts, _) = mocked(Mock(Err(Code(5))));
    let OracleOutcome::Unknown(unknown) = outcome else { panic!("{outcome:?}") };
    assert_eq!((unknown.why.as_str(), attempts), ("code 5", 3), "its error has the type of the step's");
}

/// What is of another type than the step's.
#[derive(Debug)]
struct Mistaken;

impl Interceptor for Mistaken {
    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let first = step.attempt == 1;
        (step.step == "look_up").then(|| -> Answering {
            Box::pin(async move {
                match first {
                    true => Answer::Done(Json::encode(&"a text").unwrap()),
                    false => Answer::Failed(Box::new("no code")),
                }
            })
        })
    }
}

#[test]
fn an_answer_of_another_type_is_told_so() {
    Sim::run(1, |sim| async move {
        sim.interceptor(Mistaken);
        let OracleOutcome::Unknown(unknown) = asked(&sim, Duration::ZERO).await? else { panic!("it is mistaken") };
        assert!(unknown.why.contains("not of the type of its errors"), "{}", unknown.why);
        let error = |(_, event)| match event {
            SimEvent::Ended { error, .. } => error.map(|error| error.to_string()),
            _ => None,
        };
        let errors: Vec<_> = sim.events().into_iter().filter_map(error).collect();
        assert!(errors[0].contains("not of the type of its output"), "{errors:?}");
        Ok(())
    });
}

/// Fails handlers in place of running them.
#[derive(Debug)]
struct Saboteur(&'static str);

impl Interceptor for Saboteur {
    fn handler(&self, run: &HandlerSeen<'_>) -> Option<Error> {
        (run.handler == self.0).then(|| Error::msg(format!("{} is broken", self.0)))
    }
}

#[test]
fn a_handler_fails_where_an_interceptor_says_so_with_and_without_effects() {
    let sabotaged = |handler| {
        Sim::run(1, move |sim| async move {
            sim.interceptor(Saboteur(handler));
            sim.interceptor(Mock(Err(Code(5))));
            sim.workflow(|| Oracle { real: Duration::ZERO });
            let outcome = sim.start::<Oracle>("a", Asked { number: 1 }).await?.outcome().await;
            Ok(match outcome {
                Ok(OracleOutcome::Unknown(unknown)) => unknown.why,
                Ok(known) => panic!("{known:?}"),
                Err(EngineError::Parked { error, .. }) => format!("parked: {error}"),
                Err(error) => panic!("{error}"),
            })
        })
    };
    assert_eq!(sabotaged("ask"), "ask is broken");
    assert_eq!(sabotaged("refused"), "parked: refused is broken");
    assert_eq!(sabotaged("nobody"), "code 5");
}

#[test]
fn a_process_stays_dead_for_as_long_as_it_is_told() {
    let elapsed = Sim::run(1, |sim| async move {
        sim.downtime(Duration::from_secs(600));
        sim.interceptor(Mock(Ok(7)));
        sim.workflow(|| Oracle { real: Duration::ZERO });
        let oracle = sim.start::<Oracle>("a", Asked { number: 1 }).await?;
        sim.advance("5s").await;
        sim.crash().await;
        oracle.outcome().await?;
        assert_eq!(sim.attempts("double"), 1, "its result was saved");
        assert_eq!(sim.attempts("look_up"), 2, "it was in flight");
        Ok(sim.elapsed())
    });
    assert_eq!(elapsed, Duration::from_secs(5 + 600 + 10));
}
