//! A turn is polled by hand here: what it hands back, and when, is all there is to see.

#[path = "turn_fair_tests.rs"]
mod fair;

use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;

use super::*;
use crate::base::{Clock as _, ExecutionId, ManualClock};
use crate::machine::digest::Digest;
use crate::machine::step::{StepCall, StepPolicy, StepTimedOut};
use crate::record::{JournalResult, Json};

const PLAIN: StepPolicy = StepPolicy::new("plain");
const RETRIED: StepPolicy = StepPolicy::new("retried")
    .retry(3, Duration::from_millis(100), Duration::from_secs(1))
    .timeout(Duration::from_secs(5));
const CANCELLED: StepPolicy = StepPolicy::new("cancelled").cancel();

fn scope(clock: &ManualClock) -> TurnScope {
    TurnScope {
        key: ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("1").unwrap() },
        visit: 1,
        handler: "handler".into(),
        edge_number: 0,
        services: Services::new(clock.clone()).payload_limit(1_000),
    }
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::EPOCH)
}

fn turn<F>(clock: &ManualClock, journal: Vec<JournalEntry>, handler: impl FnOnce(Cx) -> F) -> Turn
where
    F: Future<Output = Result<Decided, Error>> + Send + 'static,
{
    Turn::of(scope(clock), journal, |cx| {
        let handler = handler(cx);
        async move { handler.await.map_err(Failure::failed) }
    })
}

/// Polls once; `None` while it waits for something that it cannot tell about.
fn poll(turn: &mut Turn) -> Option<Progress> {
    turn.next().now_or_never()
}

async fn plain(cx: &Cx, value: u32) -> Result<u32, Error> {
    call(cx, &PLAIN, value).once(move |_| async move { Ok(value) }).await
}

fn call(cx: &Cx, policy: &'static StepPolicy, value: u32) -> StepCall {
    let mut digest = Digest::new();
    crate::machine::digest::ArgProbe(&value).add_to(&mut digest);
    StepCall::new(cx, policy, &digest)
}

fn values(results: &[JournalEntry]) -> Vec<&str> {
    let values = results.iter().map(|entry| match &entry.result {
        JournalResult::Done(json) => json.text(),
        JournalResult::Failed { .. } => "failed",
        JournalResult::Retrying { .. } => "retrying",
        JournalResult::Started => "started",
        JournalResult::Sleeping { .. } => "sleeping",
        JournalResult::Parallel(_) => "parallel",
        JournalResult::Branch(_) => "branch",
        JournalResult::Received { .. } => "received",
        JournalResult::Child { .. } => "started",
        JournalResult::Flag { .. } => "decided",
    });
    values.collect()
}

#[test]
fn a_result_is_saved_before_the_next_step_and_the_last_one_comes_with_the_decision() {
    let mut turn = turn(&clock(), vec![], |cx| async move {
        plain(&cx, 1).await?;
        plain(&cx, 2).await?;
        Ok(Decided::Wait)
    });
    let Some(Progress::Save(first)) = poll(&mut turn) else { panic!("the first result is not handed out") };
    assert_eq!(values(&first), ["1"]);
    assert!(poll(&mut turn).is_none(), "the second step may not run before the first result is saved");
    turn.saved();
    let Some(Progress::Finished(finished)) = poll(&mut turn) else { panic!("the handler does not end") };
    assert_eq!(values(&finished.results), ["2"]);
    assert_eq!(finished.attempts, 2);
    assert_eq!(finished.result.unwrap(), Decided::Wait);
}

#[test]
fn a_result_is_saved_when_the_handler_waits_for_something_foreign() {
    let (answer, waiting) = oneshot::channel::<()>();
    let mut turn = turn(&clock(), vec![], |cx| async move {
        plain(&cx, 1).await?;
        waiting.await.ok();
        Ok(Decided::Wait)
    });
    assert!(matches!(poll(&mut turn), Some(Progress::Save(_))));
    turn.saved();
    assert!(poll(&mut turn).is_none(), "something foreign is waited for: the turn has to stay");
    answer.send(()).unwrap();
    assert!(matches!(poll(&mut turn), Some(Progress::Finished(_))));
}

struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_turn_looks_again_when_the_last_foreign_waker_is_dropped() {
    let (keep, kept) = std::sync::mpsc::channel();
    let mut turn = turn(&clock(), vec![], |cx| async move {
        // A thread that has answered, and has not dropped the waker yet.
        poll_fn(|context| {
            keep.send(context.waker().clone()).unwrap();
            Poll::Ready(())
        })
        .await;
        cx.sleep(Duration::from_secs(1)).await;
        Ok(Decided::Wait)
    });
    let woken = Arc::new(Woken(AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    assert!(matches!(poll(&mut turn), Some(Progress::Save(_))));
    turn.saved();
    let mut next = std::pin::pin!(turn.next());
    assert!(next.as_mut().poll(&mut context).is_pending(), "someone might still wake it");
    assert!(next.as_mut().poll(&mut context).is_pending());
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    drop(kept.recv());
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    let Poll::Ready(Progress::Wait { due: Some(due), .. }) = next.as_mut().poll(&mut context) else {
        panic!("nothing but time can end the wait now")
    };
    assert_eq!(due.as_millis(), 1_000);
}

#[test]
fn a_recorded_step_is_not_run_again() {
    let runs = Arc::new(AtomicU32::new(0));
    let handler = |runs: Arc<AtomicU32>| {
        move |cx: Cx| async move {
            let step =
                call(&cx, &PLAIN, 1).once(|_| async move { Ok::<_, Error>(runs.fetch_add(1, Ordering::Relaxed)) });
            let value = step.await?;
            assert_eq!(value, 0);
            Ok(Decided::Wait)
        }
    };
    let mut first = turn(&clock(), vec![], handler(Arc::clone(&runs)));
    let Some(Progress::Finished(finished)) = poll(&mut first) else { panic!("the handler does not end") };
    let mut second = turn(&clock(), finished.results, handler(Arc::clone(&runs)));
    let Some(Progress::Finished(finished)) = poll(&mut second) else { panic!("the handler does not end") };
    assert!(finished.result.is_ok() && finished.results.is_empty() && finished.unclaimed.is_empty());
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn calls_are_told_apart_by_their_arguments_and_then_by_their_number() {
    let handler = |order: [u32; 3]| {
        move |cx: Cx| async move {
            // All are called before any is polled: the key is taken by the call.
            let calls = order.map(|value| (value, call(&cx, &PLAIN, value)));
            for (value, call) in calls {
                assert_eq!(call.once(move |_| async move { Ok::<_, Error>(value) }).await?, value);
            }
            Ok(Decided::Wait)
        }
    };
    let mut journal = Vec::new();
    let mut first = turn(&clock(), vec![], handler([1, 2, 2]));
    let finished = loop {
        match poll(&mut first) {
            Some(Progress::Save(results)) => journal.extend(results),
            Some(Progress::Finished(finished)) => break finished,
            other => panic!("{other:?}"),
        }
        first.saved();
    };
    journal.extend(finished.results);
    let keys: std::collections::BTreeSet<_> = journal.iter().map(|entry| &entry.key).collect();
    assert_eq!(keys.len(), 3);
    let mut other_order = turn(&clock(), journal, handler([2, 1, 2]));
    let Some(Progress::Finished(finished)) = poll(&mut other_order) else { panic!("every result is recorded") };
    assert_eq!(finished.attempts, 0);
}

#[test]
fn a_failed_attempt_waits_as_data_and_the_next_turn_goes_on_counting() {
    // The jitter of this thread: none of its pauses is under a millisecond, which would be no wait at all.
    fastrand::seed(7);
    let clock = clock();
    let handler = |cx: Cx| async move {
        let step = call(&cx, &RETRIED, 1).retried(|cx| async move {
            match cx.attempt() {
                1 | 2 => Err(Error::msg(format!("attempt {}", cx.attempt()))),
                number => Ok(number),
            }
        });
        assert_eq!(step.await?, 3);
        Ok(Decided::Wait)
    };
    let mut journal = Vec::new();
    for attempt in 1..3 {
        let mut turn = turn(&clock, journal, handler);
        let Some(Progress::Wait { due: Some(due), results, .. }) = poll(&mut turn) else { panic!("it does not wait") };
        assert!(due <= clock.now() + Duration::from_millis(100 * attempt));
        assert_eq!(results[0].attempts, u32::try_from(attempt).unwrap());
        journal = results;
        clock.advance_to(due);
    }
    let mut last = turn(&clock, journal, handler);
    assert!(matches!(poll(&mut last), Some(Progress::Finished(Finished { result: Ok(_), attempts: 1, .. }))));
}

#[test]
fn the_final_error_is_recorded_and_comes_again_without_another_attempt() {
    let handler = |cx: Cx| async move {
        let step = call(&cx, &PLAIN, 1).once(|_| async { Err::<u32, _>(Error::msg("no").context("really")) });
        let error = step.await.unwrap_err();
        assert_eq!(format!("{error:?}"), "really\n\nCaused by:\n    no");
        Err(error)
    };
    let mut first = turn(&clock(), vec![], handler);
    let Some(Progress::Finished(finished)) = poll(&mut first) else { panic!("the handler does not end") };
    let mut second = turn(&clock(), finished.results, handler);
    assert!(matches!(poll(&mut second), Some(Progress::Finished(Finished { result: Err(_), attempts: 0, .. }))));
}

#[test]
fn a_timeout_cuts_an_attempt_off_is_retried_and_comes_out_typed() {
    fastrand::seed(7);
    let clock = clock();
    let handler = |cx: Cx| async move {
        let step = call(&cx, &RETRIED, 1).retried(|_| std::future::pending::<Result<u32, Error>>());
        Err(step.await.unwrap_err())
    };
    let mut journal = Vec::new();
    for _ in 1..3 {
        let mut turn = turn(&clock, journal, handler);
        assert!(poll(&mut turn).is_none(), "an attempt that runs is not left");
        clock.advance(Duration::from_secs(5));
        let Some(Progress::Wait { due: Some(due), results, .. }) = poll(&mut turn) else { panic!("it is not cut off") };
        journal = results;
        clock.advance_to(due);
    }
    let mut last = turn(&clock, journal, handler);
    assert!(poll(&mut last).is_none());
    clock.advance(Duration::from_secs(5));
    let Some(Progress::Finished(finished)) = poll(&mut last) else { panic!("the last attempt does not end it") };
    let error = finished.result.unwrap_err().error;
    assert_eq!(error.downcast_ref(), Some(&StepTimedOut { step: "retried".to_owned(), timeout_millis: 5_000 }));
    // It is as typed when it comes from the journal.
    let mut again = turn(&clock, finished.results, handler);
    let Some(Progress::Finished(finished)) = poll(&mut again) else { panic!("the error is not recorded") };
    assert!(finished.result.unwrap_err().error.is::<StepTimedOut>());
}

#[test]
fn a_panic_is_a_failure_of_the_step_or_of_the_handler() {
    let mut in_step = turn(&clock(), vec![], |cx| async move {
        let step = call(&cx, &PLAIN, 1).once(|_| async { panic!("boom") as Result<u32, Error> });
        step.await.map(|_| Decided::Wait)
    });
    let Some(Progress::Finished(finished)) = poll(&mut in_step) else { panic!("the step's panic is lost") };
    assert_eq!(finished.result.unwrap_err().error.to_string(), "the step `plain` panicked: boom");

    let mut in_handler = turn(&clock(), vec![], |_| async { panic!("bang {}", 1) });
    let Some(Progress::Finished(finished)) = poll(&mut in_handler) else { panic!("the handler's panic is lost") };
    let failure = finished.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Panicked);
    assert_eq!(failure.error.to_string(), "the handler `handler` panicked: bang 1");
}

#[test]
fn a_sleep_is_handed_back_and_over_when_its_time_has_come() {
    let clock = clock();
    let handler = |cx: Cx| async move {
        cx.sleep(Duration::from_secs(60)).await;
        Ok(Decided::Wait)
    };
    let mut first = turn(&clock, vec![], handler);
    let Some(Progress::Wait { due, results, .. }) = poll(&mut first) else { panic!("it does not wait") };
    assert_eq!(due, Some(Timestamp::from_millis(60_000)));
    clock.advance(Duration::from_secs(59));
    let mut early = turn(&clock, results.clone(), handler);
    let Some(Progress::Wait { due: again, .. }) = poll(&mut early) else { panic!("it ends early") };
    assert_eq!(again, due, "a crash does not start the sleep anew");
    clock.advance(Duration::from_secs(1));
    let mut late = turn(&clock, results, handler);
    assert!(matches!(poll(&mut late), Some(Progress::Finished(_))));
}

#[test]
fn time_and_chance_are_recorded() {
    let clock = clock();
    let (send, seen) = std::sync::mpsc::channel();
    let handler = |cx: Cx| {
        let send = send.clone();
        async move {
            send.send((cx.now(), cx.random(), cx.random())).unwrap();
            plain(&cx, 1).await?;
            Ok(Decided::Wait)
        }
    };
    let mut first = turn(&clock, vec![], handler);
    let Some(Progress::Save(results)) = poll(&mut first) else { panic!("they are not saved before the step") };
    clock.advance(Duration::from_secs(9));
    let mut second = turn(&clock, results, handler);
    assert!(matches!(poll(&mut second), Some(Progress::Finished(Finished { result: Ok(_), .. }))));
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0, Timestamp::EPOCH);
    assert_ne!(seen[0].1, seen[0].2, "two calls are two choices");
}

#[test]
fn an_interrupted_handler_lets_its_running_step_finish_and_starts_no_other() {
    let (answer, waiting) = oneshot::channel::<u32>();
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let step = call(&cx, &PLAIN, 1).once(|_| async move { Ok::<_, Error>(waiting.await?) });
        let value = step.await?;
        plain(&cx, value).await?;
        Ok(Decided::Wait)
    });
    assert!(poll(&mut turn).is_none());
    turn.interrupt();
    assert!(poll(&mut turn).is_none(), "the running step is not cut off");
    answer.send(7).unwrap();
    let Some(Progress::Interrupted { results }) = poll(&mut turn) else { panic!("it does not stop") };
    assert_eq!(values(&results), ["7"]);
}

