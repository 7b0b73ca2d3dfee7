//! Versions whose code is kept for the executions that began with it.

use workflow_runtime::prelude::*;
use workflow_runtime::store::Query;
use workflow_runtime::{Engine, EngineError, Keep};

use super::world::{Approval, DAY, Payment, World, settle, test};

#[event]
pub struct Answer;

mod v1 {
    use super::{Answer, Approval, Payment};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Asked;
    #[state]
    pub struct Answered;
    #[state(end)]
    pub struct Closed {
        pub by: u32,
    }

    pub struct Case;

    #[workflow(start = Asked, version = 1, keep)]
    impl Case {
        #[on(allow(endless_wait))]
        fn answered(&self, _: Asked, _: Answer) -> Answered {
            Answered
        }
        #[on(allow(endless_wait))]
        fn paid(&self, _: Answered, _: Payment) -> Closed {
            Closed { by: 1 }
        }
        #[on]
        fn refused(&self, _: Asked, _: Approval) -> Closed {
            Closed { by: 1 }
        }
    }
}

/// The same, kept for the visit alone.
mod visit {
    use super::v1::{Answered, Asked, Closed};
    use super::{Answer, Payment};
    use workflow_runtime::prelude::*;

    pub struct OldCase;

    #[workflow(start = Asked, name = "Case", keep(visit), allow(endless_wait))]
    impl OldCase {
        #[on]
        fn answered(&self, _: Asked, _: Answer) -> Answered {
            Answered
        }
        #[on]
        fn paid(&self, _: Answered, _: Payment) -> Closed {
            Closed { by: 1 }
        }
    }
}

mod v2 {
    use super::{Answer, Payment, v1};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Asked {
        pub times: u32,
    }
    #[state]
    pub struct Replied {
        pub text: String,
    }
    #[state(end)]
    #[derive(Debug)]
    pub struct Closed {
        pub by: u64,
        pub why: String,
    }

    pub struct Case;

    #[workflow(start = Asked, version = 2, from(1 = v1::CaseState), allow(endless_wait))]
    impl Case {
        #[migrate(from = 1)]
        fn asked(_: v1::Asked) -> Asked {
            Asked { times: 1 }
        }
        #[migrate(from = 1)]
        fn replied(_: v1::Answered) -> Replied {
            Replied { text: "(lost)".to_owned() }
        }
        #[migrate(from = 1)]
        fn closed(old: v1::Closed) -> Closed {
            Closed { by: old.by.into(), why: String::new() }
        }
        #[on]
        fn answered(&self, _: Asked, _: Answer) -> Replied {
            Replied { text: String::new() }
        }
        #[on]
        fn paid(&self, replied: Replied, _: Payment) -> Closed {
            Closed { by: 2, why: replied.text }
        }
    }
}

async fn one_of_each(world: &World) {
    let old = world.engine_of(v1::Case).await;
    for id in ["a", "b"] {
        old.start::<v1::Case>(id, v1::Asked).await.unwrap();
    }
    old.shutdown().await.unwrap();
}

async fn version(engine: &Engine, id: &str) -> u32 {
    engine.execution::<v2::Case>(id).unwrap().record().await.unwrap().version
}

#[test]
fn kept_to_the_end_it_never_sees_the_new_code() {
    test(async {
        let world = World::default();
        one_of_each(&world).await;
        let engine = world.builder().workflow(v1::Case).workflow(v2::Case).start().await.unwrap();
        let case = engine.execution::<v1::Case>("a").unwrap();
        case.send(Answer).await.unwrap();
        settle(&engine).await;
        assert!(matches!(case.state().await.unwrap(), v1::CaseState::Answered(_)));
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().to_string(), "0 migrated, 2 kept, 0 failed");
        case.send(Payment).await.unwrap();
        let v1::CaseOutcome::Closed(closed) = case.outcome().await.unwrap();
        assert_eq!((closed.by, version(&engine, "a").await), (1, 1));
        // The newer type reads it, too.
        let v2::CaseOutcome::Closed(read) = engine.execution::<v2::Case>("a").unwrap().outcome().await.unwrap();
        assert_eq!((read.by, read.why.as_str()), (1, ""));
        // New ones are of the type that they are started by.
        engine.start::<v2::Case>("new", v2::Asked { times: 0 }).await.unwrap();
        engine.start::<v1::Case>("old", v1::Asked).await.unwrap();
        assert_eq!((version(&engine, "new").await, version(&engine, "old").await), (2, 1));
        let error = engine.execution::<v1::Case>("new").unwrap().state().await.unwrap_err();
        assert!(matches!(&error, EngineError::OtherVersion { version: 2, known: 1, .. }), "{error}");
    });
}

#[test]
fn kept_for_the_visit_its_next_state_is_one_of_the_new_version() {
    test(async {
        let world = World::default();
        one_of_each(&world).await;
        let engine = world.builder().workflow(v2::Case).workflow(visit::OldCase).start().await.unwrap();
        let case = engine.execution::<v2::Case>("a").unwrap();
        world.pass(&engine, DAY).await;
        assert_eq!(version(&engine, "a").await, 1);
        case.send(Answer).await.unwrap();
        settle(&engine).await;
        assert_eq!(version(&engine, "a").await, 2);
        assert!(matches!(case.state().await.unwrap(), v2::CaseState::Replied(replied) if replied.text == "(lost)"));
        case.send(Payment).await.unwrap();
        let v2::CaseOutcome::Closed(closed) = case.outcome().await.unwrap();
        assert_eq!((closed.by, closed.why.as_str()), (2, "(lost)"));
        assert_eq!(engine.migrate_all(&Query::default()).await.unwrap().kept, 1);
    });
}

#[test]
fn an_older_version_without_keep_is_refused() {
    test(async {
        let world = World::default();
        let error = world.builder().workflow(world.v1()).workflow(world.v2()).start().await.unwrap_err();
        assert!(matches!(&error, EngineError::VersionNotKept { version: 1, newest: 2, .. }), "{error}");
        let twice = world.builder().workflow(v1::Case).workflow(visit::OldCase).start().await.unwrap_err();
        assert!(matches!(twice, EngineError::DuplicateWorkflow { .. }));
        assert_eq!((v1::Case::KEEP, visit::OldCase::KEEP, v2::Case::KEEP), (Keep::ToTheEnd, Keep::Visit, Keep::No));
    });
}
