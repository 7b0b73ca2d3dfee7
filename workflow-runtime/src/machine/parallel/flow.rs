//! Branches of unlike kinds: each begins when those are done that it waits for, all within the handler.

use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use super::{Judge, ParallelCall};
use crate::base::Name;
use crate::machine::turn::panic_text;
use crate::machine::turn_state::TurnSleep;
use crate::record::{BranchRecord, ParallelEnd};

/// What a `return` in a branch leaves: it is the result of the whole.
#[derive(Debug)]
pub struct Early<R>(Mutex<Option<R>>);

impl<R> Default for Early<R> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<R> Early<R> {
    /// Nothing, so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the whole with `result`. The branch goes no further.
    pub async fn leave(&self, result: R) -> std::convert::Infallible {
        *self.lock() = Some(result);
        std::future::pending().await
    }

    fn take(&self) -> Option<R> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the branches came to.
#[derive(Debug)]
pub enum Flowed<R, E> {
    /// All are done.
    Done,
    /// One of them returned from the whole.
    Early(R),
    /// One of them failed.
    Failed(E),
}

type NodeFuture<'a, E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>>;

struct Node<'a, E> {
    /// The name of the branch; a statement between branches has none.
    name: Option<&'static str>,
    /// The nodes that have to be done before.
    after: &'static [usize],
    /// Nothing, once it is done.
    future: Option<NodeFuture<'a, E>>,
}

/// The statements of a parallel function.
pub struct Flow<'a, R, E> {
    call: &'a ParallelCall,
    early: &'a Early<R>,
    judge: Judge<(), E>,
    nodes: Vec<Node<'a, E>>,
}

impl<R, E> fmt::Debug for Flow<'_, R, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Flow").field("call", &self.call).finish_non_exhaustive()
    }
}

enum Stop<R, E> {
    Early(R),
    Failed { node: usize, error: E },
    Panicked { node: usize, message: String },
    TimedOut,
}

impl<'a, R, E> Flow<'a, R, E> {
    /// Without statements, so far.
    #[must_use]
    pub fn new(call: &'a ParallelCall, early: &'a Early<R>, judge: Judge<(), E>) -> Self {
        Self { call, early, judge, nodes: Vec::new() }
    }

    /// Adds a branch.
    pub fn branch(
        &mut self,
        name: &'static str,
        after: &'static [usize],
        future: impl Future<Output = Result<(), E>> + Send + 'a,
    ) {
        self.nodes.push(Node { name: Some(name), after, future: Some(Box::pin(future)) });
    }

    /// Adds a statement that is no branch.
    pub fn statement(&mut self, after: &'static [usize], future: impl Future<Output = Result<(), E>> + Send + 'a) {
        self.nodes.push(Node { name: None, after, future: Some(Box::pin(future)) });
    }

    /// Runs all of them. Those that run when one fails are dropped.
    pub async fn run(mut self) -> Flowed<R, E> {
        let record = self.call.begin(u64::try_from(self.call.policy.branches.len()).ok());
        if record.end == Some(ParallelEnd::TimedOut) {
            return Flowed::Failed(self.call.cut(self.call.timed_out(), self.judge.cut).await);
        }
        let mut over = record.due.map(|due| self.call.cx().turn().cut_off_at(due));
        let mut first = record.end.as_ref().map(|end| self.leading_to(end.by())).unwrap_or_default();
        let stopped = poll_fn(|context| self.poll(context, &mut first, &mut over)).await;
        let call = self.call;
        let Err(stop) = stopped else {
            call.end(&record, None, ParallelEnd::Succeeded { by: Vec::new() });
            return Flowed::Done;
        };
        let names: Vec<Option<&'static str>> = self.nodes.iter().map(|node| node.name).collect();
        let name = |node: usize| names.get(node).copied().flatten();
        // Those that are left are stopped before anything else is done.
        self.nodes.clear();
        match stop {
            Stop::Early(result) => Flowed::Early(result),
            Stop::Failed { node, error } => {
                let by = name(node).map(|name| call.branch_key(name)).into_iter().collect();
                call.end(&record, None, ParallelEnd::Failed { by });
                Flowed::Failed(error)
            }
            Stop::Panicked { node, message } => {
                let name = name(node).unwrap_or("statement");
                call.panicked(name, &message).await
            }
            Stop::TimedOut => {
                call.end(&record, None, ParallelEnd::TimedOut);
                Flowed::Failed(call.cut(call.timed_out(), self.judge.cut).await)
            }
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        first: &mut BTreeSet<usize>,
        over: &mut Option<TurnSleep>,
    ) -> Poll<Result<(), Stop<R, E>>> {
        loop {
            let mut progress = false;
            for node in 0..self.nodes.len() {
                // What stopped the others before a crash comes first, so that they are not begun again.
                if !first.is_empty() && !first.contains(&node) {
                    continue;
                }
                match self.poll_node(node, context) {
                    Poll::Ready(Ok(())) => progress = true,
                    Poll::Ready(Err(stop)) => return Poll::Ready(Err(stop)),
                    Poll::Pending => {}
                }
            }
            if !first.is_empty() && first.iter().all(|node| self.is_done(*node)) {
                first.clear();
                progress = true;
            }
            if !progress {
                break;
            }
        }
        if (0..self.nodes.len()).all(|node| self.is_done(node)) {
            return Poll::Ready(Ok(()));
        }
        match over {
            Some(over) => Pin::new(over).poll(context).map(|()| Err(Stop::TimedOut)),
            None => Poll::Pending,
        }
    }

    /// Polls a node that may run and is not done: ready when it is.
    fn poll_node(&mut self, node: usize, context: &mut Context<'_>) -> Poll<Result<(), Stop<R, E>>> {
        let may_run = self.nodes.get(node).is_some_and(|node| node.after.iter().all(|before| self.is_done(*before)));
        let (call, early, describe) = (self.call, self.early, self.judge.describe);
        let Some(Node { name, future: place, .. }) = self.nodes.get_mut(node).filter(|_| may_run) else {
            return Poll::Pending;
        };
        let Some(future) = place else { return Poll::Pending };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        if let Some(result) = early.take() {
            return Poll::Ready(Err(Stop::Early(result)));
        }
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(ended)) => ended,
            Err(panic) => {
                let message = panic_text(&*panic).to_owned();
                return Poll::Ready(Err(Stop::Panicked { node, message }));
            }
        };
        *place = None;
        if let Some(name) = name {
            let error = ended.as_ref().err().map(describe);
            call.branch_ended(&call.branch_key(name), BranchRecord { error, ..BranchRecord::default() });
        }
        Poll::Ready(ended.map_err(|error| Stop::Failed { node, error }))
    }

    fn is_done(&self, node: usize) -> bool {
        self.nodes.get(node).is_none_or(|node| node.future.is_none())
    }

    /// These branches, and all that they wait for.
    fn leading_to(&self, keys: &[Name]) -> BTreeSet<usize> {
        let named = |node: &Node<'_, E>| node.name.is_some_and(|name| keys.contains(&self.call.branch_key(name)));
        let mut wanted: Vec<usize> =
            (0..self.nodes.len()).filter(|node| self.nodes.get(*node).is_some_and(named)).collect();
        let mut found = BTreeSet::new();
        while let Some(node) = wanted.pop() {
            if found.insert(node) {
                wanted.extend(self.nodes.get(node).into_iter().flat_map(|node| node.after));
            }
        }
        found
    }
}
