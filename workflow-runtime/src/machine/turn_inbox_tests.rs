//! Events and commands of a turn, which is polled by hand.

use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;

use super::*;
use crate::base::{ExecutionId, ManualClock, Timestamp};
use crate::machine::{Cx, Decided, Event, Progress, Services, Turn, TurnScope};
use crate::record::{ChildEnd, ExecutionKey, JsonError, NewEvent};

/// An event that says a number.
struct Number(u32);

impl Event for Number {
    const NAME: &'static str = "number";
    const WAS: &'static [&'static str] = &["digit"];
    const DOC: &'static str = "";

    fn encode(&self) -> Result<Json, JsonError> {
        Json::encode(&self.0)
    }

    fn decode(json: &Json) -> Result<Self, JsonError> {
        json.decode().map(Self)
    }
}

fn event(seq: u64, name: &str, number: u32) -> EventRecord {
    let payload = Json::encode(&number).unwrap();
    let event = NewEvent { event_id: seq.to_string(), name: name.into(), payload, sent_at: Timestamp::EPOCH };
    EventRecord { seq, event }
}

fn turn<F>(clock: &ManualClock, journal: Vec<JournalEntry>, handler: impl FnOnce(Cx) -> F) -> Turn
where
    F: Future<Output = u32> + Send + 'static,
{
    let scope = TurnScope {
        key: ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("1").unwrap() },
        visit: 1,
        handler: "handler".into(),
        edge_number: 0,
        services: Services::new(clock.clone()),
    };
    Turn::of(scope, journal, |cx| {
        let handler = handler(cx);
        async move { Ok(Decided::Stay { data: Json::encode(&handler.await).unwrap() }) }
    })
}

fn poll(turn: &mut Turn) -> Option<Progress> {
    turn.next().now_or_never()
}

/// What the handler came to, and the results that come with that.
fn finished(turn: &mut Turn) -> (u32, Vec<JournalEntry>) {
    match poll(turn) {
        Some(Progress::Finished(finished)) => match finished.result.unwrap() {
            Decided::Stay { data } => (data.decode().unwrap(), finished.results),
            other => panic!("{other:?}"),
        },
        other => panic!("the handler did not end: {other:?}"),
    }
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::EPOCH)
}

#[test]
fn a_receiver_waits_without_a_turn_and_gets_the_event_in_the_next_one() {
    let handler = |cx: Cx| async move { cx.recv::<Number>().await.0 };
    let mut first = turn(&clock(), vec![], handler);
    let Some(Progress::Wait { due: None, results, events }) = poll(&mut first) else { panic!("it does not wait") };
    assert_eq!((results.len(), events), (0, vec!["digit".into(), "number".into()]));
    drop(first);

    let mut second = turn(&clock(), vec![], handler);
    second.arrived(vec![event(1, "other", 7), event(2, "digit", 8), event(3, "number", 9)]);
    let (number, results) = finished(&mut second);
    assert_eq!(number, 8, "the earliest one, under the present name or an old one");
    assert!(matches!(results[0].result, JournalResult::Received { seq: 2, .. }));

    let mut again = turn(&clock(), results, handler);
    again.arrived(vec![event(1, "other", 7), event(3, "number", 9)]);
    assert_eq!(finished(&mut again), (8, vec![]), "what was received is received again");
}

#[test]
fn each_event_goes_to_one_receiver_in_the_order_of_arrival() {
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let (first, second) = futures::join!(cx.recv::<Number>(), cx.recv::<Number>());
        first.0 * 10 + second.0
    });
    turn.arrived(vec![event(1, "number", 1)]);
    turn.arrived(vec![event(1, "number", 1), event(2, "number", 2)]);
    assert_eq!(finished(&mut turn).0, 12);
}

