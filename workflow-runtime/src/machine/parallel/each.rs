//! One branch for each item of a list.

use std::fmt;

use super::board::{Left, Outcome, Planned, Source, Work, run};
use super::{JoinMissed, Judge, ParallelCall};
use crate::kernel::JoinRule;
use crate::machine::Cx;
use crate::machine::digest::Digest;

/// What a branch is found by again: the digest of its item, and for people, the item as a short text.
type Named = (Digest, Option<String>);

struct Items<I, N, F> {
    items: I,
    name: N,
    start: F,
}

impl<R, I, N, F, H> Source<R> for Items<I, N, F>
where
    I: Iterator,
    N: Fn(&I::Item) -> Named,
    F: Fn(Cx, I::Item) -> Work<R, H>,
    H: Future<Output = R> + Send + ?Sized,
{
    type Item = I::Item;
    type Here = H;

    fn len(&self) -> Option<u64> {
        match self.items.size_hint() {
            (low, Some(high)) if low == high => u64::try_from(low).ok(),
            _ => None,
        }
    }

    fn next(&mut self, call: &ParallelCall) -> Option<Planned<I::Item>> {
        let item = self.items.next()?;
        let (digest, label) = (self.name)(&item);
        // Of items that are alike, each has a number.
        let key = call.cx().turn().claim(&[&call.key, digest.hex().text()]);
        Some(Planned { key, label, item })
    }

    fn start(&mut self, cx: Cx, item: I::Item) -> Work<R, H> {
        (self.start)(cx, item)
    }
}

/// What the branches came to, to be given back as the function says.
pub struct Gathered<T, E> {
    call: ParallelCall,
    judge: Judge<T, E>,
    left: Left<T, E>,
}

impl<T, E> fmt::Debug for Gathered<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gathered").field("call", &self.call).finish_non_exhaustive()
    }
}

impl ParallelCall {
    /// Runs a branch for each of `items`.
    pub async fn each<T, E, I, H>(
        self,
        items: I,
        judge: Judge<T, E>,
        name: impl Fn(&I::Item) -> Named + Send,
        start: impl Fn(Cx, I::Item) -> Work<Result<T, E>, H> + Send,
    ) -> Gathered<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
        I: Iterator<Item: Send> + Send,
        H: Future<Output = Result<T, E>> + Send + ?Sized,
    {
        let left = run(&self, &judge, Items { items, name, start }).await;
        Gathered { call: self, judge, left }
    }

    pub(super) async fn gather<T, E, S>(self, judge: Judge<T, E>, source: S) -> Gathered<T, E>
    where
        S: Source<Result<T, E>> + Send,
        S::Item: Send,
        T: Send + 'static,
        E: Send + 'static,
    {
        let left = run(&self, &judge, source).await;
        Gathered { call: self, judge, left }
    }
}

impl<T, E> Gathered<T, E> {
    /// Every value, in the order of the items.
    ///
    /// # Errors
    /// That of the branch that failed.
    pub async fn all(self) -> Result<Vec<T>, E> {
        self.successes().await
    }

    /// What each came to, in the order of the items.
    pub async fn settle(self) -> Vec<Result<T, E>> {
        match self.left.outcome {
            Outcome::Succeeded => self.left.results.into_values().collect(),
            // There is no place for the error of the whole, so the handler ends with it.
            Outcome::Failed | Outcome::TimedOut => {
                let cut = self.call.timed_out();
                self.call.cut(cut, Err).await
            }
        }
    }

    /// The value of the branch that decided it.
    ///
    /// # Errors
    /// That of the first item, if all have failed.
    pub async fn any(self) -> Result<T, E> {
        if self.left.outcome != Outcome::Succeeded {
            return Err(self.into_error().await);
        }
        let Self { call, judge, left } = self;
        match left.results.into_values().find_map(Result::ok) {
            Some(value) => Ok(value),
            None => Err(call.cut(missed(&call, 0), judge.cut).await),
        }
    }

    /// The values of those that succeeded, in the order of the items.
    ///
    /// # Errors
    /// That of the first item that failed.
    pub async fn successes(self) -> Result<Vec<T>, E> {
        match self.left.outcome {
            Outcome::Succeeded => Ok(self.left.results.into_values().filter_map(Result::ok).collect()),
            Outcome::Failed | Outcome::TimedOut => Err(self.into_error().await),
        }
    }

    /// What each came to, in the order of the items.
    ///
    /// # Errors
    /// That of the first item that failed, if too many have.
    pub async fn at_least(self) -> Result<Vec<Result<T, E>>, E> {
        match self.left.outcome {
            Outcome::Succeeded => Ok(self.left.results.into_values().collect()),
            Outcome::Failed | Outcome::TimedOut => Err(self.into_error().await),
        }
    }

    async fn into_error(self) -> E {
        let Self { call, judge, left } = self;
        let cut = match left.outcome {
            Outcome::TimedOut => call.timed_out(),
            Outcome::Succeeded | Outcome::Failed => {
                let total = left.total;
                match left.results.into_values().find_map(Result::err) {
                    Some(error) => return error,
                    None => missed(&call, total),
                }
            }
        };
        call.cut(cut, judge.cut).await
    }
}

fn missed(call: &ParallelCall, branches: u64) -> crate::base::Error {
    let wanted = match call.policy.join {
        JoinRule::Quorum(wanted) => wanted,
        _ => 1,
    };
    JoinMissed { call: call.policy.name.to_owned(), wanted, branches }.into()
}
