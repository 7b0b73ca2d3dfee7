//! [`Store::event`](crate::store::Store::event), and the answers of an [`Advance`].

use super::sample::{ended, key, waiting};
use super::{Bench, Home};
use crate::kernel::Advance;
use crate::record::{Answer, ExecutionRecord, Json, ReplyRecord};
use crate::store::{Fence, KnownEvent};

fn replied(number: u32) -> Answer {
    Answer::Replied(Json::encode(&number).expect("a number has a JSON form"))
}

fn answering(event_id: &str, answer: Answer) -> Advance {
    Advance { replies: vec![ReplyRecord { event_id: event_id.to_owned(), answer }], ..Advance::default() }
}

async fn known(bench: &Bench, id: &str, event_id: &str) -> Option<KnownEvent> {
    bench.store.event(&key(id), event_id).await.unwrap()
}

/// An event that was delivered, to that execution and by that id alone.
pub async fn an_event_is_known_once_it_was_delivered(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.create(&key("b"), waiting()).await;
    bench.send(&key("a"), "e").await;
    assert_eq!(known(&bench, "a", "e").await, Some(KnownEvent::new(None)));
    assert_eq!(known(&bench, "a", "f").await, None);
    assert_eq!(known(&bench, "b", "e").await, None);
    assert_eq!(known(&bench, "nobody", "e").await, None);
}

/// It comes with the change that it belongs to.
pub async fn an_answer_is_there_when_the_advance_is(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, Advance { consumed: vec![1], ..answering("e", replied(7)) }).await;
    assert_eq!(known(&bench, "a", "e").await, Some(KnownEvent::new(Some(replied(7)))));
}

/// Who asks again gets the first one.
pub async fn an_answer_is_never_replaced(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, answering("e", replied(1))).await;
    bench.advance(&key("a"), 1, answering("e", Answer::Rejected { state: "Paid".to_owned() })).await;
    assert_eq!(known(&bench, "a", "e").await, Some(KnownEvent::new(Some(replied(1)))));
}

/// Also one that is given with the end itself.
pub async fn answers_outlive_the_end(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.send(&key("a"), "f").await;
    let record = ExecutionRecord { visit: 2, ..ended() };
    bench.advance(&key("a"), 1, Advance { record: Some(record), ..answering("e", replied(7)) }).await;
    assert_eq!(known(&bench, "a", "e").await, Some(KnownEvent::new(Some(replied(7)))));
    assert_eq!(known(&bench, "a", "f").await, Some(KnownEvent::new(None)));
}

/// Nothing of it is applied.
pub async fn a_refused_advance_answers_nothing(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    let fence = Fence { visit: 9, epoch: bench.epoch };
    let change = crate::store::Change::Advance { fence, advance: Box::new(answering("e", replied(7))) };
    let answers = bench.store.commit(vec![crate::store::Commit { key: key("a"), change }]).await.unwrap();
    assert_eq!(answers, [Err(crate::store::Refused::Fenced)]);
    assert_eq!(known(&bench, "a", "e").await, Some(KnownEvent::new(None)));
}

/// As everything that was acknowledged.
pub async fn answers_are_there_after_a_restart(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), waiting()).await;
    bench.send(&key("a"), "e").await;
    bench.advance(&key("a"), 1, answering("e", replied(7))).await;
    drop(bench);
    let store = home.open().await;
    let known = store.event(&key("a"), "e").await.unwrap();
    assert_eq!(known, Some(KnownEvent::new(Some(replied(7)))));
}
