//! Mocks: what is said in place of a step.
//!
//! A [`Mock`] is what the test holds; what it shares with the world that it is put into is [`shared`]. A world has one set
//! of them, [`Mocks`], which sees each call of a step and finds the mock that is for it. What a step is called, and what it
//! returns, is known by its [function](function) alone.

mod call;
mod failing;
mod function;
mod mocks;
mod shared;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use serde::Serialize;

pub use call::MockCall;
pub use failing::FailsWith;
pub use function::StepItem;
pub(super) use function::function_name;
pub(super) use mocks::Mocks;

use self::function::Known;
use self::shared::{Say, Shared};
use crate::base::{Error, Result};
use crate::engine::Interval;
use crate::machine::Answer;
use crate::record::Json;
use crate::testing::sim::length;

/// A mock of the step that `step` is: `when(Shop::reserve)`, or `when(reserve)` for one that is a function of its own. It takes the
/// place of the step in the world that it is [put](super::Sim::mock) into.
///
/// What it returns and fails with is of the step's own types, or does not compile.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::{Sim, when};
///
/// #[state] pub struct Placed { item: String }
/// #[state(end)] pub struct Shipped { parcel: u64 }
///
/// pub struct Shop;
///
/// #[workflow(start = Placed, allow(small_machine))]
/// impl Shop {
///     #[state]
///     async fn ship(&self, cx: &Cx, order: Placed) -> Result<Shipped> {
///         Ok(Shipped { parcel: self.book(cx, &order.item).await? })
///     }
///
///     #[step(retry(max = 5))]
///     async fn book(&self, _: &Cx, _item: &str) -> Result<u64> {
///         Err(Error::msg("there is no carrier in a test"))
///     }
/// }
///
/// Sim::run(7, |sim| async move {
///     let book = when(Shop::book).fails_times(2, "nobody answers").then(4711);
///     sim.mock(&book);
///     sim.workflow(|| Shop);
///     let order = sim.start::<Shop>("order-1", Placed { item: "kettle".into() }).await?;
///     let ShopOutcome::Shipped(shipped) = order.outcome().await?;
///     assert_eq!((shipped.parcel, book.attempts()), (4711, 3));
///     assert_eq!(book.calls()[0].argument::<String>(0), "kettle");
///     Ok(())
/// });
/// ```
///
/// A value of another type does not compile:
///
/// ```compile_fail,E0308
/// # use workflow_runtime::prelude::*;
/// # use workflow_runtime::testing::when;
/// #[step(retry(max = 5))]
/// async fn book(_: &Cx, item: &str) -> Result<u64> {
///     Ok(4711)
/// }
///
/// let mock = when(book).returns("a parcel");
/// ```
///
/// A step that is a function of its own is known by its name, as it is in the journal: two of one name in two modules are one step here,
/// and a workflow's own step of that name is another one.
///
/// A private step can be named where it can be called: in a unit test of its own module (`#[cfg(test)] mod tests`), or make it `pub(crate)`.
///
/// # Panics
/// If `step` is no step: a handler, another function, a closure. What undoes a step can be mocked, too.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a function is named here as it is elsewhere")]
pub fn when<Arguments, F: StepItem<Arguments>>(step: F) -> Mock<F::Value, F::Error> {
    let known = F::known();
    match function_name(&step) {
        Some(name) => match mistake(name, &known) {
            None => {
                Mock { shared: Arc::new(Shared::new(known.workflow, name, Location::caller())), makes: PhantomData }
            }
            Some(mistake) => panic!("{mistake}"),
        },
        None => panic!(
            "`when` is given {}, which has no name: name the step itself, as in `when(Shop::reserve)`",
            std::any::type_name::<F>()
        ),
    }
}

/// Why a function cannot be mocked, if it cannot.
fn mistake(name: &str, known: &Known) -> Option<String> {
    if known.is_step || known.undos.contains(&name) {
        return None;
    }
    let of = known.workflow.map_or_else(String::new, |workflow| format!(" of `{workflow}`"));
    let steps: Vec<_> = known.steps.iter().map(|step| format!("`{step}`")).collect();
    let steps = match steps.is_empty() {
        true => String::new(),
        false => format!("; the steps{of} are {}", steps.join(", ")),
    };
    Some(format!(
        "`{name}` is no step{of}, so it cannot be mocked: put `#[step]` on it, or mock a step that it calls{steps}"
    ))
}

