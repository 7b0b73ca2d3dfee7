//! A feature flag is decided once in a visit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::record::HistoryKind;
use workflow_runtime::{
    Engine, Execution, ExecutionId, ExecutionKey, Flags, ManualClock, MemoryStore, Stepper, block_on,
};

#[state]
pub struct Begun;
#[state]
#[derive(Debug, PartialEq)]
pub struct Counting {
    seen: Vec<bool>,
}
#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Over {
    seen: Vec<bool>,
}
#[event]
pub struct Look;
#[event]
pub struct Finish;

/// Looks at a flag wherever it can.
pub struct Toggle {
    held: Arc<tokio::sync::Semaphore>,
    begun: Arc<tokio::sync::Semaphore>,
}

#[workflow(start = Begun)]
impl Toggle {
    #[state]
    async fn begin(&self, cx: &Cx, _: Begun) -> Result<Counting> {
        let mut seen = vec![cx.flag("new")];
        seen.push(self.look(cx).await?);
        seen.extend(self.both(cx).await?);
        self.hold(cx).await?;
        seen.push(cx.flag("new"));
        Ok(Counting { seen })
    }

    #[on(allow(endless_wait))]
    async fn looked(&self, cx: &Cx, counting: Counting, _: Look) -> Result<Stay<Counting>> {
        let seen = counting.seen.into_iter().chain([cx.flag("new")]).collect();
        Ok(Stay(Counting { seen }))
    }

    #[on]
    fn finished(&self, counting: Counting, _: Finish) -> Over {
        Over { seen: counting.seen }
    }

    #[parallel]
    async fn both(&self, cx: &Cx) -> Result<[bool; 2]> {
        let left = self.look(cx).await?;
        let right = self.look_too(cx).await?;
        Ok([left, right])
    }

    #[step(allow(fragile_step))]
    async fn look(&self, cx: &Cx) -> Result<bool> {
        Ok(cx.flag("new"))
    }

    #[step(allow(fragile_step))]
    async fn look_too(&self, cx: &Cx) -> Result<bool> {
        tokio::task::yield_now().await;
        Ok(cx.flag("new"))
    }

    #[step(allow(fragile_step))]
    async fn hold(&self, _: &Cx) -> Result<()> {
        self.begun.add_permits(1);
        self.held.acquire().await?.forget();
        Ok(())
    }
}

fn toggle() -> (Toggle, Arc<tokio::sync::Semaphore>, Arc<tokio::sync::Semaphore>) {
    let (held, begun) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    (Toggle { held: Arc::clone(&held), begun: Arc::clone(&begun) }, held, begun)
}

/// What the history says of flags: the visit, the flag, what it is and why.
async fn told<W: workflow_runtime::Workflow>(execution: &Execution<W>) -> Vec<(u64, String, bool, Option<String>)> {
    let rows = execution.history(0, 100).await.unwrap().into_iter();
    let flags = rows.filter_map(|row| match row.record.kind {
        HistoryKind::Flag { flag, on, because } => Some((row.record.visit, flag.to_string(), on, because)),
        _ => None,
    });
    flags.collect()
}

