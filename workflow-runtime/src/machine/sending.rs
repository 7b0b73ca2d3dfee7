//! An event on its way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What sending an event returns: it is sent when this is awaited.
// A type of its own, without the bounds of the method: an `async fn` would tell of an event that no state takes three times,
// at the argument, at the call and at the `await`.
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a, R>(Pin<Box<dyn Future<Output = R> + Send + 'a>>);

impl<'a, R> Sending<'a, R> {
    pub(crate) fn new(sending: impl Future<Output = R> + Send + 'a) -> Self {
        Self(Box::pin(sending))
    }
}

impl<R> fmt::Debug for Sending<'_, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sending")
    }
}

impl<R> Future for Sending<'_, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        self.0.as_mut().poll(context)
    }
}
