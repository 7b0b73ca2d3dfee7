//! Starting, sending, looking, ending; and what is refused.

use workflow_runtime::record::{HistoryKind, Status};
use workflow_runtime::store::Query;
use workflow_runtime::{Engine, EngineError};

use super::fixture::{Cancelled, Done, Draft, Go, Job, JobOutcome, JobState, Jump, Note, World, settle, test};

#[test]
fn an_execution_runs_from_its_start_to_its_outcome() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(Draft { number: 1 })));
        job.send(Go).await.unwrap();
        let JobOutcome::Done(done) = job.outcome().await.unwrap() else { panic!("it was cancelled") };
        assert_eq!(done, Done { sum: 5 });
        assert!(matches!(job.state().await.unwrap(), JobState::Done(_)));
        assert_eq!(engine.active(), 0);
    });
}

#[test]
fn the_history_tells_every_transition_with_its_cause() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = world.working(&engine, "a").await;
        job.outcome().await.unwrap();
        let rows = job.history(0, 100).await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| match &row.record.kind {
                HistoryKind::Started { to } => format!("started in {to}"),
                HistoryKind::Transition { from, to, attempts, .. } => format!("{from} to {to}, {attempts} attempts"),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, ["started in draft", "draft to working, 0 attempts", "working to done, 2 attempts"]);
        assert_eq!(job.history(1, 1).await.unwrap(), rows[1..2]);
    });
}

#[test]
fn a_second_start_of_an_id_gives_the_first_execution() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        let again = engine.start::<Job>("a", Draft { number: 9 }).await.unwrap();
        assert!(matches!(again.state().await.unwrap(), JobState::Draft(Draft { number: 1 })));
        let new = engine.start_all::<Job, _>([("a", Draft { number: 3 }), ("b", Draft { number: 3 })]).await.unwrap();
        assert_eq!(new, 1);
    });
}

#[test]
fn an_event_with_an_id_counts_once_also_after_it_was_taken() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let held = world.script.will_hold("first");
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        for _ in 0..3 {
            job.send_once("note-1", Note).await.unwrap();
            settle(&engine).await;
        }
        job.send_once("note-2", Note).await.unwrap();
        held.send(()).unwrap();
        settle(&engine).await;
        let rows = job.history(0, 100).await.unwrap();
        let stays = rows.iter().filter(|row| matches!(row.record.kind, HistoryKind::Stayed { .. })).count();
        assert_eq!(stays, 2);
    });
}

#[test]
fn an_event_waits_for_a_state_that_takes_it() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        job.send(super::fixture::Cancel { why: "changed my mind".to_owned() }).await.unwrap();
        settle(&engine).await;
        assert!(matches!(job.state().await.unwrap(), JobState::Draft(_)));
        job.send(Go).await.unwrap();
        let JobOutcome::Cancelled(cancelled) = job.outcome().await.unwrap() else { panic!("it was done") };
        assert_eq!(cancelled, Cancelled { why: "changed my mind".to_owned() });
        assert_eq!(world.script.count("first"), 0, "the event was there before the entry handler began");
    });
}

#[test]
fn an_ended_execution_takes_no_event() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        job.send_once("note", Note).await.unwrap();
        job.send(Go).await.unwrap();
        job.outcome().await.unwrap();
        assert!(matches!(job.send(Note).await, Err(EngineError::Ended { .. })));
        assert!(matches!(job.send_once("other", Note).await, Err(EngineError::Ended { .. })));
        job.send_once("note", Note).await.expect("a repetition changes nothing, also after the end");
    });
}

#[test]
fn pure_decisions_pass_through_in_one_commit_however_many() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        job.send(Jump { hops: 1_000 }).await.unwrap();
        job.outcome().await.unwrap();
        assert_eq!(job.record().await.unwrap().visit, 1_003);
        let rows = job.history(0, 10_000).await.unwrap();
        assert_eq!(rows.len(), 1_003);
    });
}