/// What is said in place of a step: see [`when`]. A clone is the same mock.
///
/// # What it says
///
/// Each attempt of the step gets the next answer. An answer is for all attempts from there on, unless a number says for how
/// many. Without an answer, and after the last one, the step itself runs: so a mock with none only looks on.
///
/// | | |
/// |---|---|
/// | [`returns`](Self::returns), [`then`](Self::then) | this value |
/// | [`returns_with`](Self::returns_with) | the value that a function makes of the call |
/// | [`answers`](Self::answers) | the value or the error that a function makes of the call |
/// | [`fails`](Self::fails), [`fails_times`](Self::fails_times) | this error |
/// | [`panics`](Self::panics) | as if the step panicked |
/// | [`hangs`](Self::hangs) | never: the step's `timeout` or `heartbeat` cuts it off |
/// | [`runs`](Self::runs) | what the step itself comes to |
/// | [`times`](Self::times) | the last answer, so often |
/// | [`takes`](Self::takes) | how long each of them takes, in virtual time |
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # use workflow_runtime::testing::when;
/// # #[step(retry(max = 5))]
/// # async fn book(_: &Cx, _item: &str) -> Result<u64> { Ok(4711) }
/// let book = when(book).hangs().times(1).fails_times(2, "nobody answers").runs();
/// ```
///
/// # After a crash
///
/// A mock is of the outside world: it survives [`Sim::crash`](super::Sim::crash). It counts attempts over all executions and processes, in the
/// order in which they begin. An attempt that is made again because a crash has lost its result is the same attempt: it has
/// the same idempotency key, gets the same answer as before, and is counted once. That is what a service does which knows its requests by
/// their keys, so a crash does not change what a scenario comes to.
///
/// Each run of [`crash_everywhere`](super::crash_everywhere) needs mocks of its own, so the scenario makes them.
///
/// # One that is not called
///
/// If a scenario ends well and one of its mocks was never called, it fails: the mock is for a step that has another name by now, or the
/// workflow does not come there. [`optional`](Self::optional) allows it.
#[must_use = "a mock does nothing before it is put into a world: `sim.mock(…)`"]
pub struct Mock<T, E = Error> {
    shared: Arc<Shared>,
    makes: PhantomData<fn() -> Result<T, E>>,
}

impl<T, E> Clone for Mock<T, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), makes: PhantomData }
    }
}

impl<T, E> fmt::Debug for Mock<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Mock").field("shared", &self.shared).finish()
    }
}

/// A [`Mock`] of whatever step.
#[derive(Debug)]
pub struct AnyMock(Arc<Shared>);

impl<T, E> From<Mock<T, E>> for AnyMock {
    fn from(mock: Mock<T, E>) -> Self {
        Self(mock.shared)
    }
}

impl<T, E> From<&Mock<T, E>> for AnyMock {
    fn from(mock: &Mock<T, E>) -> Self {
        Self(Arc::clone(&mock.shared))
    }
}

impl<T, E> Mock<T, E> {
    /// How many attempts of the step have begun. One that is made again because a crash has lost its result counts once.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.shared.attempts()
    }

    /// The calls of the step, each as its first attempt was: a call has an idempotency key, which its attempts share.
    #[must_use]
    pub fn calls(&self) -> Vec<MockCall> {
        let mut seen = std::collections::BTreeSet::new();
        self.shared.calls().into_iter().filter(|call| seen.insert(call.digest())).collect()
    }

    /// All attempts of the step, in the order in which they began.
    #[must_use]
    pub fn all_attempts(&self) -> Vec<MockCall> {
        self.shared.calls()
    }

    /// Takes the place of the step only in the execution with this id, or, said again, in these executions. In the others the step
    /// itself runs, or another mock of it.
    pub fn only_for(self, id: impl Into<String>) -> Self {
        self.shared.only_for(id.into());
        self
    }

    /// Is no mistake if it is never called.
    pub fn optional(self) -> Self {
        self.shared.optional();
        self
    }

    /// Each of its answers takes so long, in virtual time: a step with a shorter `timeout` is cut off.
    ///
    /// # Panics
    /// If `duration` is a text that says no length of time, as `"30s"` does.
    #[track_caller]
    pub fn takes(self, duration: impl Into<Interval>) -> Self {
        self.shared.takes(length(duration));
        self
    }

    /// The answer that was said last is for so many attempts, and not for all from there on.
    ///
    /// # Panics
    /// If no answer was said before.
    #[track_caller]
    pub fn times(self, times: u64) -> Self {
        self.shared.times(times);
        self
    }

    /// From here on, the step itself runs.
    ///
    /// # Panics
    /// As each answer: if the one before it is for all attempts.
    #[track_caller]
    pub fn runs(self) -> Self {
        self.say(Say::Run)
    }

    /// The step never ends, and is cut off by its `timeout` or `heartbeat`, if it has one.
    ///
    /// # Panics
    /// As each answer: if the one before it is for all attempts.
    #[track_caller]
    pub fn hangs(self) -> Self {
        self.say(Say::Hang)
    }

    /// The step panics, and says this.
    ///
    /// # Panics
    /// As each answer: if the one before it is for all attempts.
    #[track_caller]
    pub fn panics(self, message: impl Into<String>) -> Self {
        let message = message.into();
        self.say(Say::Answer(Arc::new(move |_| Answer::Panicked(message.clone()))))
    }

    #[track_caller]
    fn say(self, say: Say) -> Self {
        self.shared.say(say);
        self
    }
}

