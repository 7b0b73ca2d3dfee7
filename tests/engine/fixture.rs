//! One workflow whose steps do what a test tells them, and the means to watch it.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};
use workflow_runtime::prelude::*;
use workflow_runtime::store::Store;
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{Clock as _, Engine, EngineBuilder, Execution, ManualClock, Timestamp};

#[state]
pub struct Draft {
    pub number: u32,
}

#[state]
#[derive(Debug, PartialEq)]
pub struct Working {
    pub number: u32,
    pub notes: u32,
}

/// Three decisions without effects in a row.
#[state]
pub struct Hop {
    pub left: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Done {
    pub sum: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Cancelled {
    pub why: String,
}

#[event]
pub struct Go;

#[event]
pub struct Cancel {
    pub why: String,
}

#[event]
pub struct Note;

#[event]
pub struct Jump {
    pub hops: u32,
}

/// An error that keeps its type through a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("refused with code {code}")]
pub struct Refusal {
    pub code: u32,
}

pub struct Job {
    pub script: Arc<Script>,
}

#[workflow(start = Draft)]
impl Job {
    #[on]
    fn go(&self, draft: Draft, _: Go) -> Working {
        Working { number: draft.number, notes: 0 }
    }

    #[on]
    fn jump(&self, _: Draft, jump: Jump) -> Hop {
        Hop { left: jump.hops }
    }

    #[after("1h")]
    fn expired(&self, _: Draft) -> Cancelled {
        Cancelled { why: "expired".to_owned() }
    }

    #[state]
    fn hop(&self, hop: Hop) -> Next<(Hop, Done)> {
        match hop.left.checked_sub(1) {
            Some(left) => goto(Hop { left }),
            None => goto(Done { sum: 0 }),
        }
    }

    #[state]
    async fn work(&self, cx: &Cx, working: Working) -> Result<Done> {
        let first = self.first(cx, working.number).await?;
        let second = self.second(cx, first).await?;
        Ok(Done { sum: first + second })
    }

    #[on]
    async fn cancelled(&self, cx: &Cx, _: Working, cancel: Cancel) -> Result<Cancelled> {
        self.clean_up(cx).await?;
        Ok(Cancelled { why: cancel.why })
    }

    #[on]
    fn noted(&self, working: Working, _: Note) -> Stay<Working> {
        Stay(Working { notes: working.notes + 1, ..working })
    }

    #[after("10m")]
    fn too_slow(&self, _: Working) -> Cancelled {
        Cancelled { why: "too slow".to_owned() }
    }

    #[catch]
    fn refused(&self, _: Working, error: Refusal) -> Cancelled {
        Cancelled { why: error.to_string() }
    }

    #[step]
    async fn first(&self, cx: &Cx, number: u32) -> Result<u32> {
        self.script.act("first", cx, number).await
    }

    #[step(retry(max = 3, backoff = "1s..1s"), timeout = "30s")]
    async fn second(&self, cx: &Cx, number: u32) -> Result<u32> {
        self.script.act("second", cx, number).await
    }

    #[step]
    async fn clean_up(&self, cx: &Cx) -> Result<()> {
        self.script.act("clean_up", cx, 0).await.map(|_| ())
    }
}

/// What a call of a step does.
pub enum Act {
    /// It fails.
    Fail(&'static str),
    /// It fails with an error that has a type.
    Refuse(Refusal),
    /// It panics.
    Panic,
    /// It waits for the test.
    Hold(oneshot::Receiver<()>),
    /// It never ends.
    Hang,
}

/// What steps are to do, and what they have done. A call that has no act returns its number plus one.
#[derive(Default)]
pub struct Script {
    acts: Mutex<VecDeque<(&'static str, Act)>>,
    calls: Mutex<Vec<String>>,
    called: Notify,
}

impl Script {
    pub fn will(&self, step: &'static str, act: Act) {
        self.acts.lock().unwrap().push_back((step, act));
    }

    /// Has the next call of `step` wait until the answer is sent or dropped.
    pub fn will_hold(&self, step: &'static str) -> oneshot::Sender<()> {
        let (release, held) = oneshot::channel();
        self.will(step, Act::Hold(held));
        release
    }

    /// Every call so far: step, attempt and idempotency key.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// How often `step` was called.
    pub fn count(&self, step: &str) -> usize {
        self.calls().iter().filter(|call| call.starts_with(&format!("{step} "))).count()
    }

    pub async fn called(&self) {
        self.called.notified().await;
    }

    pub async fn act(&self, step: &'static str, cx: &Cx, number: u32) -> Result<u32> {
        self.calls.lock().unwrap().push(format!("{step} {} {}", cx.attempt(), cx.idempotency_key()));
        self.called.notify_one();
        let act = {
            let mut acts = self.acts.lock().unwrap();
            let next = acts.iter().position(|(of, _)| *of == step);
            next.and_then(|index| acts.remove(index)).map(|(_, act)| act)
        };
        match act {
            None => Ok(number + 1),
            Some(Act::Fail(text)) => Err(Error::msg(text)),
            Some(Act::Refuse(refusal)) => Err(refusal.into()),
            Some(Act::Panic) => panic!("boom"),
            Some(Act::Hold(held)) => {
                held.await.ok();
                Ok(number + 1)
            }
            Some(Act::Hang) => std::future::pending().await,
        }
    }
}

/// A store, a clock and a script that outlive the engines that run on them.
pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: ManualClock,
    pub script: Arc<Script>,
}

impl Default for World {
    fn default() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }
}

impl World {
    pub fn on(store: Arc<dyn Store>) -> Self {
        Self { store, clock: ManualClock::new(Timestamp::EPOCH), script: Arc::default() }
    }

    pub fn builder(&self) -> EngineBuilder {
        let job = Job { script: Arc::clone(&self.script) };
        Engine::on(Arc::clone(&self.store)).clock(self.clock.clone()).workflow(job)
    }

    pub async fn engine(&self) -> Engine {
        self.builder().start().await.unwrap()
    }

    /// A job that has been told to go, and is on its way into `work`.
    pub async fn working(&self, engine: &Engine, id: &str) -> Execution<Job> {
        let job = engine.start::<Job>(id, Draft { number: 1 }).await.unwrap();
        job.send(Go).await.unwrap();
        job
    }

    /// Lets time pass in small steps, so that everything happens at its time.
    pub async fn pass(&self, engine: &Engine, duration: Duration) {
        let end = self.clock.now() + duration;
        loop {
            settle(engine).await;
            match self.clock.next_due() {
                Some(due) if due <= end => self.clock.advance_to(due),
                _ => break,
            }
        }
        self.clock.advance_to(end);
        settle(engine).await;
    }
}

/// Lets every task run until none can go on by itself.
pub async fn settle(engine: &Engine) {
    // Nothing in these tests waits for anything but the clock, a held step, or another task of this thread.
    for _ in 0..100 + 20 * engine.active() {
        tokio::task::yield_now().await;
    }
}

/// Runs a test on one thread, where `settle` sees every task.
pub fn test(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}