#[test]
fn an_interrupted_handler_does_not_wait_for_a_step_that_may_be_cancelled() {
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let step = call(&cx, &CANCELLED, 1).once(|_| std::future::pending::<Result<u32, Error>>());
        step.await.map(|_| Decided::Wait)
    });
    assert!(poll(&mut turn).is_some_and(|progress| matches!(progress, Progress::Wait { due: None, .. })));
    turn.interrupt();
    assert!(matches!(poll(&mut turn), Some(Progress::Interrupted { .. })));
}

#[test]
fn a_wait_for_nothing_is_told() {
    let mut turn = turn(&clock(), vec![], |_| std::future::pending());
    assert!(matches!(poll(&mut turn), Some(Progress::Wait { due: None, .. })));
}

#[test]
fn many_steps_in_a_combinator_that_wakes_its_children_itself_all_come_to_an_end() {
    // From 31 on, `join_all` polls a child only when that child's own waker was used.
    const STEPS: u32 = 200;
    let clock = clock();
    let mut turn = turn(&clock, vec![], |cx| async move {
        let steps = (0..STEPS).map(|value| {
            let cx = cx.clone();
            async move {
                cx.sleep(Duration::from_secs(u64::from(value % 3))).await;
                plain(&cx, value).await
            }
        });
        let values = futures::future::join_all(steps).await;
        assert_eq!(values.into_iter().collect::<Result<Vec<_>, _>>()?, (0..STEPS).collect::<Vec<_>>());
        Ok(Decided::Wait)
    });
    let mut saved = 0;
    for _ in 0..10_000 {
        match poll(&mut turn) {
            Some(Progress::Save(results)) => {
                saved += results.len();
                turn.saved();
            }
            Some(Progress::Finished(finished)) => {
                assert!(finished.result.is_ok());
                assert!(saved + finished.results.len() >= STEPS as usize);
                return;
            }
            Some(other) => panic!("{other:?}"),
            None => clock.advance(Duration::from_secs(1)),
        }
    }
    panic!("some steps hang");
}

