//! Answers to events: what an `#[on]` handler returns to whoever asked.

use serde::{Deserialize, Serialize};

use super::workflow::NoEvent;
use super::{Accepts, Workflow};
use crate::record::{Json, JsonError};

/// What an `#[on]` handler returns that answers the event: an answer `R` and a target `T`, made by [`reply`], or a refusal
/// `E`, made by [`refuse`], after which the state is as it was.
///
/// `T` is whatever a handler may return: `A`, `Next<(A, B)>`, `Stay<S>`, `Wait`. Without `E`, it never refuses. The answer is
/// saved with the transition, so whoever asks again, also after a crash, gets the same one. See
/// [`Execution::ask`](crate::Execution::ask).
///
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[state] struct Stock { left: u32 }
/// #[state(end)] struct SoldOut;
/// #[event] struct Take { count: u32 }
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct TooMany { left: u32 }
///
/// struct Shelf;
///
/// #[workflow(start = Stock)]
/// impl Shelf {
///     #[on(allow(endless_wait))]
///     fn take(&self, stock: Stock, take: Take) -> Reply<u32, Next<(Stay<Stock>, SoldOut)>, TooMany> {
///         match stock.left.checked_sub(take.count) {
///             None => refuse(TooMany { left: stock.left }),
///             Some(0) => reply(0, goto(SoldOut)),
///             Some(left) => reply(left, goto(Stay(Stock { left }))),
///         }
///     }
/// }
///
/// # workflow_runtime::block_on(async {
/// let engine = workflow_runtime::Engine::in_memory().workflow(Shelf).start().await?;
/// let shelf = engine.start::<Shelf>("a", Stock { left: 5 }).await?;
/// assert_eq!(shelf.ask(Take { count: 3 }).await.ok(), Some(2));
/// let refused = shelf.ask(Take { count: 3 }).await;
/// assert!(matches!(refused, Err(workflow_runtime::AskError::Refused(TooMany { left: 2 }))));
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a handler returns it; by itself it answers nobody"]
pub struct Reply<R, T, E = NoRefusal>(Result<(R, T), E>);

/// The refusal of an edge that never refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoRefusal {}

/// Answers the event with `reply`, and goes to `target`.
pub fn reply<R, T, E>(reply: R, target: T) -> Reply<R, T, E> {
    Reply(Ok((reply, target)))
}

/// Refuses the event, and leaves the state as it was. Its sender is told `refusal`.
pub fn refuse<R, T, E>(refusal: E) -> Reply<R, T, E> {
    Reply(Err(refusal))
}

impl<R, T, E> Reply<R, T, E> {
    /// The answer and the target, or the refusal.
    ///
    /// # Errors
    /// The refusal.
    pub fn into_parts(self) -> Result<(R, T), E> {
        self.0
    }
}

/// Says that the edges of the workflow that take the event `E` answer it, so that [`ask`](crate::Execution::ask) is checked
/// where it is written.
#[diagnostic::on_unimplemented(
    message = "no edge of `{Self}` answers the event `{E}`",
    label = "`{E}` would never be answered",
    note = "return `Reply<R, Target>` from the `#[on]` handlers that take it, or use `send`, which waits for no answer"
)]
pub trait Asks<E>: Accepts<E> {
    /// The answer.
    type Reply: 'static;
    /// What an edge may say instead.
    type Refusal: 'static;

    /// The answer from its persisted form.
    #[doc(hidden)]
    fn decode_reply(json: &Json) -> Result<Self::Reply, JsonError>;

    /// The refusal from its persisted form.
    #[doc(hidden)]
    fn decode_refusal(json: &Json) -> Result<Self::Refusal, JsonError>;
}

/// Another event that there never is.
#[doc(hidden)]
#[derive(Debug)]
pub enum NoQuestion {}

#[diagnostic::do_not_recommend]
impl<W: Workflow> Accepts<NoQuestion> for W {
    fn event_name() -> &'static str {
        ""
    }

    fn encode_event(event: &NoQuestion) -> Result<Json, JsonError> {
        match *event {}
    }
}

// As with `Accepts`; and there have to be two, as a workflow may answer nothing.
macro_rules! never_asked {
    ($($event:ident)*) => {
        $(#[diagnostic::do_not_recommend]
        impl<W: Workflow> Asks<$event> for W {
            type Reply = NoRefusal;
            type Refusal = NoRefusal;

            fn decode_reply(json: &Json) -> Result<NoRefusal, JsonError> {
                json.decode()
            }

            fn decode_refusal(json: &Json) -> Result<NoRefusal, JsonError> {
                json.decode()
            }
        })*
    };
}

never_asked!(NoEvent NoQuestion);
