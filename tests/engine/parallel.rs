//! Branches that run as tasks of their own: at once on all threads, stopped with their caller, repeated only if they ran.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use workflow_runtime::prelude::*;
use workflow_runtime::store::{Change, Store};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{BranchStatus, Branches, Engine, EngineBuilder, ManualClock, Status, Timestamp};

use super::fixture::{settle, test};
use super::hooked::{Call, Hooked};

#[state]
struct Begun {
    what: String,
    items: u32,
}

#[state(end)]
struct Done {
    sum: u64,
}

#[state(end)]
struct Stopped {
    ran: u32,
}

#[event]
struct Stop;

/// What the steps have done, and what they are to do.
#[derive(Default)]
struct Hub {
    ran: AtomicUsize,
    alive: AtomicUsize,
    most_alive: AtomicUsize,
    /// From so many runs on, steps hang.
    hang_after: AtomicUsize,
    hanging: Notify,
    hung: AtomicUsize,
    released: AtomicBool,
    release: Notify,
    threads: Mutex<Vec<std::thread::ThreadId>>,
    barrier: Mutex<Option<Arc<Barrier>>>,
}

struct Living(Arc<Hub>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hub {
    fn hang_after(runs: usize) -> Arc<Self> {
        Arc::new(Self { hang_after: AtomicUsize::new(runs), ..Self::default() })
    }

    fn live(self: &Arc<Self>) -> Living {
        let alive = self.alive.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_alive.fetch_max(alive, Ordering::SeqCst);
        Living(Arc::clone(self))
    }

    fn ran(&self) -> usize {
        self.ran.load(Ordering::SeqCst)
    }
}

struct Batch {
    hub: Arc<Hub>,
}

#[workflow(start = Begun, allow(small_machine, fragile_step))]
impl Batch {
    #[state]
    async fn run(&self, cx: &Cx, begun: Begun) -> Result<Done> {
        let items = 0..begun.items;
        let sum = match begun.what.as_str() {
            "steps" => self.steps(cx, items).await?.into_iter().map(u64::from).sum(),
            "sleeps" => self.sleeps(cx, items).await?.into_iter().map(u64::from).sum(),
            "threads" => self.threads(cx, items).await?.into_iter().map(u64::from).sum(),
            "failing" => self.failing(cx, items).await?.into_iter().map(u64::from).sum(),
            "panicking" => self.panicking(cx, items).await?.into_iter().map(u64::from).sum(),
            "raced" => {
                let branches = Branches::new()
                    .with("steps", async |cx: Cx| Ok::<_, Error>(self.steps(&cx, 0..begun.items).await?.len() as u64))
                    .with("time", |cx: Cx| async move {
                        cx.sleep(Duration::from_secs(1)).await;
                        Ok(0)
                    });
                cx.race(branches).await?
            }
            "nested" => self.nested(cx, items).await?.into_iter().map(u64::from).sum(),
            "named" => self.named(cx).await?,
            other => return Err(Error::msg(format!("{other}?"))),
        };
        Ok(Done { sum })
    }

    #[on]
    fn stop(&self, _: Begun, _: Stop) -> Stopped {
        Stopped { ran: u32::try_from(self.hub.ran()).unwrap_or(u32::MAX) }
    }

    #[parallel(limit = 16)]
    async fn steps(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        let _living = self.hub.live();
        self.step(cx, item).await
    }

    #[step]
    async fn step(&self, _: &Cx, item: u32) -> Result<u32> {
        let ran = self.hub.ran.fetch_add(1, Ordering::SeqCst);
        let hang_after = self.hub.hang_after.load(Ordering::SeqCst);
        if hang_after > 0 && ran >= hang_after {
            self.hub.hung.fetch_add(1, Ordering::SeqCst);
            let released = self.hub.release.notified();
            self.hub.hanging.notify_one();
            if !self.hub.released.load(Ordering::SeqCst) {
                released.await;
            }
        }
        Ok(item)
    }

    /// Each branch has branches of its own, which run on their own too.
    #[parallel]
    async fn nested(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        let inner = self.sleeps(cx, item * 10..item * 10 + 10).await?;
        Ok(inner.into_iter().sum())
    }

    #[parallel]
    async fn named(&self, cx: &Cx) -> Result<u64> {
        let quick = self.step(cx, 1).await?;
        let slow = self.step(cx, 2).await?;
        let bad = refused(cx).await;
        let busy = retried(cx).await;
        Ok(u64::from(quick + slow) + u64::from(bad.is_ok() || busy.is_ok()))
    }

    #[parallel(limit = 100)]
    async fn sleeps(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        cx.sleep(Duration::from_secs(3_600 + u64::from(item % 3))).await;
        self.step(cx, item).await
    }

    /// Comes to an end only if two of them run at the same moment.
    #[parallel]
    async fn threads(&self, _: &Cx, #[each] item: u32) -> Result<u32> {
        let barrier = self.hub.barrier.lock().unwrap().clone();
        barrier.ok_or_else(|| Error::msg("no barrier"))?.wait();
        self.hub.threads.lock().unwrap().push(std::thread::current().id());
        Ok(item)
    }

    #[parallel]
    async fn failing(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        let _living = self.hub.live();
        if item == 3 {
            self.hub.hanging.notified().await;
            return Err(Error::msg("the third"));
        }
        self.step(cx, item).await
    }

    #[parallel]
    async fn panicking(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        let _living = self.hub.live();
        assert!(item != 3, "the third");
        self.step(cx, item).await
    }
}

#[step]
async fn refused(_: &Cx) -> Result<()> {
    Err(Error::msg("refused"))
}

#[step(retry(max = 2, backoff = "1m..1m", jitter = none))]
async fn retried(_: &Cx) -> Result<()> {
    Err(Error::msg("refused"))
}

fn builder(store: &Arc<dyn Store>, clock: &ManualClock, hub: &Arc<Hub>) -> EngineBuilder {
    Engine::on(Arc::clone(store)).clock(clock.clone()).workflow(Batch { hub: Arc::clone(hub) })
}

fn memory() -> (Arc<dyn Store>, ManualClock) {
    (Arc::new(MemoryStore::new()), ManualClock::new(Timestamp::EPOCH))
}

fn begun(what: &str, items: u32) -> Begun {
    Begun { what: what.to_owned(), items }
}

/// Runs a test on two threads.
fn on_threads(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

async fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn ten_thousand_items_take_the_memory_of_a_few_and_a_crash_repeats_what_ran() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(5_000);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("steps", 10_000)).await.unwrap();
        wait_until(|| hub.hung.load(Ordering::SeqCst) == 16).await;
        drop(batch);
        drop(engine);
        hub.hang_after.store(0, Ordering::SeqCst);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.execution::<Batch>("a").unwrap();
        let BatchOutcome::Done(done) = batch.outcome().await.unwrap() else { panic!("it was stopped") };
        assert_eq!(done.sum, (0..10_000).sum::<u64>());
        assert_eq!(hub.ran(), 10_000 + 16, "those that ran at the crash ran twice");
        assert!(hub.most_alive.load(Ordering::SeqCst) <= 32, "16 of each engine");
    });
}