#[test]
fn a_result_over_the_limit_fails_the_handler_with_a_text_that_says_so() {
    let mut turn = turn(&clock(), vec![], |cx| async move {
        call(&cx, &PLAIN, 1).once(|_| async { Ok::<_, Error>("x".repeat(2_000)) }).await.map(|_| Decided::Wait)
    });
    let Some(Progress::Finished(finished)) = poll(&mut turn) else { panic!("the handler does not end") };
    let text = finished.result.unwrap_err().error.to_string();
    assert!(text.contains("`plain`") && text.contains("2002 bytes") && text.contains("limit of 1000"), "{text}");
}

#[test]
fn a_recorded_result_of_another_shape_is_unreadable_and_one_that_nobody_asks_for_is_told() {
    let entry = |key: &str, json: &str| JournalEntry::new(key, 1, JournalResult::Done(Json::encode(json).unwrap()));
    let mut first = turn(&clock(), vec![], |cx| async move { plain(&cx, 1).await.map(|_| Decided::Wait) });
    let Some(Progress::Finished(finished)) = poll(&mut first) else { panic!("the handler does not end") };
    let key = &finished.results[0].key;
    let journal = vec![entry(key, "text"), entry("handler:gone:0", "x"), entry("other:step:0", "x")];
    let mut second = turn(&clock(), journal, |cx| async move { plain(&cx, 1).await.map(|_| Decided::Wait) });
    let Some(Progress::Finished(finished)) = poll(&mut second) else { panic!("the handler does not end") };
    assert_eq!(finished.result.unwrap_err().kind, ErrorKind::Unreadable);
    assert_eq!(finished.unclaimed, ["handler:gone:0"]);
}

