//! Timers that the code of a deploy has under other names, or has got.

use std::path::Path;

use workflow_runtime::{
    CheckGroup, Clock as _, Engine, EngineBuilder, ManualClock, SystemClock, Timestamp, Unknown, block_on,
};

macro_rules! invoice {
    ($module:ident: $($timer:ident)?) => {
        mod $module {
            use workflow_runtime::prelude::*;

            #[state]
            pub struct Pending;
            #[state(end)]
            pub struct Over;
            #[event]
            pub struct Payment;

            pub struct Invoice;

            #[workflow(start = Pending, allow(endless_wait))]
            impl Invoice {
                #[on]
                fn paid(&self, _: Pending, _: Payment) -> Over {
                    Over
                }

                $(
                    #[after("1h")]
                    fn $timer(&self, _: Pending) -> Over {
                        Over
                    }
                )?
            }
        }
    };
}

invoice!(late: late);
invoice!(overdue: overdue);
invoice!(untimed:);

/// A store with one invoice of this code, that nobody uses any more.
async fn stored(folder: &Path, start: impl AsyncFnOnce(EngineBuilder) -> Engine) -> EngineBuilder {
    let path = folder.join("invoices.db");
    start(Engine::sqlite(&path)).await.shutdown().await.unwrap();
    Engine::sqlite(&path)
}

async fn of_late(builder: EngineBuilder) -> Engine {
    let engine = builder.workflow(late::Invoice).start().await.unwrap();
    engine.start::<late::Invoice>("a", late::Pending).await.unwrap();
    engine
}

async fn of_untimed(builder: EngineBuilder) -> Engine {
    let engine = builder.workflow(untimed::Invoice).start().await.unwrap();
    engine.start::<untimed::Invoice>("a", untimed::Pending).await.unwrap();
    engine
}

/// The one thing that may be as it should.
async fn noted(builder: &EngineBuilder) -> (Unknown, String) {
    let report = builder.check().await.unwrap();
    assert!(report.is_fit(), "{report}");
    let text = report.to_string();
    assert!(text.contains("and these may be as they should:\n"), "{text}");
    let [CheckGroup { reason, count: 1, .. }] = report.unknown.as_slice() else { panic!("{text}") };
    (reason.clone(), text)
}

#[test]
fn a_timer_that_was_renamed_says_when_the_new_one_is_set_and_how_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let builder = stored(folder.path(), of_late).await.workflow(overdue::Invoice);
        let (reason, text) = noted(&builder).await;
        assert_eq!(reason, Unknown::Timer { handler: "late".into(), instead: vec!["overdue".into()] });
        for part in ["set for `late`, which the state does not have, and none for `overdue`", "call it `late` again"] {
            assert!(text.contains(part), "{text}");
        }
        // It is as the text says.
        let clock = ManualClock::new(Timestamp::from_millis(SystemClock.now().as_millis() + 4_000_000));
        let engine = builder.clock(clock).start().await.unwrap();
        let invoice = engine.execution::<overdue::Invoice>("a").unwrap();
        assert!(matches!(invoice.outcome().await.unwrap(), overdue::InvoiceOutcome::Over(_)));
        engine.shutdown().await.unwrap();
    });
}

#[test]
fn a_timer_that_is_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let (reason, text) = noted(&stored(folder.path(), of_late).await.workflow(untimed::Invoice)).await;
        assert_eq!(reason, Unknown::Timer { handler: "late".into(), instead: Vec::new() });
        assert!(text.contains("when it is due, nothing is run"), "{text}");
    });
}

#[test]
fn a_timer_that_is_new_is_told_where_nothing_sets_it() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let builder = stored(folder.path(), of_untimed).await.workflow(late::Invoice);
        let (reason, text) = noted(&builder).await;
        assert_eq!(reason, Unknown::NewTimer { handler: "late".into() });
        assert!(text.contains("no timer is set for `late`, which the state has by now: that is done when"), "{text}");
        // With the timers that it has, nothing is to be told.
        let other = tempfile::tempdir().unwrap();
        let report = stored(other.path(), of_late).await.workflow(late::Invoice).check().await.unwrap();
        assert!(report.is_fit() && report.unknown.is_empty(), "{report}");
    });
}