#[test]
fn an_event_reaches_a_turn_that_stays_for_something_foreign() {
    let (answer, foreign) = oneshot::channel::<()>();
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let mut all = futures::stream::FuturesUnordered::new();
        all.push(async move { cx.recv::<Number>().await.0 }.boxed());
        all.push(async move { foreign.await.map_or(1, |()| 2) }.boxed());
        let first = futures::StreamExt::next(&mut all).await.unwrap();
        first * 10 + futures::StreamExt::next(&mut all).await.unwrap()
    });
    assert!(poll(&mut turn).is_none());
    turn.arrived(vec![event(1, "number", 7)]);
    assert!(matches!(poll(&mut turn), Some(Progress::Save(_))));
    turn.saved();
    answer.send(()).unwrap();
    assert_eq!(finished(&mut turn).0, 72);
}

#[test]
fn a_receiver_that_is_dropped_has_taken_nothing() {
    let handler = |cx: Cx| async move {
        let sleep = cx.sleep(Duration::from_secs(1));
        let first = futures::future::select(Box::pin(cx.recv::<Number>()), Box::pin(sleep)).await;
        assert!(matches!(first, futures::future::Either::Right(_)), "time is first");
        drop(first);
        cx.recv::<Number>().await.0
    };
    let clock = clock();
    let mut first = turn(&clock, vec![], handler);
    let Some(Progress::Wait { due: Some(due), results, .. }) = poll(&mut first) else { panic!("it does not wait") };
    clock.advance_to(due);
    let mut second = turn(&clock, results, handler);
    let Some(Progress::Wait { due: None, .. }) = poll(&mut second) else { panic!("it does not wait") };
    second.arrived(vec![event(1, "number", 5)]);
    assert_eq!(finished(&mut second).0, 5);
}

#[test]
fn a_timeout_is_recorded_and_stays_what_came_first() {
    let handler = |cx: Cx| async move {
        let number = cx.recv_timeout::<Number>(Duration::from_secs(5)).await;
        number.map_or(0, |number| number.0)
    };
    let clock = clock();
    let mut first = turn(&clock, vec![], handler);
    let Some(Progress::Wait { due: Some(due), results, events }) = poll(&mut first) else { panic!("it does not wait") };
    assert_eq!((due, events.len()), (Timestamp::from_millis(5_000), 2));
    clock.advance_to(due);

    let mut on_time = turn(&clock, results.clone(), handler);
    on_time.arrived(vec![event(1, "number", 5)]);
    let (number, received) = finished(&mut on_time);
    assert_eq!(number, 5, "an event that is there goes before a time that is over");

    let mut late = turn(&clock, results.clone(), handler);
    let (number, elapsed) = finished(&mut late);
    assert_eq!(number, 0);
    for (came, expected) in [(received, 5), (elapsed, 0)] {
        let mut again = turn(&clock, results.iter().cloned().chain(came).collect(), handler);
        again.arrived(vec![event(2, "number", 9)]);
        assert_eq!(finished(&mut again).0, expected);
    }
}

#[test]
fn an_interrupted_handler_receives_nothing() {
    let mut turn = turn(&clock(), vec![], |cx| async move { cx.recv::<Number>().await.0 });
    turn.interrupt();
    turn.arrived(vec![event(1, "number", 5)]);
    let Some(Progress::Interrupted { results }) = poll(&mut turn) else { panic!("it goes on") };
    assert_eq!(results, []);
}

fn command(id: u32) -> Command {
    let to = ExecutionKey { workflow: "Other".into(), id: ExecutionId::new(id.to_string()).unwrap() };
    Command::Deliver { to, event: event(0, "number", id).event }
}

async fn commanded(cx: &Cx, id: u32) -> u32 {
    let key = cx.claim("send");
    let turn = Arc::clone(cx.turn());
    let result = match turn.recorded(&key) {
        Some(entry) => entry.result,
        None => {
            turn.gate().await;
            turn.execute(key, command(id), JournalResult::Done(Json::null())).await
        }
    };
    match result {
        JournalResult::Done(_) => id,
        _ => 1_000,
    }
}

