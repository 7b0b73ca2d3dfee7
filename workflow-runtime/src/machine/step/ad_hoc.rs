//! Steps that are written where they are called.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::time::Duration;

use super::{StepCall, StepError, StepPolicy};
use crate::base::Error;
use crate::kernel::RetryPolicy;
use crate::machine::digest::Digest;
use crate::machine::private::StepValue;
use crate::machine::{Cx, Failure};

const LONGEST_NAME: usize = 100;

/// How such a step is run unless it says otherwise.
const PLAIN: StepPolicy = StepPolicy::new("");

type Run<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;
type Attempt<'a, T, E> = Box<dyn FnMut(Cx) -> Run<'a, T, E> + Send + 'a>;
type RunCall<'a, T, E> = fn(StepCall, Attempt<'a, T, E>, Option<Again<'a, E>>) -> Run<'a, T, E>;
type Again<'a, E> = Box<dyn Fn(&E) -> bool + Send + 'a>;

/// A step that is written where it is called: see [`Cx::step`]. It runs when it is awaited.
#[must_use = "a step does nothing before it is awaited"]
pub struct AdHocStep<'a, T, E> {
    call: StepCall,
    attempt: Attempt<'a, T, E>,
    again: Option<Again<'a, E>>,
    run: RunCall<'a, T, E>,
}

impl<T, E> fmt::Debug for AdHocStep<'_, T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AdHocStep").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Cx {
    /// A step that is written where it is called. Its result is recorded like that of any other [`step`](crate::step), so
    /// it is not run again after a crash.
    ///
    /// It is found again by its name and, where a handler has several of one name, by which of them it is; so it takes its
    /// place when this is called, and not when it is awaited. In a loop, a name such as `format!("mail {id}")` keeps results
    /// with what they belong to. A name is a text of up to 100 bytes without colons.
    ///
    /// ```
    /// use std::time::Duration;
    /// use workflow_runtime::prelude::*;
    /// use workflow_runtime::RetryPolicy;
    /// # async fn send(_: &str) -> Result<u64> { Ok(7) }
    ///
    /// # #[state] struct Written { to: String }
    /// # #[state(end)] struct Sent { receipt: u64 }
    /// # struct Mail;
    /// # #[workflow(start = Written)]
    /// # impl Mail {
    /// #[state]
    /// async fn written(&self, cx: &Cx, written: Written) -> Result<Sent> {
    ///     let receipt = cx
    ///         .step("mail", || async { send(&written.to).await })
    ///         .retry(RetryPolicy::new(5))
    ///         .timeout(Duration::from_secs(10))
    ///         .await?;
    ///     Ok(Sent { receipt })
    /// }
    /// # }
    /// ```
    pub fn step<'a, T, E, F, A>(&self, name: impl Into<Cow<'static, str>>, mut attempt: F) -> AdHocStep<'a, T, E>
    where
        F: FnMut() -> A + Send + 'a,
        A: Future<Output = Result<T, E>> + Send + 'a,
        T: StepValue + Send + 'a,
        E: StepError + Send + 'a,
    {
        self.step_with(name, move |_| attempt())
    }

    /// As [`step`](Self::step), with the step's own context: for its
    /// [`idempotency_key`](Self::idempotency_key), its [`attempt`](Self::attempt) and its [`heartbeat`](Self::heartbeat).
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # async fn charge(_: u64, _: String) -> Result<u64> { Ok(7) }
    /// # async fn example(cx: &Cx, amount: u64) -> Result<u64> {
    /// cx.step_with("charge", |cx| async move { charge(amount, cx.idempotency_key()).await }).await
    /// # }
    /// ```
    pub fn step_with<'a, T, E, F, A>(&self, name: impl Into<Cow<'static, str>>, mut attempt: F) -> AdHocStep<'a, T, E>
    where
        F: FnMut(Cx) -> A + Send + 'a,
        A: Future<Output = Result<T, E>> + Send + 'a,
        T: StepValue + Send + 'a,
        E: StepError + Send + 'a,
    {
        let name = name.into();
        let mistake = mistake(&name);
        if let Some(wrong) = mistake {
            let text = format!("`{name}` cannot be the name of a step: {wrong}");
            self.turn().fail(Failure::failed(Error::msg(text)));
        }
        let call = StepCall::named(self, name, &PLAIN, &Digest::new());
        AdHocStep {
            call,
            attempt: Box::new(move |cx| Box::pin(attempt(cx))),
            again: None,
            run: if mistake.is_some() { refused } else { run },
        }
    }
}

/// What is wrong with a name, if anything is.
fn mistake(name: &str) -> Option<&'static str> {
    let checks = [
        (name.is_empty(), "it is empty"),
        (name.len() > LONGEST_NAME, "it is longer than 100 bytes"),
        (name.contains(':'), "it has a colon"),
        (name.chars().any(char::is_control), "it has a control character"),
    ];
    checks.iter().find(|(wrong, _)| *wrong).map(|(_, what)| *what)
}

impl<'a, T, E> AdHocStep<'a, T, E> {
    /// Tries it again when it fails; without, its first failure is final.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.call.policy.change(|own| own.retry = Some(policy));
        self
    }

    /// Tries it again only after errors that `again` says yes to, and when an attempt was cut off.
    pub fn retry_if(mut self, policy: RetryPolicy, again: impl Fn(&E) -> bool + Send + 'a) -> Self {
        self.again = Some(Box::new(again));
        self.retry(policy)
    }

    /// How long one attempt may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.policy.change(|own| own.timeout = Some(timeout));
        self
    }

    /// How long one attempt may go without [a sign of life](Cx::heartbeat).
    pub fn heartbeat(mut self, heartbeat: Duration) -> Self {
        self.call.policy.change(|own| own.heartbeat = Some(heartbeat));
        self
    }

    /// Has an interruption of the handler cut a running attempt off, instead of letting it finish.
    pub fn cancel(mut self) -> Self {
        self.call.policy.change(|own| own.cancel = true);
        self
    }
}

// Without bounds, as `step` has them: what cannot be saved is told there, and not once more at the `.await`.
impl<'a, T, E> IntoFuture for AdHocStep<'a, T, E> {
    type Output = Result<T, E>;
    type IntoFuture = Run<'a, T, E>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.call, self.attempt, self.again)
    }
}

fn run<'a, T, E>(call: StepCall, attempt: Attempt<'a, T, E>, again: Option<Again<'a, E>>) -> Run<'a, T, E>
where
    T: StepValue + Send + 'a,
    E: StepError + Send + 'a,
{
    Box::pin(call.retried_if(attempt, move |error: &E| again.as_ref().is_none_or(|again| again(error))))
}

/// What comes of a step that cannot be one: the handler ends with the failure that this is.
fn refused<'a, T, E>(_: StepCall, _: Attempt<'a, T, E>, _: Option<Again<'a, E>>) -> Run<'a, T, E>
where
    T: Send + 'a,
    E: Send + 'a,
{
    Box::pin(pending())
}
