//! Branches of unlike kinds of which some are enough: races and quorums.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::board::{Planned, Source, Work};
use super::{BranchValueProbe, Judge, ParallelCall, ParallelPolicy};
use crate::kernel::JoinRule;
use crate::machine::digest::Digest;
use crate::machine::{Cx, StepError};

type Here<'a, R> = dyn Future<Output = R> + Send + 'a;
type Start<'a, R> = Box<dyn FnOnce(Cx) -> Pin<Box<Here<'a, R>>> + Send + 'a>;

/// Several ways to one result, for [`Cx::race`], [`Cx::any`] and [`Cx::quorum`].
///
/// Each has a name, by which its steps are found again after a crash, and a closure that is given the branch's own context.
/// They run at once within the handler, so they may borrow.
#[must_use = "nothing runs before it is handed to `cx.race`, `cx.any` or `cx.quorum`"]
pub struct Branches<'a, T, E> {
    branches: VecDeque<(String, Start<'a, Result<T, E>>)>,
}

impl<T, E> fmt::Debug for Branches<'_, T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.branches.iter().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

impl<T, E> Default for Branches<'_, T, E> {
    fn default() -> Self {
        Self { branches: VecDeque::new() }
    }
}

impl<'a, T, E> Branches<'a, T, E> {
    /// Without branches, so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a branch. A name that is taken already gets a number.
    pub fn with<F>(mut self, name: impl Into<String>, branch: impl FnOnce(Cx) -> F + Send + 'a) -> Self
    where
        F: Future<Output = Result<T, E>> + Send + 'a,
    {
        let name = name.into();
        let is_taken = |name: &str| self.branches.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number: u32| format!("{name}_{number}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(name);
        self.branches.push_back((name, Box::new(move |cx| Box::pin(branch(cx)))));
        self
    }
}

impl<'a, T, E> Source<Result<T, E>> for Branches<'a, T, E> {
    type Item = Start<'a, Result<T, E>>;
    type Here = Here<'a, Result<T, E>>;

    fn len(&self) -> Option<u64> {
        u64::try_from(self.branches.len()).ok()
    }

    fn next(&mut self, call: &ParallelCall) -> Option<Planned<Self::Item>> {
        let (name, item) = self.branches.pop_front()?;
        Some(Planned { key: call.branch_key(&name), label: Some(name), item })
    }

    fn start(&mut self, cx: Cx, item: Self::Item) -> Work<Result<T, E>, Self::Here> {
        Work::Borrowed(item(cx))
    }
}

impl Cx {
    /// Runs the branches at once, and gives back what the first to end came to, be it a success or a failure. The others
    /// are dropped; which one won is recorded, so that after a crash the same one does.
    ///
    /// ```
    /// use std::time::Duration;
    /// use workflow_runtime::prelude::*;
    /// use workflow_runtime::Branches;
    /// # use workflow_runtime::{Cx, ExecutionId, SystemClock};
    ///
    /// #[step]
    /// async fn ask(cx: &Cx, host: &str) -> Result<u32> {
    ///     Ok(host.len() as u32)
    /// }
    ///
    /// async fn asked_in_time(cx: &Cx) -> Result<Option<u32>> {
    ///     let branches = Branches::new()
    ///         .with("answer", |cx: Cx| async move { Ok(Some(ask(&cx, "example.org").await?)) })
    ///         .with("too_late", |cx: Cx| async move {
    ///             cx.sleep(Duration::from_secs(60)).await;
    ///             Ok(None)
    ///         });
    ///     cx.race(branches).await
    /// }
    /// # let cx = Cx::detached("Test", ExecutionId::new("1").unwrap(), SystemClock);
    /// # assert_eq!(workflow_runtime::block_on(asked_in_time(&cx)).unwrap(), Some(11));
    /// ```
    ///
    /// # Errors
    /// That of the first to end. Without branches, [`JoinMissed`](crate::JoinMissed): as the boxed error, or, where `E` has
    /// no room for it, as what the handler ends with.
    pub fn race<'a, T, E>(&self, branches: Branches<'a, T, E>) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: StepError + Send + 'static,
    {
        let gathered = self.gather("race", JoinRule::Race, branches);
        async move { gathered.await.any().await }
    }

    /// Runs the branches at once, and gives back the value of the first that succeeds. The others are dropped; which one
    /// won is recorded.
    ///
    /// # Errors
    /// If all fail, that of the branch that was added first. Without branches, as [`race`](Self::race).
    pub fn any<'a, T, E>(&self, branches: Branches<'a, T, E>) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: StepError + Send + 'static,
    {
        let gathered = self.gather("any", JoinRule::Any, branches);
        async move { gathered.await.any().await }
    }

    /// Runs the branches at once, and gives back the values of the first `wanted` that succeed, in the order in which the
    /// branches were added. The others are dropped; which ones were first is recorded.
    ///
    /// # Errors
    /// When fewer than `wanted` can still succeed, that of the first branch that failed, in the order in which they were
    /// added. With fewer branches than `wanted`, [`JoinMissed`](crate::JoinMissed), as with [`race`](Self::race).
    pub fn quorum<'a, T, E>(
        &self,
        wanted: usize,
        branches: Branches<'a, T, E>,
    ) -> impl Future<Output = Result<Vec<T>, E>> + Send + 'a
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: StepError + Send + 'static,
    {
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        let gathered = self.gather("quorum", JoinRule::Quorum(wanted), branches);
        async move { gathered.await.successes().await }
    }

    fn gather<'a, T, E>(
        &self,
        name: &'static str,
        join: JoinRule,
        branches: Branches<'a, T, E>,
    ) -> impl Future<Output = super::Gathered<T, E>> + Send + 'a
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: StepError + Send + 'static,
    {
        let judge = Judge {
            describe: |error: &E| error.to_recorded().0,
            cut: E::from_cut,
            encode: BranchValueProbe::<T>::encode,
            decode: BranchValueProbe::<T>::decode,
        };
        // Called with the same names, it is the same call.
        let mut names = Digest::new();
        branches.branches.iter().for_each(|(name, _)| names.text(name));
        ParallelCall::new(self, ParallelPolicy::some(name, join), &names).gather(judge, branches)
    }
}
