//! Names that a test says as text, and has misspelt; and which of several runs a line to type names.

use std::process::Command;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::testing::walk::Walk;
use workflow_runtime::testing::walk::proptest::prelude::Just;
use workflow_runtime::testing::{Coverage, Injection, Sim, crash_everywhere, cx, fail_everywhere, when};
use workflow_runtime::{EngineError, block_on};

use super::planted::panics;

#[state]
#[derive(Debug)]
pub struct Draft;
#[state]
#[derive(Debug)]
pub struct InReview;
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Published {
    pub told: String,
}
#[event]
pub struct Submit;
#[event]
pub struct Approve;

/// An article, with a step of its own and a function of the same name.
pub struct Article;

#[workflow(start = Draft, allow(fragile_step, endless_wait))]
impl Article {
    #[on]
    fn submitted(&self, _: Draft, _: Submit) -> InReview {
        InReview
    }

    #[every("1h")]
    fn reminded(&self, review: InReview) -> Stay<InReview> {
        Stay(review)
    }

    #[on]
    async fn approved(&self, cx: &Cx, _: InReview, _: Approve) -> Result<Published> {
        let told = self.announce(cx).await?;
        archive(cx).await?;
        Ok(Published { told })
    }

    #[step]
    async fn announce(&self, _: &Cx) -> Result<String> {
        Ok("the article's own".into())
    }
}

/// Puts it away.
#[step]
async fn archive(_: &Cx) -> Result<()> {
    Ok(())
}

/// Says something to nobody: of the name of a step of [`Article`], and no step of it.
#[step]
async fn announce(_: &Cx) -> Result<String> {
    Ok("nobody's".into())
}

async fn published(sim: &Sim) -> Result<String, EngineError> {
    let article = sim.start::<Article>("a", Draft).await?;
    article.send(Submit).await?;
    article.send(Approve).await?;
    let ArticleOutcome::Published(published) = article.outcome().await?;
    Ok(published.told)
}

fn played(with: impl FnOnce(&Sim)) -> String {
    Sim::run(1, |sim| async move {
        sim.workflow(|| Article);
        with(&sim);
        Ok(published(&sim).await?)
    })
}

#[test]
fn a_step_that_nothing_has_is_told_with_the_steps_that_there_are() {
    let asked = |step: &'static str| {
        Sim::run(1, move |sim| async move {
            sim.workflow(|| Article);
            let before = (step != "archive").then(|| sim.attempts(step));
            published(&sim).await?;
            Ok((before, sim.attempts(step)))
        })
    };
    assert_eq!(asked("announce"), (Some(0), 1));
    assert_eq!(asked("archive"), (None, 1), "a function of its own is known once it was called");
    let mocked = Sim::run(1, |sim| async move {
        sim.workflow(|| Article);
        sim.mock(when(archive).optional());
        let attempts = sim.attempts("archive");
        published(&sim).await?;
        Ok((attempts, sim.attempts("archive")))
    });
    assert_eq!(mocked, (0, 1), "one that has a mock is known before");
    let told = panics(|| asked("anounce"));
    assert!(told.contains("there is no step `anounce` in this simulation, so it has no attempts"), "{told}");
    assert!(told.contains("its steps are `announce`; did you mean `announce`?"), "{told}");
}

#[test]
fn a_failure_at_what_is_not_there_is_told_at_once_or_in_the_end() {
    let injected = |failure: fn() -> Injection| panics(|| played(|sim| sim.inject(failure())));
    let told = injected(|| Injection::handler("in_reviw", "approved"));
    let expected = "there is no state `in_reviw` in this simulation: its states are `draft`, `in_review`, `published`; did you mean `in_review`?";
    assert_eq!(told, expected);
    let told = injected(|| Injection::handler("in_review", "aproved"));
    assert!(told.contains("there is no handler `aproved` in the state `in_review`"), "{told}");
    assert!(told.contains("did you mean `approved`?"), "{told}");
    let told = injected(|| Injection::step("anounce"));
    assert!(told.contains("a failure was injected at step `anounce` (at tests/kit/named.rs:"), "{told}");
    assert!(told.contains("the steps are `announce`, `archive`; did you mean `announce`?"), "{told}");
}