#[test]
fn the_idempotency_key_is_that_of_the_call() {
    let keys = |visit: u64| {
        let (send, keys) = std::sync::mpsc::channel();
        let scope = TurnScope { visit, ..scope(&clock()) };
        let mut turn = Turn::of(scope, vec![], |cx| async move {
            let calls = [(1, &PLAIN), (1, &PLAIN), (2, &PLAIN)].map(|(value, policy)| call(&cx, policy, value));
            for call in calls {
                let send = send.clone();
                let step = call.once(move |cx| async move { Ok::<_, Error>(send.send(cx.idempotency_key())?) });
                step.await.map_err(Failure::failed)?;
            }
            Ok(Decided::Wait)
        });
        while let Some(Progress::Save(_)) = poll(&mut turn) {
            turn.saved();
        }
        keys.try_iter().collect::<Vec<_>>()
    };
    let first = keys(1);
    assert_eq!(first, keys(1), "the same calls have the same keys");
    let different: std::collections::BTreeSet<_> = first.iter().cloned().chain(keys(2)).collect();
    assert_eq!(different.len(), 6, "no two calls and no two visits share one");
    assert!(first.iter().all(|key| key.len() == 32));
}

#[test]
fn sleeps_are_told_apart_by_the_order_of_their_calls_whichever_is_polled_first() {
    let clock = clock();
    let handler = |short_first: bool| {
        move |cx: Cx| async move {
            let (short, long) = (cx.sleep(Duration::from_secs(1)), cx.sleep(Duration::from_secs(9)));
            let (short, long) = (std::pin::pin!(short), std::pin::pin!(long));
            // As `select!` does, which polls in an order that is different each time.
            let short_is_over = match short_first {
                true => matches!(futures::future::select(short, long).await, futures::future::Either::Left(_)),
                false => matches!(futures::future::select(long, short).await, futures::future::Either::Right(_)),
            };
            assert!(short_is_over);
            Ok(Decided::Wait)
        }
    };
    let mut first = turn(&clock, vec![], handler(true));
    let Some(Progress::Wait { results, .. }) = poll(&mut first) else { panic!("it does not wait") };
    clock.advance(Duration::from_secs(1));
    let mut second = turn(&clock, results, handler(false));
    assert!(matches!(poll(&mut second), Some(Progress::Finished(Finished { result: Ok(_), .. }))));
}

/// An error that has no room for a timeout.
#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("no")]
struct No;

#[test]
fn an_interruption_goes_before_the_failure_of_the_step_that_it_waited_for() {
    const CUT: StepPolicy = StepPolicy::new("cut").timeout(Duration::from_secs(5));
    let clock = clock();
    let mut turn = turn(&clock, vec![], |cx| async move {
        call(&cx, &CUT, 1).once(|_| std::future::pending::<Result<u32, No>>()).await?;
        Ok(Decided::Wait)
    });
    assert!(poll(&mut turn).is_none());
    turn.interrupt();
    assert!(poll(&mut turn).is_none());
    clock.advance(Duration::from_secs(5));
    let Some(Progress::Interrupted { results }) = poll(&mut turn) else { panic!("it is not interrupted") };
    assert_eq!(values(&results), ["failed"]);
}