#[test]
fn branches_run_on_several_threads_at_the_same_moment() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Arc::new(Hub::default());
        *hub.barrier.lock().unwrap() = Some(Arc::new(Barrier::new(2)));
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("threads", 2)).await.unwrap();
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 1 })));
        let threads = hub.threads.lock().unwrap().clone();
        assert!(threads.len() == 2 && threads[0] != threads[1]);
    });
}

#[test]
fn an_execution_whose_branches_all_wait_for_time_has_no_task() {
    test(async {
        let (store, clock) = memory();
        let hub = Arc::new(Hub::default());
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("sleeps", 50)).await.unwrap();
        settle(&engine).await;
        assert_eq!(engine.active(), 0);
        clock.advance(Duration::from_secs(3_602));
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 1_225 })));
        assert_eq!(hub.ran(), 50);
    });
}

#[test]
fn an_execution_whose_branches_wait_for_time_on_several_threads_has_no_task_either() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Arc::new(Hub::default());
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("sleeps", 300)).await.unwrap();
        wait_until(|| engine.active() == 1 || clock.next_due().is_some()).await;
        wait_until(|| engine.active() == 0).await;
        while hub.ran() < 300 {
            clock.advance(Duration::from_secs(3_602));
            wait_until(|| engine.active() == 0 || hub.ran() == 300).await;
        }
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 44_850 })));
        assert_eq!(hub.ran(), 300);
    });
}

#[test]
fn branches_of_branches_come_to_an_end_on_several_threads() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Arc::new(Hub::default());
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("nested", 20)).await.unwrap();
        while hub.ran() < 200 {
            // It rests: its tasks are gone, or the clock is all that they wait for.
            wait_until(|| engine.active() == 0 || clock.next_due().is_some() || hub.ran() == 200).await;
            clock.advance(Duration::from_secs(3_602));
        }
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 19_900 })));
        assert_eq!(hub.ran(), 200);
    });
}

#[test]
fn a_failure_stops_the_branches_that_run_on_their_own() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(1);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("failing", 10)).await.unwrap();
        let error = batch.outcome().await.unwrap_err();
        assert!(error.to_string().contains("the third"), "{error}");
        assert_eq!(hub.alive.load(Ordering::SeqCst), 0, "none is left when the call has ended");
    });
}

