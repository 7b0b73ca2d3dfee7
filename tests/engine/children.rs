//! Executions that wait for others that they have started.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use workflow_runtime::prelude::*;
use workflow_runtime::record::{HistoryKind, Status};
use workflow_runtime::store::{Query, StoreError};
use workflow_runtime::stores::{MemoryStore, SqliteStore};
use workflow_runtime::{ChildError, Engine, EngineBuilder, EngineError, Execution};

use super::fixture::{World, settle, test};
use super::hooked::{Call, Hooked};

/// What a child is to do.
#[state]
#[derive(Clone)]
pub struct Ask {
    number: u32,
    /// Whether it waits to be told.
    waits: bool,
    /// Whether it fails until it is told.
    fails: bool,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Even {
    half: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Odd;

#[event]
pub struct Answer;

pub struct Question;

#[workflow(start = Ask, allow(endless_wait))]
impl Question {
    #[state]
    async fn answer(&self, cx: &Cx, ask: Ask) -> Result<Next<(Even, Odd)>> {
        if ask.waits {
            cx.recv::<Answer>().await;
        }
        if ask.fails && cx.recv_timeout::<Answer>(Duration::from_millis(1)).await.is_none() {
            return Err(Error::msg("nobody answers"));
        }
        Ok(if ask.number.is_multiple_of(2) { goto(Even { half: ask.number / 2 }) } else { goto(Odd) })
    }
}

/// How a parent treats its children.
#[state]
#[derive(Clone)]
pub struct Asking {
    asks: Vec<Ask>,
    abandon: bool,
    impatient: bool,
}

#[state]
pub struct Asked {
    evens: u32,
    first: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Known {
    evens: u32,
    again: bool,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Unknown {
    why: String,
}

#[event]
pub struct NeverMind;

pub struct Survey;

#[workflow(start = Asking)]
impl Survey {
    #[state]
    async fn ask(&self, cx: &Cx, asking: Asking) -> Result<Asked> {
        let calls = asking.asks.iter().enumerate().map(|(index, ask)| {
            let mut call = cx.call::<Question>(format!("{}-{index}", cx.id()), ask.clone());
            if asking.abandon {
                call = call.abandon();
            }
            if asking.impatient {
                call = call.fail_when_parked();
            }
            call
        });
        let mut evens = 0;
        for outcome in join_all(calls).await {
            evens += u32::from(matches!(outcome?, QuestionOutcome::Even(_)));
        }
        Ok(Asked { evens, first: format!("{}-0", cx.id()) })
    }

    #[catch]
    fn failed(&self, _: Asking, error: ChildError) -> Unknown {
        Unknown { why: error.to_string() }
    }

    #[on]
    fn never_mind(&self, _: Asking, _: NeverMind) -> Unknown {
        Unknown { why: "never mind".to_owned() }
    }

    #[after("1h")]
    fn too_slow(&self, _: Asking) -> Unknown {
        Unknown { why: "too slow".to_owned() }
    }

    /// A child of the state before, by its id.
    #[state]
    async fn ask_again(&self, cx: &Cx, asked: Asked) -> Result<Known> {
        let ask = Ask { number: 0, waits: false, fails: false };
        let again = cx.call::<Question>(&asked.first, ask).await?;
        Ok(Known { evens: asked.evens, again: matches!(again, QuestionOutcome::Even(_)) })
    }
}

fn ask(number: u32) -> Ask {
    Ask { number, waits: false, fails: false }
}

fn waiting(number: u32) -> Ask {
    Ask { waits: true, ..ask(number) }
}

fn asking(asks: impl IntoIterator<Item = Ask>) -> Asking {
    Asking { asks: asks.into_iter().collect(), abandon: false, impatient: false }
}

fn builder(world: &World) -> EngineBuilder {
    world.builder().workflow(Survey).workflow(Question)
}

async fn started(engine: &Engine, asking: Asking) -> Execution<Survey> {
    let survey = engine.start::<Survey>("s", asking).await.unwrap();
    settle(engine).await;
    survey
}

fn child(engine: &Engine, index: usize) -> Execution<Question> {
    engine.execution(format!("s-{index}")).unwrap()
}

async fn why(survey: &Execution<Survey>) -> String {
    match survey.outcome().await.unwrap() {
        SurveyOutcome::Unknown(unknown) => unknown.why,
        SurveyOutcome::Known(known) => panic!("{known:?}"),
    }
}

#[test]
fn a_parent_waits_without_a_task_for_children_that_run_side_by_side_and_over_restarts() {
    test(async {
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        let survey = started(&engine, asking([waiting(2), waiting(3), ask(4)])).await;
        assert_eq!(engine.active(), 0);
        assert_eq!(survey.record().await.unwrap().status(), Status::Waiting);
        assert_eq!(child(&engine, 2).record().await.unwrap().status(), Status::Ended);
        assert_eq!(child(&engine, 0).record().await.unwrap().parent.unwrap().id, "s");
        child(&engine, 1).send(Answer).await.unwrap();
        settle(&engine).await;
        assert_eq!(survey.record().await.unwrap().status(), Status::Waiting);
        drop((engine, survey));

        let engine = builder(&world).start().await.unwrap();
        child(&engine, 0).send(Answer).await.unwrap();
        let survey = engine.execution::<Survey>("s").unwrap();
        let SurveyOutcome::Known(known) = survey.outcome().await.unwrap() else { panic!("it failed") };
        // The second call of the first child, in a later visit, got what that had come to.
        assert_eq!(known, Known { evens: 2, again: true });
    });
}

#[test]
fn a_crash_at_any_commit_loses_and_repeats_nothing() {
    test(async {
        for (crash, applied) in (0..30).flat_map(|crash| [(crash, false), (crash, true)]) {
            let count = AtomicUsize::new(0);
            let store = MemoryStore::new();
            let failing = Hooked::new(store.clone(), move |call| {
                let counts = match call {
                    Call::Commit(_) => !applied,
                    Call::Committed => applied,
                    _ => false,
                };
                let is_now = counts && count.fetch_add(1, Ordering::Relaxed) == crash;
                if is_now { Err(StoreError::TakenOver) } else { Ok(()) }
            });
            let world = World::on(failing);
            let engine = builder(&world).start().await.unwrap();
            let survey = engine.start::<Survey>("s", asking([ask(1), ask(2)])).await;
            settle(&engine).await;
            drop((engine, survey));

            let world = World::on(Arc::new(store));
            let engine = builder(&world).start().await.unwrap();
            let survey = started(&engine, asking([ask(1), ask(2)])).await;
            let SurveyOutcome::Known(known) = survey.outcome().await.unwrap() else { panic!("it failed at {crash}") };
            assert_eq!(known, Known { evens: 1, again: false }, "crash {crash}");
            settle(&engine).await;
            let open = engine.list(&Query::default().limit(10)).await.unwrap().executions;
            assert!(open.iter().all(|execution| execution.status == Status::Ended), "crash {crash}: {open:?}");
            for execution in [child(&engine, 0).history(0, 99).await.unwrap(), survey.history(0, 99).await.unwrap()] {
                let left = |kind: &HistoryKind| {
                    matches!(kind, HistoryKind::EventLeft { .. } | HistoryKind::ReportDropped { .. })
                };
                assert!(!execution.iter().any(|row| left(&row.record.kind)), "crash {crash}: {execution:?}");
            }
        }
    });
}

#[test]
fn a_child_that_is_cancelled_or_terminated_is_an_error_that_can_be_caught() {
    test(async {
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        let survey = started(&engine, asking([waiting(1)])).await;
        child(&engine, 0).cancel("no answer").await.unwrap();
        assert_eq!(why(&survey).await, "the child Question/s-0 was cancelled: no answer");

        let second = engine.start::<Survey>("t", asking([waiting(1)])).await.unwrap();
        settle(&engine).await;
        engine.execution::<Question>("t-0").unwrap().terminate("no time").await.unwrap();
        assert_eq!(why(&second).await, "the child Question/t-0 was terminated: no time");
    });
}

#[test]
fn children_are_cancelled_when_their_parent_leaves_the_state_or_is_ended_unless_they_are_abandoned() {
    test(async {
        for abandon in [false, true] {
            let world = World::default();
            let engine = builder(&world).start().await.unwrap();
            let survey = started(&engine, Asking { abandon, ..asking([waiting(1), ask(2)]) }).await;
            survey.send(NeverMind).await.unwrap();
            assert_eq!(why(&survey).await, "never mind");
            settle(&engine).await;
            let expected = if abandon { Status::Waiting } else { Status::Cancelled };
            assert_eq!(child(&engine, 0).record().await.unwrap().status(), expected);
            assert_eq!(child(&engine, 1).record().await.unwrap().status(), Status::Ended);

            let second = engine.start::<Survey>("t", Asking { abandon, ..asking([waiting(1)]) }).await.unwrap();
            settle(&engine).await;
            second.terminate("no time").await.unwrap();
            settle(&engine).await;
            let of_second = engine.execution::<Question>("t-0").unwrap();
            assert_eq!(of_second.record().await.unwrap().status(), expected);
            if abandon {
                of_second.send(Answer).await.unwrap();
                assert!(matches!(of_second.outcome().await.unwrap(), QuestionOutcome::Odd(_)));
            }
        }
    });
}

#[test]
fn a_report_that_comes_after_its_state_was_left_is_noted() {
    test(async {
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        let survey = started(&engine, Asking { abandon: true, ..asking([waiting(1), waiting(2)]) }).await;
        survey.park("wait").await.unwrap();
        child(&engine, 0).send(Answer).await.unwrap();
        settle(&engine).await;
        survey.move_to(SurveyState::Asked(Asked { evens: 0, first: "other".to_owned() }), "go on").await.unwrap();
        survey.outcome().await.unwrap();
        let dropped = |kind: &HistoryKind| match kind {
            HistoryKind::ReportDropped { child } => Some(child.clone()),
            _ => None,
        };
        let rows = survey.history(0, 99).await.unwrap();
        let dropped: Vec<_> = rows.iter().filter_map(|row| dropped(&row.record.kind)).collect();
        assert_eq!(dropped, ["Question/s-0"]);
    });
}

#[test]
fn a_parked_child_is_waited_for_unless_the_call_says_otherwise() {
    test(async {
        let failing = Ask { fails: true, ..ask(3) };
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        let survey = started(&engine, asking([failing.clone()])).await;
        world.pass(&engine, Duration::from_millis(1)).await;
        assert_eq!(child(&engine, 0).record().await.unwrap().status(), Status::Parked);
        assert_eq!(survey.record().await.unwrap().status(), Status::Waiting);
        child(&engine, 0).cancel("hopeless").await.unwrap();
        assert_eq!(why(&survey).await, "the child Question/s-0 was cancelled: hopeless");

        let asking = Asking { impatient: true, ..asking([failing]) };
        let impatient = engine.start::<Survey>("t", asking).await.unwrap();
        world.pass(&engine, Duration::from_millis(1)).await;
        assert_eq!(why(&impatient).await, "the child Question/t-0 is parked: nobody answers");
        settle(&engine).await;
        let of_second = engine.execution::<Question>("t-0").unwrap();
        assert_eq!(of_second.record().await.unwrap().status(), Status::Cancelled, "nobody waits for it any more");
    });
}

#[test]
fn a_damaged_child_counts_as_parked_for_a_parent_that_does_not_wait_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("survey.db");
    test(async {
        for impatient in [true, false] {
            for damage in [
                "replace(body, '\"number\":1', '\"number\":5')",
                "'{\"damaged' || substr(body, 10)",
                "substr(body, 1, 9)",
            ] {
                let open = || World::on(Arc::new(SqliteStore::open(&path).unwrap()));
                let world = open();
                let engine = builder(&world).start().await.unwrap();
                let asking = Asking { impatient, ..asking([waiting(1)]) };
                let survey = engine.start::<Survey>("s", asking).await.unwrap();
                while engine.active() > 0 || survey.record().await.unwrap().status() != Status::Waiting {
                    tokio::task::yield_now().await;
                }
                engine.shutdown().await.unwrap();
                drop((engine, survey, world));
                let shell = rusqlite::Connection::open(&path).unwrap();
                let change = format!("UPDATE executions SET body = {damage} WHERE id = 's-0'");
                assert_eq!(shell.execute(&change, []), Ok(1));
                drop(shell);

                let world = open();
                let engine = builder(&world).start().await.unwrap();
                let survey = engine.execution::<Survey>("s").unwrap();
                let error = child(&engine, 0).state().await.unwrap_err();
                assert!(matches!(error, EngineError::Parked { .. }), "{error}");
                child(&engine, 0).send(Answer).await.unwrap();
                let is_told = impatient && !damage.starts_with("substr");
                if is_told {
                    let why = why(&survey).await;
                    assert!(why.starts_with("the child Question/s-0 is parked: "), "{why}");
                } else {
                    while engine.active() > 0 {
                        tokio::task::yield_now().await;
                    }
                    assert_eq!(survey.record().await.unwrap().status(), Status::Waiting, "{damage}");
                }
                engine.shutdown().await.unwrap();
                drop((engine, survey, world));
                std::fs::remove_file(&path).unwrap();
            }
        }
    });
}

#[test]
fn what_cannot_be_started_is_an_error_that_can_be_caught() {
    test(async {
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        engine.start::<Question>("s-0", waiting(1)).await.unwrap();
        let survey = started(&engine, asking([ask(1)])).await;
        assert!(why(&survey).await.contains("Question/s-0 is taken by an execution that this call did not start"));
        drop((engine, survey));

        let world = World::default();
        let engine = world.builder().workflow(Survey).start().await.unwrap();
        let survey = started(&engine, asking([ask(1)])).await;
        assert!(why(&survey).await.contains("does not know the workflow `Question`"));
    });
}

/// Two children in the branches of a `#[parallel]` function, and one for each of some items.
#[state]
pub struct Asks {
    numbers: Vec<u32>,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Sums {
    evens: u32,
}

pub struct Panel;

#[workflow(start = Asks, allow(small_machine))]
impl Panel {
    #[state]
    async fn ask(&self, cx: &Cx, asks: Asks) -> Result<Sums> {
        let pair = self.pair(cx).await?;
        let each = self.each(cx, asks.numbers).await?;
        Ok(Sums { evens: pair + each.into_iter().sum::<u32>() })
    }

    #[parallel]
    async fn pair(&self, cx: &Cx) -> Result<u32> {
        let first = cx.call::<Question>("first", waiting(2)).await?;
        let second = cx.call::<Question>("second", waiting(4)).await?;
        Ok(is_even(&first) + is_even(&second))
    }

    #[parallel]
    async fn each(&self, cx: &Cx, #[each] number: u32) -> Result<u32> {
        let outcome = cx.call::<Question>(format!("each-{number}"), waiting(number)).await?;
        Ok(is_even(&outcome))
    }
}

fn is_even(outcome: &QuestionOutcome) -> u32 {
    u32::from(matches!(outcome, QuestionOutcome::Even(_)))
}

#[test]
fn branches_have_children_and_wait_for_them_without_a_task_too() {
    test(async {
        let world = World::default();
        let engine = builder(&world).workflow(Panel).start().await.unwrap();
        let panel = engine.start::<Panel>("p", Asks { numbers: vec![1, 2, 3, 4] }).await.unwrap();
        for ids in [vec!["first", "second"], vec!["each-4", "each-1", "each-3", "each-2"]] {
            for id in ids {
                settle(&engine).await;
                assert_eq!(engine.active(), 0, "it waits for {id} without a task");
                engine.execution::<Question>(id).unwrap().send(Answer).await.unwrap();
            }
            settle(&engine).await;
        }
        let PanelOutcome::Sums(sums) = panel.outcome().await.unwrap();
        assert_eq!(sums.evens, 4);
    });
}

#[test]
fn ten_thousand_children_cost_their_parent_little_more_than_one_row_each() {
    const CHILDREN: u32 = 10_000;
    test(async {
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&loads);
        let world = World::on(Hooked::new(MemoryStore::new(), move |call| {
            if let Call::Load(key) = call
                && &*key.workflow == "Survey"
            {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }));
        let engine = builder(&world).start().await.unwrap();
        let survey = engine.start::<Survey>("s", asking((0..CHILDREN).map(ask))).await.unwrap();
        let SurveyOutcome::Known(known) = survey.outcome().await.unwrap() else { panic!("it failed") };
        assert_eq!(known.evens, CHILDREN / 2);
        // It looks at what has come once for many of them.
        let loads = loads.load(Ordering::Relaxed);
        assert!(loads < 100, "it was loaded {loads} times");
    });
}