#[test]
fn commands_are_handed_out_at_once_after_what_came_before_them_and_recorded_when_acknowledged() {
    let handler = |cx: Cx| async move {
        let _ = cx.now();
        let (first, second) = futures::join!(commanded(&cx, 1), commanded(&cx, 2));
        first + second
    };
    let mut first = turn(&clock(), vec![], handler);
    let Some(Progress::Save(mut journal)) = poll(&mut first) else { panic!("the time is not saved first") };
    first.saved();
    let Some(Progress::Execute(calls)) = poll(&mut first) else { panic!("nothing is handed out") };
    assert_eq!(calls.iter().map(|call| &call.command).collect::<Vec<_>>(), [&command(1), &command(2)]);
    let refused = CommandRefused::UnknownWorkflow { workflow: "Other".to_owned() };
    let results = [Ok(Acknowledged::Applied), Err(refused)];
    let answers = calls.into_iter().zip(results).map(|(call, result)| CommandAnswer { key: call.key, result });
    first.answered(answers.collect());
    let (sum, results) = finished(&mut first);
    assert_eq!((sum, results.len()), (1_001, 2));
    journal.extend(results);
    assert_eq!(finished(&mut turn(&clock(), journal, handler)), (1_001, vec![]), "nothing is done twice");
}

#[test]
fn a_command_that_nobody_waits_for_any_more_is_done_only_if_it_was_handed_out() {
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let first = commanded(&cx, 1).now_or_never();
        assert!(first.is_none());
        let second = futures::future::select(Box::pin(commanded(&cx, 2)), Box::pin(cx.recv::<Number>()));
        drop(second.await);
        cx.recv::<Number>().await.0
    });
    let Some(Progress::Execute(calls)) = poll(&mut turn) else { panic!("nothing is handed out") };
    assert_eq!(calls.iter().map(|call| &call.command).collect::<Vec<_>>(), [&command(2)]);
    turn.arrived(vec![event(1, "number", 3)]);
    assert!(matches!(poll(&mut turn), Some(Progress::Wait { .. })), "the event let the handler go on");
    let key = calls[0].key.clone();
    turn.answered(vec![CommandAnswer { key: key.clone(), result: Ok(Acknowledged::Applied) }]);
    let Some(Progress::Wait { results, .. }) = poll(&mut turn) else { panic!("it does not wait") };
    assert_eq!(results.iter().filter(|entry| entry.key == key).count(), 1, "it was done, and that is recorded");
}

#[test]
fn a_report_goes_to_the_call_that_it_is_for() {
    let report = |seq: u64, visit, call: &str| {
        let end = ChildEnd::Ended { state: "done".into(), data: Json::null(), version: 1 };
        let report = ChildReport { visit, edge: 0, call: call.into(), end };
        let payload = Json::encode(&report).unwrap();
        let event =
            NewEvent { event_id: seq.to_string(), name: CHILD_EVENT.into(), payload, sent_at: Timestamp::EPOCH };
        EventRecord { seq, event }
    };
    let mut turn = turn(&clock(), vec![], |cx| async move {
        let wait = |call: &str| cx.turn().receive(report_key(call), vec![report_slot(call)]);
        let (a, b) = futures::join!(wait("a"), wait("b"));
        let call = |json: Json| json.decode::<ChildReport>().unwrap().call;
        u32::from(call(a) == "a" && call(b) == "b")
    });
    let Some(Progress::Wait { events, .. }) = poll(&mut turn) else { panic!("it does not wait") };
    assert_eq!(events, [CHILD_EVENT], "one name for all");
    turn.arrived(vec![report(1, 2, "a"), report(2, 1, "b"), report(3, 1, "a")]);
    let (both, results) = finished(&mut turn);
    let seqs: Vec<_> = results
        .iter()
        .map(|entry| match entry.result {
            JournalResult::Received { seq, .. } => seq,
            _ => 0,
        })
        .collect();
    assert_eq!((both, seqs), (1, vec![3, 2]), "one of another visit is for nobody");
}