#[test]
fn a_panic_in_a_branch_of_its_own_parks_the_execution() {
    on_threads(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(1);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("panicking", 10)).await.unwrap();
        let error = batch.outcome().await.unwrap_err();
        assert!(error.to_string().contains("the branch `3` of `panicking` panicked: the third"), "{error}");
        assert_eq!(hub.alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn branches_stop_when_the_future_of_their_call_is_dropped() {
    test(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(1);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("raced", 10)).await.unwrap();
        settle(&engine).await;
        assert_eq!(hub.alive.load(Ordering::SeqCst), 9, "one has ended");
        clock.advance(Duration::from_secs(1));
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 0 })));
        settle(&engine).await;
        assert_eq!(hub.alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn an_event_lets_running_steps_finish_and_no_other_begin() {
    test(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(4);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("steps", 100)).await.unwrap();
        settle(&engine).await;
        assert_eq!((hub.ran(), hub.hung.load(Ordering::SeqCst)), (20, 16));
        batch.send(Stop).await.unwrap();
        settle(&engine).await;
        assert_eq!(batch.record().await.unwrap().status(), Status::Running, "the running steps are waited for");
        hub.released.store(true, Ordering::SeqCst);
        hub.release.notify_waiters();
        let BatchOutcome::Stopped(stopped) = batch.outcome().await.unwrap() else { panic!("it went on") };
        assert_eq!((stopped.ran, hub.ran()), (20, 20));
        settle(&engine).await;
        assert_eq!(hub.alive.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_shutdown_keeps_the_results_of_running_steps() {
    test(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(4);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        engine.start::<Batch>("a", begun("steps", 100)).await.unwrap();
        settle(&engine).await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.shutdown().await }
        });
        settle(&engine).await;
        hub.released.store(true, Ordering::SeqCst);
        hub.release.notify_waiters();
        stopping.await.unwrap().unwrap();
        assert_eq!((hub.ran(), hub.alive.load(Ordering::SeqCst)), (20, 0));
        drop(engine);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.execution::<Batch>("a").unwrap();
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 4_950 })));
        assert_eq!(hub.ran(), 100, "none ran twice");
    });
}

#[test]
fn progress_is_told_without_running_anything() {
    test(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(20);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("steps", 100)).await.unwrap();
        settle(&engine).await;
        let [steps] = batch.progress().await.unwrap().try_into().unwrap();
        assert_eq!((steps.name.as_str(), steps.of, steps.done, steps.failed), ("steps", Some(100), 20, 0));
        assert_eq!(steps.open(), Some(80));
        hub.released.store(true, Ordering::SeqCst);
        hub.release.notify_waiters();
        batch.outcome().await.unwrap();
        assert!(batch.progress().await.unwrap().is_empty(), "the state was left");
    });
}

#[test]
fn progress_names_branches_and_their_failures() {
    test(async {
        let (store, clock) = memory();
        let hub = Hub::hang_after(1);
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("named", 0)).await.unwrap();
        settle(&engine).await;
        let [named] = batch.progress().await.unwrap().try_into().unwrap();
        assert_eq!((named.of, named.done, named.failed, named.retrying), (Some(4), 1, 1, 1));
        let branches: Vec<_> = named.branches.iter().map(|branch| (branch.name.as_str(), &branch.status)).collect();
        let [("quick", BranchStatus::Done), ("slow", BranchStatus::Open), ("bad", bad), ("busy", busy)] = branches[..]
        else {
            panic!("{branches:?}")
        };
        assert!(matches!(bad, BranchStatus::Failed { error } if error.message == "refused"));
        assert!(matches!(busy, BranchStatus::Retrying { error, .. } if error.message == "refused"));
    });
}

#[test]
fn n_steps_in_branches_cost_at_most_n_commits() {
    test(async {
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        let store: Arc<dyn Store> = Hooked::new(MemoryStore::new(), move |call| {
            if let Call::Commit(commits) = call {
                let advances = commits.iter().filter(|commit| matches!(commit.change, Change::Advance { .. }));
                counted.fetch_add(advances.count(), Ordering::SeqCst);
            }
            Ok(())
        });
        let clock = ManualClock::new(Timestamp::EPOCH);
        let hub = Arc::new(Hub::default());
        let engine = builder(&store, &clock, &hub).start().await.unwrap();
        let batch = engine.start::<Batch>("a", begun("steps", 100)).await.unwrap();
        assert!(matches!(batch.outcome().await.unwrap(), BatchOutcome::Done(Done { sum: 4_950 })));
        let commits = commits.load(Ordering::SeqCst);
        assert!(commits <= 100, "{commits} commits");
    });
}