#[test]
fn it_holds_for_the_visit_also_after_a_crash_with_other_flags_and_the_next_visit_asks_anew() {
    block_on(async {
        let store = Arc::new(MemoryStore::new());
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        // Each time that it is asked, it says something else.
        let flips = move |flag: &str, of: &ExecutionKey| {
            assert_eq!((flag, of.to_string().as_str()), ("new", "Toggle/a"));
            counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
        };
        let (workflow, _, begun) = toggle();
        let engine = Engine::on(store.clone()).workflow(workflow).flags(flips).start().await?;
        engine.start::<Toggle>("a", Begun).await?;
        begun.acquire().await?.forget();
        drop(engine);

        let (workflow, held, _) = toggle();
        let engine = Engine::on(store).workflow(workflow).flags(|_: &str, _: &ExecutionKey| false).start().await?;
        let toggle = engine.execution::<Toggle>("a")?;
        held.add_permits(1);
        for _ in 0..2 {
            toggle.send(Look).await?;
        }
        toggle.send(Finish).await?;
        let ToggleOutcome::Over(over) = toggle.outcome().await?;
        assert_eq!(over.seen, [true, true, true, true, true, false, false]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let expected = [(1, true), (2, false)].map(|(visit, on)| (visit, "new".to_owned(), on, None));
        assert_eq!(told(&toggle).await, expected);
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn an_edge_that_keeps_the_visit_keeps_its_flags() {
    block_on(async {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let flips = move |_: &str, _: &ExecutionKey| counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        let counting = Counting { seen: Vec::new() };
        let mut toggle = Stepper::enter(toggle().0, &counting.into())?.flags(flips);
        for _ in 0..3 {
            toggle.send(Look).await?;
        }
        let ToggleState::Counting(counting) = toggle.state()? else { panic!("it has moved") };
        assert_eq!(counting.seen, [true; 3]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        Result::<()>::Ok(())
    })
    .unwrap();
}

/// Flags that people have written down.
struct Table(Mutex<BTreeMap<&'static str, bool>>);

impl Flags for Table {
    fn is_on(&self, flag: &str, _: &ExecutionKey) -> Option<bool> {
        assert_ne!(flag, "bad", "the service is gone");
        self.0.lock().unwrap().get(flag).copied()
    }
}

#[test]
fn what_nobody_says_is_off_and_recorded_with_the_reason() {
    #[state]
    pub struct Asking;
    #[state(end)]
    pub struct Asked {
        answers: Vec<bool>,
    }
    struct Survey;
    #[workflow(start = Asking, allow(small_machine))]
    impl Survey {
        #[state]
        async fn ask(&self, cx: &Cx, _: Asking) -> Result<Asked> {
            Ok(Asked { answers: ["on", "off", "unknown", "bad", "a:b c", ""].map(|name| cx.flag(name)).to_vec() })
        }
    }
    block_on(async {
        let table = Table(Mutex::new(BTreeMap::from([("on", true), ("off", false), ("a:b c", true), ("", true)])));
        let engine = Engine::in_memory().workflow(Survey).flags(table).start().await?;
        let survey = engine.start::<Survey>("a", Asking).await?;
        let SurveyOutcome::Asked(asked) = survey.outcome().await?;
        assert_eq!(asked.answers, [true, false, false, false, true, true]);
        let told = told(&survey).await;
        let told: Vec<_> = told.iter().map(|(_, flag, on, why)| (flag.as_str(), *on, why.as_deref())).collect();
        assert_eq!(
            told[..3],
            [("on", true, None), ("off", false, None), ("unknown", false, Some("there is no such flag"))]
        );
        let (flag, on, why) = told[3];
        assert!(flag == "bad" && !on && why.unwrap().contains("the service is gone"), "{why:?}");
        assert_eq!(told[4..], [("a:b c", true, None), ("", true, None)]);

        let engine = Engine::in_memory().workflow(Survey).start().await?;
        let survey = engine.start::<Survey>("a", Asking).await?;
        let SurveyOutcome::Asked(asked) = survey.outcome().await?;
        assert_eq!(asked.answers, [false; 6]);
        assert!(self::told(&survey).await[0].3.as_deref().unwrap().contains("`.flags(…)`"));
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_detached_context_has_flags_too() {
    let cx = Cx::detached("Toggle", ExecutionId::new("a").unwrap(), ManualClock::default());
    let asked = AtomicUsize::new(0);
    let cx = cx.with_flags(move |_: &str, _: &ExecutionKey| asked.fetch_add(1, Ordering::SeqCst) == 0);
    assert_eq!([cx.flag("new"), cx.flag("new"), cx.flag("other")], [true, true, false]);
}
