//! What executions have done to others: events that they send, executions that they start.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Change, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Engine, EngineBuilder};

use super::fixture::{World, settle, test};
use super::hooked::{Call, Hooked};

#[state]
pub struct Waiting;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Told {
    what: String,
}

#[event]
pub struct Tell {
    what: String,
}

/// It is told something.
pub struct Listener;

#[workflow(start = Waiting, allow(endless_wait, small_machine))]
impl Listener {
    #[state]
    async fn listen(&self, cx: &Cx, _: Waiting) -> Result<Told> {
        Ok(Told { what: cx.recv::<Tell>().await.what })
    }
}

#[state]
pub struct Talking {
    to: String,
    start: bool,
    text: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Silent {
    said: String,
}

/// It starts a listener, and tells it something.
pub struct Talker;

#[workflow(start = Talking, allow(small_machine))]
impl Talker {
    #[state]
    async fn talk(&self, cx: &Cx, talk: Talking) -> Result<Silent> {
        if talk.start
            && let Err(error) = cx.spawn::<Listener>(&talk.to, Waiting).await
        {
            return Ok(Silent { said: error.to_string() });
        }
        let what = if talk.text == "long" { talk.text.repeat(100) } else { talk.text };
        let sent = cx.send::<Listener, _>(&talk.to, Tell { what }).await;
        Ok(Silent { said: sent.map_or_else(|error| error.to_string(), |()| "told".to_owned()) })
    }
}

fn builder(world: &World) -> EngineBuilder {
    world.builder().workflow(Talker).workflow(Listener)
}

fn talking(to: &str, start: bool, text: &str) -> Talking {
    Talking { to: to.to_owned(), start, text: text.to_owned() }
}

async fn said(engine: &Engine, id: &str, talk: Talking) -> String {
    let TalkerOutcome::Silent(silent) = engine.start::<Talker>(id, talk).await.unwrap().outcome().await.unwrap();
    silent.said
}

#[test]
fn an_execution_starts_another_one_and_sends_it_an_event() {
    test(async {
        let world = World::default();
        let engine = builder(&world).start().await.unwrap();
        assert_eq!(said(&engine, "a", talking("b", true, "hello")).await, "told");
        let listener = engine.execution::<Listener>("b").unwrap();
        let ListenerOutcome::Told(told) = listener.outcome().await.unwrap();
        assert_eq!(told.what, "hello");
        let parent = listener.record().await.unwrap().parent.unwrap();
        assert_eq!((parent.workflow.as_str(), parent.id.as_str(), parent.reports), ("Talker", "a", false));
    });
}

#[test]
fn what_cannot_be_done_is_an_error_that_says_why() {
    test(async {
        let world = World::default();
        let engine = builder(&world).payload_limit(200).start().await.unwrap();
        assert_eq!(said(&engine, "a", talking("b", false, "")).await, "there is no execution Listener/b");
        engine.start::<Listener>("c", Waiting).await.unwrap();
        let taken = said(&engine, "b", talking("c", true, "")).await;
        assert!(taken.contains("Listener/c is taken by an execution that this call did not start"), "{taken}");
        let invalid = said(&engine, "c", talking("", true, "")).await;
        assert!(invalid.contains("an id must not be empty"), "{invalid}");
        said(&engine, "d", talking("d", true, "")).await;
        engine.execution::<Listener>("d").unwrap().outcome().await.unwrap();
        assert_eq!(said(&engine, "e", talking("d", false, "")).await, "the execution Listener/d has ended");
        engine.start::<Listener>("f", Waiting).await.unwrap();
        let long = said(&engine, "f", talking("f", false, "long")).await;
        assert!(long.contains("the data of `tell` is 411 bytes long, over the limit of 200"), "{long}");
        drop(engine);

        let world = World::default();
        let engine = world.builder().workflow(Talker).start().await.unwrap();
        for start in [true, false] {
            let unknown = said(&engine, &format!("{start}"), talking("b", start, "")).await;
            assert!(unknown.contains("does not know the workflow `Listener`"), "{unknown}");
        }
    });
}

#[test]
fn a_crash_at_any_commit_starts_and_sends_once() {
    test(async {
        for crash in 0..12 {
            let commits = Arc::new(AtomicUsize::new(0));
            let store = MemoryStore::new();
            let counted = Arc::clone(&commits);
            let failing = Hooked::new(store.clone(), move |call| match call {
                // The acknowledgement is lost; what was written is written.
                Call::Committed if counted.fetch_add(1, Ordering::Relaxed) == crash => Err(StoreError::TakenOver),
                _ => Ok(()),
            });
            let world = World::on(failing);
            let engine = builder(&world).start().await.unwrap();
            let started = engine.start::<Talker>("a", talking("b", true, "hello")).await;
            settle(&engine).await;
            drop((engine, started));

            let delivered = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&delivered);
            let world = World::on(Hooked::new(store, move |call| {
                if let Call::Commit(commits) = call {
                    let is_deliver = |change: &Change| matches!(change, Change::Deliver { .. });
                    counted.fetch_add(
                        commits.iter().filter(|commit| is_deliver(&commit.change)).count(),
                        Ordering::Relaxed,
                    );
                }
                Ok(())
            }));
            let engine = builder(&world).start().await.unwrap();
            assert_eq!(said(&engine, "a", talking("b", true, "hello")).await, "told", "crash {crash}");
            let ListenerOutcome::Told(told) = engine.execution::<Listener>("b").unwrap().outcome().await.unwrap();
            assert_eq!(told.what, "hello", "crash {crash}");
            assert!(delivered.load(Ordering::Relaxed) <= 1, "crash {crash}");
        }
    });
}
