//! Events that a handler waits for in the middle of its work.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::turn_state::TurnState;
use super::{Cx, Event, Failure};
use crate::base::{Error, Name};
use crate::record::{JournalEntry, JournalResult, Json};

impl Cx {
    /// Waits for an event, durably: the execution leaves memory until one arrives, and after a crash an event that was
    /// received is there again.
    ///
    /// It takes the earliest event of this type in the inbox that no edge of the state takes: an event with an `#[on]`
    /// handler interrupts the handler instead. Dropping the future before it is ready takes nothing, so it can be one of
    /// several things that are waited for; where the other one is time, [`recv_timeout`](Self::recv_timeout) also
    /// remembers which of them came first.
    ///
    /// Write the type at the call, `cx.recv::<Payment>()`: `#[workflow]` sees it there, and has the workflow accept
    /// `send(Payment { … })`. For a call that is written elsewhere, name the event in `#[workflow(…, events(Payment))]`.
    ///
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// #[state] pub struct Ordered { dishes: u32 }
    /// #[state(end)] pub struct Served { dishes: Vec<String> }
    /// #[event] pub struct Cooked { dish: String }
    /// pub struct Kitchen;
    ///
    /// #[workflow(start = Ordered, allow(endless_wait, small_machine))]
    /// impl Kitchen {
    ///     #[state]
    ///     async fn serve(&self, cx: &Cx, order: Ordered) -> Result<Served> {
    ///         let mut dishes = Vec::new();
    ///         for _ in 0..order.dishes {
    ///             dishes.push(cx.recv::<Cooked>().await.dish);
    ///         }
    ///         Ok(Served { dishes })
    ///     }
    /// }
    /// # workflow_runtime::block_on(async {
    /// let mut order = workflow_runtime::Stepper::start(Kitchen, Ordered { dishes: 2 })?;
    /// order.send(Cooked { dish: "soup".into() }).await?;
    /// order.send(Cooked { dish: "fish".into() }).await?;
    /// let Some(KitchenOutcome::Served(served)) = order.outcome()? else { panic!("it is not served") };
    /// assert_eq!(served.dishes, ["soup", "fish"]);
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn recv<E: Event>(&self) -> Pin<Box<dyn Future<Output = E> + Send>> {
        let turn = Arc::clone(self.turn());
        // Taken by the call: what polls two of them may poll either first.
        let key = self.claim(&format!("recv:{}", E::NAME));
        Box::pin(async move {
            let payload = match turn.recorded(&key).map(|entry| entry.result) {
                Some(JournalResult::Received { payload, .. }) => payload,
                _ => turn.receive(key, slots::<E>()).await,
            };
            if let Some(event) = decode(&turn, &payload) {
                return event;
            }
            pending().await
        })
    }

    /// Waits for an event for at most `timeout`, durably: `None` if none came in time. The time counts from the first
    /// call, also over a crash, and what came of it is recorded.
    ///
    /// An event that is there when the time is over is taken. For the rest it is [`recv`](Self::recv).
    pub fn recv_timeout<E: Event>(&self, timeout: Duration) -> Pin<Box<dyn Future<Output = Option<E>> + Send>> {
        let turn = Arc::clone(self.turn());
        let key = self.claim(&format!("recv:{}", E::NAME));
        Box::pin(async move {
            let payload = match turn.recorded(&key).map(|entry| entry.result) {
                Some(JournalResult::Received { payload, .. }) => Some(payload),
                Some(_) => None,
                None => receive_until(&turn, key, slots::<E>(), timeout).await,
            };
            let payload = payload?;
            if let Some(event) = decode(&turn, &payload) {
                return Some(event);
            }
            pending().await
        })
    }
}

async fn receive_until(turn: &Arc<TurnState>, key: Name, slots: Vec<String>, timeout: Duration) -> Option<Json> {
    let due_key = Name::from(format!("{key}:due"));
    let due = match turn.recorded(&due_key).map(|entry| entry.result) {
        Some(JournalResult::Sleeping { due }) => due,
        _ => {
            let due = turn.scope.services.clock.now() + timeout;
            turn.record(JournalEntry::new(due_key, 0, JournalResult::Sleeping { due }));
            due
        }
    };
    let mut received = pin!(turn.receive(key.clone(), slots).until_a_time());
    let mut over = pin!(turn.sleep_until(due, &key));
    poll_fn(|context| match received.as_mut().poll(context) {
        Poll::Ready(payload) => Poll::Ready(Some(payload)),
        Poll::Pending if turn.is_interrupted() => Poll::Pending,
        Poll::Pending => over.as_mut().poll(context).map(|()| {
            let result = JournalResult::Done(Json::null());
            turn.record(JournalEntry::new(key.clone(), 0, result));
            None
        }),
    })
    .await
}

fn slots<E: Event>() -> Vec<String> {
    [E::NAME].iter().chain(E::WAS).map(|name| (*name).to_owned()).collect()
}

/// The event; `None` if it cannot be read, which ends the turn.
fn decode<E: Event>(turn: &TurnState, payload: &Json) -> Option<E> {
    let fail = |error| {
        let error = Error::from(error).context(format!("the received event `{}` cannot be read", E::NAME));
        turn.fail(Failure::unreadable(error));
    };
    E::decode(payload).map_err(fail).ok()
}