/// Is run by the test below, in a process of its own: it makes a mistake, as a user's test would.
#[test]
fn a_mistake_where_it_is_asked_for() {
    let Ok(mistake) = std::env::var("WORKFLOW_TESTS_MISTAKE") else { return };
    let walks = || assert_eq!(walk().run().walks, 20);
    match &*mistake {
        "walk" => assert_eq!(walk().fails("archve").run().walks, 20),
        "waits" => assert_eq!(walk().waits(["3 dayz"]).run().walks, 20),
        "runtime" => tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { walks() }),
        _ => {}
    }
    Sim::run(1, |sim| async move {
        match &*mistake {
            "workflow" => {
                published_late(&sim).await?;
                sim.workflow(|| Article);
            }
            "engine" => {
                published_late(&sim).await?;
                sim.engine(|engine| engine);
            }
            "length" => sim.advance("3 dayz").await,
            "downtime" => sim.downtime("3 dayz"),
            "takes" => sim.mock(when(archive).returns(()).takes("3 dayz")),
            "mock" => {
                sim.mock(when(archive));
                sim.mock(when(archive));
            }
            "answer" => sim.mock(when(archive).returns(()).returns(())),
            "attempts" => assert_eq!(sim.attempts("archve"), 0),
            "without" => drop(Coverage::of::<Article>().without("archve")),
            "execution" => drop(cx::<Article>().execution("")),
            _ => {
                sim.workflow(|| Article);
                sim.inject(Injection::handler("draft", "approved"));
            }
        }
        Ok(())
    });
}

async fn published_late(sim: &Sim) -> Result<()> {
    sim.workflow(|| Article);
    published(sim).await?;
    Ok(())
}

#[test]
fn a_mistake_is_told_at_the_line_of_the_test() {
    for mistake in [
        "workflow",
        "engine",
        "length",
        "downtime",
        "takes",
        "mock",
        "answer",
        "attempts",
        "walk",
        "waits",
        "runtime",
        "without",
        "execution",
        "inject",
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "named::a_mistake_where_it_is_asked_for"]).env("WORKFLOW_TESTS_MISTAKE", mistake);
        let output = command.env("RUST_BACKTRACE", "0").env_remove("WORKFLOW_WALK").output().unwrap();
        let told = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        let place = told.split("panicked at ").nth(1).unwrap_or_else(|| panic!("{mistake} is no mistake: {told}"));
        assert!(place.starts_with("tests/kit/named.rs:"), "{mistake}: {told}");
    }
}

#[test]
fn lengths_of_time_that_are_none_are_told() {
    let told = |said: fn(&Sim)| panics(|| played(said));
    for told in [
        told(|sim| drop(sim.advance("3 dayz"))),
        told(|sim| sim.downtime("3 dayz")),
        told(|sim| sim.real_services("3 dayz")),
        told(|sim| sim.patience("3 dayz", 1)),
        told(|sim| drop(sim.start_after::<Article>("b", Draft, "3 dayz"))),
    ] {
        assert!(told.contains("\"3 dayz\" is no length of time"), "{told}");
    }
}

#[test]
fn an_execution_begins_after_a_while_and_is_tried_again_as_one_of_an_engine() {
    Sim::run(1, |sim| async move {
        sim.workflow(|| Article);
        sim.mock(when(Article::announce).fails_times(1, "no network"));
        let article = sim.start_after::<Article>("a", Draft, "2d").await?;
        sim.advance("1d").await;
        assert!(article.record().await?.starts_at.is_some());
        sim.advance("1d").await;
        article.send(Submit).await?;
        article.send(Approve).await?;
        assert!(matches!(article.outcome().await, Err(EngineError::Parked { .. })));
        assert_eq!(article.failed_steps().await?.len(), 1);
        article.retry_because("there is one now").await?;
        assert!(article.outcome().await.is_ok());
        Ok(())
    });
}

#[test]
fn a_function_and_a_step_of_one_name_are_mocked_each_by_itself() {
    let told = played(|sim| {
        sim.mock(when(Article::announce).returns("mocked".into()));
        sim.mock(when(announce).returns("another".into()).optional());
    });
    assert_eq!(told, "mocked");
    let told = panics(|| played(|sim| sim.mock(when(announce).returns("another".into()))));
    assert!(told.contains("the mock of `announce` was never called (made at tests/kit/named.rs:"), "{told}");
    let unit = cx::<Article>().mock(when(announce).returns("another".into()).optional());
    assert_eq!(block_on(Article.announce(&unit)).unwrap(), "the article's own");
    let told = panics(|| {
        let unit = cx::<Article>().mock(when(Article::announce));
        block_on(archive(&unit)).unwrap();
    });
    assert!(
        told.contains("the mock of `announce` of `Article` was never called (made at tests/kit/named.rs:"),
        "{told}"
    );
}