#[test]
#[should_panic(expected = "the step `cut` panicked: boom")]
fn a_detached_step_does_not_hang_where_a_turn_would_end() {
    const CUT: StepPolicy = StepPolicy::new("cut");
    let cx = Cx::detached("Test", ExecutionId::new("1").unwrap(), clock());
    let step = call(&cx, &CUT, 1).once(|_| async { panic!("boom") as Result<u32, No> });
    let _ = step.now_or_never();
}

/// Counts how often a turn has asked to be polled.
#[derive(Default)]
struct Asked(AtomicU32);

impl Wake for Asked {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn steps_in_a_task_of_their_own_wake_the_turn_for_what_it_has_to_do() {
    let clock = clock();
    let (send, task) = std::sync::mpsc::channel();
    let (done, waiting) = oneshot::channel();
    let mut turn = turn(&clock, vec![], |cx| async move {
        let steps = async move {
            plain(&cx, 1).await.unwrap();
            cx.sleep(Duration::from_secs(1)).await;
            plain(&cx, 2).await.unwrap();
            done.send(()).unwrap();
        };
        send.send(steps.boxed()).unwrap();
        waiting.await.ok();
        Ok(Decided::Wait)
    });
    let asked = Arc::<Asked>::default();
    let waker = Waker::from(Arc::clone(&asked));
    let mut context = Context::from_waker(&waker);
    let mut poll = |turn: &mut Turn| {
        let polled = std::pin::pin!(turn.next()).poll(&mut context);
        (polled, asked.0.swap(0, Ordering::Relaxed))
    };
    assert!(poll(&mut turn).0.is_pending());
    let mut task = task.recv().unwrap();
    let mut run = || task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let wait = |asked: &Asked| asked.0.swap(0, Ordering::Relaxed) > 0;
    for _ in 0..10 {
        if run().is_ready() {
            break;
        }
        assert!(wait(&asked), "the turn has to save, or to set its alarm");
        match poll(&mut turn).0 {
            Poll::Ready(Progress::Save(_)) => turn.saved(),
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => clock.advance(Duration::from_secs(1)),
        }
    }
    let Poll::Ready(Progress::Finished(finished)) = poll(&mut turn).0 else { panic!("it does not end") };
    assert!(finished.result.is_ok());
}

#[test]
fn steps_inside_of_steps_are_told_apart_by_the_step_they_are_in() {
    let handler = |order: [u32; 2]| {
        move |cx: Cx| async move {
            let outer = |value| {
                let step = call(&cx, &CANCELLED, value);
                // The same inner call in each: what it comes to is that of the outer one.
                step.once(
                    move |cx| async move { call(&cx, &PLAIN, 0).once(|_| async move { Ok::<_, Error>(value) }).await },
                )
            };
            let (first, second) = (outer(order[0]), outer(order[1]));
            let results = futures::future::join(first, second).await;
            assert_eq!((results.0?, results.1?), (order[0], order[1]));
            Ok(Decided::Wait)
        }
    };
    let mut first = turn(&clock(), vec![], handler([1, 2]));
    let (mut all, mut journal) = (Vec::new(), Vec::new());
    while let Some(progress) = poll(&mut first) {
        match progress {
            Progress::Save(results) => {
                all.extend(results.clone());
                // The crash comes before an outer step is recorded.
                journal.extend(results.into_iter().filter(|entry| entry.key.contains(":plain:")));
                first.saved();
            }
            Progress::Finished(finished) => {
                assert!(finished.result.is_ok());
                all.extend(finished.results);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let mut second = turn(&clock(), journal, handler([2, 1]));
    loop {
        match poll(&mut second) {
            Some(Progress::Save(_)) => second.saved(),
            Some(Progress::Finished(finished)) => break assert!(finished.result.is_ok()),
            other => panic!("{other:?}"),
        }
    }
    let mut recorded = turn(&clock(), all, handler([2, 1]));
    let Some(Progress::Finished(finished)) = poll(&mut recorded) else { panic!("every result is recorded") };
    assert!(finished.unclaimed.is_empty(), "{:?}", finished.unclaimed);
}