impl<T: Serialize, E: Send + 'static> Mock<T, E> {
    /// The step returns this.
    ///
    /// # Panics
    /// If it cannot be saved; as each answer, if the one before it is for all attempts.
    #[track_caller]
    pub fn returns(self, value: T) -> Self {
        match Json::encode(&value) {
            Ok(json) => self.say(Say::Answer(Arc::new(move |_| Answer::Done(json.clone())))),
            Err(error) => panic!("what the step is to return cannot be saved: {error}"),
        }
    }

    /// From here on, the step returns this: another name of [`returns`](Self::returns), to be read after
    /// [`fails_times`](Self::fails_times).
    ///
    /// # Panics
    /// As [`returns`](Self::returns).
    #[track_caller]
    pub fn then(self, value: T) -> Self {
        self.returns(value)
    }

    /// The step returns what this makes of the call. Where that may also be an error, it is [`answers`](Self::answers).
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::testing::when;
    /// # #[step(retry(max = 5))]
    /// # async fn book(_: &Cx, _item: &str) -> Result<String> { Ok(String::new()) }
    /// let book = when(book).returns_with(|call| format!("a {} for {}", call.argument::<String>(0), call.id()));
    /// ```
    ///
    /// # Panics
    /// As each answer: if the one before it is for all attempts.
    #[track_caller]
    pub fn returns_with(self, make: impl Fn(&MockCall) -> T + Send + Sync + 'static) -> Self {
        self.answers(move |call| Ok(make(call)))
    }

    /// The step comes to what this makes of the call, good or bad: as [`returns_with`](Self::returns_with), with a `Result`.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::testing::when;
    /// # #[step(retry(max = 5))]
    /// # async fn book(_: &Cx, _item: &str) -> Result<u64> { Ok(4711) }
    /// let book = when(book).answers(|call| match call.argument::<String>(0).as_str() {
    ///     "kettle" => Ok(call.number),
    ///     item => Err(Error::msg(format!("{item} is too large"))),
    /// });
    /// ```
    ///
    /// # Panics
    /// As each answer: if the one before it is for all attempts.
    #[track_caller]
    pub fn answers(self, make: impl Fn(&MockCall) -> Result<T, E> + Send + Sync + 'static) -> Self {
        self.say(Say::Answer(Arc::new(move |call| match make(call).map(|value| Json::encode(&value)) {
            Ok(Ok(json)) => Answer::Done(json),
            Ok(Err(error)) => Answer::Panicked(format!("what its mock returns cannot be saved: {error}")),
            Err(error) => Answer::Failed(Box::new(error)),
        })))
    }

    /// The step fails with this: an error of its own type, a function that makes one, or a text where it returns the boxed
    /// [`Error`]. See [`FailsWith`].
    ///
    /// # Panics
    /// If the error cannot be saved; as each answer, if the one before it is for all attempts.
    #[track_caller]
    pub fn fails<By>(self, error: impl FailsWith<E, By>) -> Self {
        let make = error.maker();
        self.say(Say::Answer(Arc::new(move |_| Answer::Failed(Box::new(make())))))
    }

    /// So many attempts of the step fail with this; then comes what is said next, or the step itself.
    ///
    /// # Panics
    /// As [`fails`](Self::fails).
    #[track_caller]
    pub fn fails_times<By>(self, times: u64, error: impl FailsWith<E, By>) -> Self {
        self.fails(error).times(times)
    }
}