#[test]
fn what_a_second_mock_of_a_step_is_to_do_is_told() {
    let told = panics(|| {
        played(|sim| {
            sim.mock(when(Article::announce).returns("a".into()));
            sim.mock(when(Article::announce).returns("b".into()));
        })
    });
    for part in ["has a mock already", "made at tests/kit/named.rs:", "one answer after another", "say with `only_for`"]
    {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
}

#[test]
fn what_coverage_leaves_out_is_to_be_there() {
    let told = panics(|| Coverage::of::<Article>().without("publishd"));
    assert!(
        told.contains("no state, handler or step `publishd`") && told.contains("did you mean `published`?"),
        "{told}"
    );
}

fn walk() -> Walk<Article, ()> {
    Walk::<Article, _>::new(|sim| {
        sim.workflow(|| Article);
        (Draft, ())
    })
    .event(Just(()), |()| Submit)
    .event(Just(()), |()| Approve)
    .walks(20)
}

#[test]
fn what_no_walk_does_is_told() {
    let told = panics(|| walk().fails("anounce").run());
    assert!(told.contains("the step `anounce` is to fail, and was not called in 20 walks"), "{told}");
    assert!(told.contains("The steps of Article are `announce`; did you mean `announce`?"), "{told}");
    let told = panics(|| walk().length(0).run());
    assert!(told.contains("the event `submit` is given, and was not sent in 20 walks of 0 acts"), "{told}");
    let told = panics(|| walk().only("send aprove").run());
    assert!(told.contains("Its events are `submit`, `approve`; did you mean `approve`?"), "{told}");
}

#[test]
fn a_history_that_goes_round_is_told_once() {
    let told = panics(|| walk().invariant(|walked| assert!(walked.history.len() < 60)).waits(["1h", "2h"]).run());
    let history = told.split("history of Article/walk:\n").nth(1).unwrap();
    let history = history.split("\n\n").next().unwrap();
    assert!(history.contains("… the same ") && history.contains(" times more, until +"), "{history}");
    assert!(history.lines().count() < 10, "{history}");
}

/// Is run by the test below, in a process of its own.
#[test]
fn three_calls_where_they_are_asked_for() {
    let Some(failing) = std::env::var("WORKFLOW_TESTS_CALL").ok().and_then(|call| call.parse::<usize>().ok()) else {
        return;
    };
    for call in 1..=3 {
        let runs = std::cell::Cell::new(0);
        let scenario = |sim: Sim| {
            runs.set(runs.get() + 1);
            let (run, fails) = (runs.get(), call == failing);
            async move {
                sim.workflow(|| Article);
                published(&sim).await?;
                // The runs differ where a crash or a failure is in one.
                assert!(!fails || run < 4, "broken on purpose");
                Ok(())
            }
        };
        let report = crash_everywhere(scenario);
        println!("call {call} of crashes: {} runs", report.single);
        runs.set(0);
        let report = fail_everywhere(|sim| async move {
            sim.workflow(|| Article);
            Ok(published(&sim).await?)
        });
        println!("call {call} of failures: {} runs", report.runs);
    }
}

#[test]
fn the_line_to_type_names_the_call_of_its_test() {
    let run = |failing: &str, variable: Option<(&str, &str)>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "named::three_calls_where_they_are_asked_for", "--nocapture"]);
        command.env("WORKFLOW_TESTS_CALL", failing).env_remove("WORKFLOW_CRASH").env_remove("WORKFLOW_FAIL");
        variable.map(|(name, value)| command.env(name, value));
        let output = command.output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat()
    };
    let told = run("2", None);
    assert!(told.contains("WORKFLOW_CRASH='seed=0,after=1,call=2' cargo test -p workflow-tests"), "{told}");
    let told = run("1", None);
    assert!(told.contains("WORKFLOW_CRASH='seed=0,after=1' cargo test -p workflow-tests"), "{told}");
    let alone = |told: &str| {
        let runs = told.lines().filter_map(|line| line.split_once("call ")).map(|(_, line)| line.to_owned());
        runs.filter(|line| line.ends_with(": 1 runs")).collect::<Vec<_>>()
    };
    assert_eq!(alone(&run("0", None)), [""; 0]);
    assert_eq!(alone(&run("0", Some(("WORKFLOW_CRASH", "seed=0,after=1,call=2")))), ["2 of crashes: 1 runs"]);
    assert_eq!(alone(&run("0", Some(("WORKFLOW_CRASH", "seed=0,after=1")))), ["1 of crashes: 1 runs"]);
    assert_eq!(alone(&run("0", Some(("WORKFLOW_FAIL", "seed=0,attempt=1,call=3")))), ["3 of failures: 1 runs"]);
    assert!(run("0", Some(("WORKFLOW_FAIL", "seed=0,call=no"))).contains("the calls of a test are counted from 1"));
}

#[test]
fn a_time_is_said_as_a_text_or_as_a_duration() {
    let elapsed = Sim::run(1, |sim| async move {
        sim.downtime("10m");
        sim.patience(Duration::from_secs(86_400), 1_000);
        sim.workflow(|| Article);
        published(&sim).await?;
        sim.crash().await;
        Ok(sim.elapsed())
    });
    assert_eq!(elapsed, Duration::from_secs(600));
}