#[test]
fn executions_are_found_by_workflow_state_and_status() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        engine.start_all::<Job, _>((0..30).map(|n| (format!("d{n:02}"), Draft { number: n }))).await.unwrap();
        for n in 0..5 {
            world.working(&engine, &format!("w{n}")).await.outcome().await.unwrap();
        }
        let drafts = || Query::of::<Job>().state::<Draft>().limit(20);
        let page = engine.list(&drafts()).await.unwrap();
        assert_eq!(page.executions.len(), 20);
        let rest = engine.list(&drafts().after(page.next.unwrap())).await.unwrap();
        assert_eq!((rest.executions.len(), rest.next), (10, None));
        let ended = Query::default().status(Status::Ended);
        assert_eq!(engine.list(&ended).await.unwrap().executions.len(), 5);
        let any = ended.status(Status::Waiting);
        assert_eq!(engine.list(&any).await.unwrap().executions.len(), 35);
        let counts = engine.counts::<Job>().await.unwrap();
        let counts: Vec<_> = counts.iter().map(|count| (count.state.as_str(), count.count)).collect();
        assert_eq!(counts, [("done", 5), ("draft", 30)]);
    });
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    test(async {
        let world = World::default();
        let engine = world.builder().payload_limit(100).start().await.unwrap();
        let refused = async |id: &str| engine.start::<Job>(id, Draft { number: 1 }).await.unwrap_err().to_string();
        assert!(refused("").await.contains("must not be empty"));
        assert!(refused(&"x".repeat(257)).await.contains("at most 256 bytes"));
        assert!(refused("a\nb").await.contains("control character"));
        let unknown = engine.execution::<Job>("nobody").unwrap();
        assert!(matches!(unknown.send(Go).await, Err(EngineError::UnknownExecution { .. })));
        assert!(matches!(unknown.state().await, Err(EngineError::UnknownExecution { .. })));
        assert!(matches!(unknown.outcome().await, Err(EngineError::UnknownExecution { .. })));
        assert!(matches!(unknown.retry().await, Err(EngineError::UnknownExecution { .. })));
        assert!(matches!(unknown.history(0, 9).await, Err(EngineError::UnknownExecution { .. })));
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        let long = super::fixture::Cancel { why: "x".repeat(200) };
        let error = job.send(long).await.unwrap_err().to_string();
        assert!(error.contains("`cancel`") && error.contains("limit of 100"), "{error}");
        assert!(matches!(job.retry().await, Err(EngineError::NotParked { .. })));
    });
}

mod elsewhere {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Begun;
    #[state(end)]
    pub struct Over;
    pub struct Job;

    #[workflow(start = Begun)]
    impl Job {
        #[state]
        fn end(&self, _: Begun) -> Over {
            Over
        }
    }
}

#[test]
fn two_workflows_of_one_name_and_one_that_was_not_given_are_refused() {
    test(async {
        let world = World::default();
        let twice = world.builder().workflow(elsewhere::Job).start().await;
        assert!(matches!(twice, Err(EngineError::DuplicateWorkflow { workflow }) if workflow == "Job"));
        let none = Engine::in_memory().start().await.unwrap();
        let error = none.start::<Job>("a", Draft { number: 1 }).await.unwrap_err();
        assert!(matches!(error, EngineError::UnknownWorkflow { workflow } if workflow == "Job"));
    });
}

#[test]
fn without_a_runtime_the_error_says_how_to_get_one() {
    let error = futures::executor::block_on(Engine::in_memory().start()).unwrap_err();
    assert!(error.to_string().contains("#[workflow_runtime::main]"), "{error}");
}

#[test]
fn a_stopped_engine_says_so() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        let job = engine.start::<Job>("a", Draft { number: 1 }).await.unwrap();
        let waiting = tokio::spawn({
            let job = job.clone();
            async move { job.outcome().await }
        });
        let mut stopped = std::pin::pin!(engine.stopped());
        settle(&engine).await;
        assert!(futures::poll!(&mut stopped).is_pending());
        engine.shutdown().await.unwrap();
        stopped.await.unwrap();
        assert!(matches!(waiting.await.unwrap(), Err(EngineError::ShuttingDown)));
        assert!(matches!(job.send(Go).await, Err(EngineError::ShuttingDown)));
        assert!(matches!(engine.start::<Job>("b", Draft { number: 1 }).await, Err(EngineError::ShuttingDown)));
    });
}

mod renamed {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Begun;
    #[state(end)]
    pub struct Over;

    pub mod before {
        use workflow_runtime::prelude::*;

        #[event]
        pub struct Stop;
    }

    #[event(was = "stop")]
    pub struct Finish;

    pub struct Old;

    #[workflow(start = Begun)]
    impl Old {
        #[on]
        fn stopped(&self, _: Begun, _: Finish) -> Over {
            Over
        }

        #[after("1d")]
        fn bored(&self, _: Begun) -> Over {
            Over
        }
    }
}

#[test]
fn an_event_that_was_sent_under_its_old_name_is_still_taken() {
    use workflow_runtime::store::{Change, Commit};
    use workflow_runtime::{Event as _, Timestamp, Workflow as _};

    test(async {
        let world = World::default();
        let engine = Engine::on(world.store.clone()).workflow(renamed::Old).start().await.unwrap();
        let old = engine.start::<renamed::Old>("a", renamed::Begun).await.unwrap();
        engine.shutdown().await.unwrap();
        let key = workflow_runtime::record::ExecutionKey { workflow: renamed::Old::NAME.into(), id: old.id().clone() };
        let event = workflow_runtime::record::NewEvent {
            event_id: "1".to_owned(),
            name: "stop".to_owned(),
            payload: renamed::before::Stop.encode().unwrap(),
            sent_at: Timestamp::EPOCH,
        };
        let commit = Commit { key, change: Change::Deliver { event } };
        world.store.commit(vec![commit]).await.unwrap().pop().unwrap().unwrap();
        let engine = Engine::on(world.store.clone()).workflow(renamed::Old).start().await.unwrap();
        engine.execution::<renamed::Old>("a").unwrap().outcome().await.unwrap();
    });
}
