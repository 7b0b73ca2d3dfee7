//! The branches of a call that are all of one kind: begun in order, no more than a limit at once, until it is decided what
//! they come to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tracing::Instrument as _;

use super::task::{Ended, Endings, Task};
use super::{Judge, ParallelCall};
use crate::base::Name;
use crate::kernel::{Join, JoinRule, Verdict};
use crate::machine::turn::panic_text;
use crate::machine::turn_state::TurnSleep;
use crate::machine::{AbortOnDrop, Cx};
use crate::record::{BranchRecord, JournalResult, ParallelEnd, ParallelRecord};

/// What a branch does.
pub enum Work<R, H: ?Sized = dyn Future<Output = R> + Send> {
    /// It owns all that it uses, and may run on another thread.
    Own(Owned<R>),
    /// It borrows, and runs within the handler.
    Borrowed(Pin<Box<H>>),
}

/// What a branch does that owns all that it uses.
pub type Owned<R> = Pin<Box<dyn Future<Output = R> + Send>>;

impl<R> Work<R> {
    /// What a function does that has nothing to borrow.
    pub fn owned(future: impl Future<Output = R> + Send + 'static) -> Self {
        Self::Own(Box::pin(future))
    }
}

impl<R, H: ?Sized> fmt::Debug for Work<R, H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Work")
    }
}

/// Where branches come from.
pub(super) trait Source<R> {
    type Item;
    /// What runs within the handler.
    type Here: Future<Output = R> + Send + ?Sized;

    /// How many there are, if that is known before.
    fn len(&self) -> Option<u64>;

    /// The next one.
    fn next(&mut self, call: &ParallelCall) -> Option<Planned<Self::Item>>;

    /// What it does.
    fn start(&mut self, cx: Cx, item: Self::Item) -> Work<R, Self::Here>;
}

/// A branch that is to begin.
pub(super) struct Planned<I> {
    pub(super) key: Name,
    /// What it is called with, for people.
    pub(super) label: Option<String>,
    pub(super) item: I,
}

struct Running<R, H: ?Sized> {
    key: Name,
    label: Option<String>,
    place: Place<R, H>,
}

enum Place<R, H: ?Sized> {
    Elsewhere {
        _stop: AbortOnDrop,
    },
    Own(Owned<R>),
    Borrowed(Pin<Box<H>>),
    /// It was told to stop, and has not said yet that it did.
    Stopping,
}

/// How a board was left.
pub(super) struct Left<T, E> {
    pub(super) outcome: Outcome,
    /// What the branches came to that have ended, by their place in the list.
    pub(super) results: BTreeMap<u64, Result<T, E>>,
    /// How many branches there are, as far as that is known.
    pub(super) total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeded,
    Failed,
    TimedOut,
}

struct Board<'a, S: Source<Result<T, E>>, T, E> {
    call: &'a ParallelCall,
    judge: &'a Judge<T, E>,
    source: S,
    endings: Arc<Endings<Result<T, E>>>,
    running: BTreeMap<u64, Running<Result<T, E>, S::Here>>,
    join: Join,
    begun: u64,
    exhausted: bool,
    /// The branches that decided it before a crash: they come first, so that those are not begun again that were stopped.
    first: BTreeSet<Name>,
    passed_over: VecDeque<(u64, Planned<S::Item>)>,
    results: BTreeMap<u64, Result<T, E>>,
    keys: BTreeMap<u64, Name>,
    panicked: Option<(Name, String)>,
    over: Option<TurnSleep>,
    timed_out: bool,
}

/// Runs the branches of `source` until it is decided what they come to, and none is left that runs.
pub(super) async fn run<T, E, S>(call: &ParallelCall, judge: &Judge<T, E>, source: S) -> Left<T, E>
where
    S: Source<Result<T, E>> + Send,
    S::Item: Send,
    T: Send + 'static,
    E: Send + 'static,
{
    let of = source.len();
    let record = call.begin(of);
    if record.end == Some(ParallelEnd::TimedOut) {
        return Left { outcome: Outcome::TimedOut, results: BTreeMap::new(), total: of.unwrap_or(0) };
    }
    let turn = call.cx().turn();
    let mut board = Board {
        call,
        judge,
        source,
        endings: Endings::new(turn),
        running: BTreeMap::new(),
        join: Join::new(call.policy.join, of),
        begun: 0,
        exhausted: false,
        first: record.end.iter().flat_map(ParallelEnd::by).cloned().collect(),
        passed_over: VecDeque::new(),
        results: BTreeMap::new(),
        keys: BTreeMap::new(),
        panicked: None,
        over: record.due.map(|due| turn.cut_off_at(due)),
        timed_out: false,
    };
    poll_fn(|context| board.poll(context)).await;
    board.leave(&record).await
}

impl<S, T, E> Board<'_, S, T, E>
where
    S: Source<Result<T, E>>,
    T: Send + 'static,
    E: Send + 'static,
{
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.endings.wait(context);
        loop {
            let mut progress = self.take_endings();
            if self.is_decided() {
                self.stop();
                if self.running.is_empty() {
                    return Poll::Ready(());
                }
            } else {
                progress |= self.begin_more();
                progress |= self.poll_here(context);
                progress |= self.look_at_clock(context);
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }

    fn is_decided(&self) -> bool {
        self.panicked.is_some() || self.timed_out || self.join.verdict() != Verdict::Open
    }

    fn take_endings(&mut self) -> bool {
        let mut progress = false;
        while let Some((branch, ended)) = self.endings.next() {
            progress = true;
            let Some(running) = self.running.remove(&branch) else { continue };
            match ended {
                Ended::Returned(result) => self.ended(branch, running.key, running.label, result),
                Ended::Panicked(message) if self.panicked.is_none() => {
                    let name = running.label.map_or(running.key, Name::from);
                    self.panicked = Some((name, message));
                }
                Ended::Panicked(_) => {}
                Ended::Stopped if matches!(running.place, Place::Stopping) => {}
                // Its runtime was shut down: there will be another turn.
                Ended::Stopped => {
                    self.running.insert(branch, running);
                }
            }
        }
        progress
    }

    fn ended(&mut self, branch: u64, key: Name, label: Option<String>, result: Result<T, E>) {
        if self.is_decided() {
            return;
        }
        let error = result.as_ref().err().map(self.judge.describe);
        let value = match &result {
            Ok(value) if !self.call.cx().turn().has_calls_in(&key) => (self.judge.encode)(value),
            _ => None,
        };
        let limit = self.call.cx().turn().scope.services.payload_limit;
        let value = value.filter(|value| value.text().len() <= limit);
        let label = label.filter(|_| error.is_some());
        self.call.branch_ended(&key, BranchRecord { label, error, value });
        self.join.ended(result.is_ok());
        self.results.insert(branch, result);
        self.keys.insert(branch, key);
    }

    fn begin_more(&mut self) -> bool {
        let mut progress = false;
        while self.running.len() < self.call.policy.limit && !self.is_decided() {
            let Some((branch, planned)) = self.next() else { break };
            progress = true;
            self.begin(branch, planned);
        }
        progress
    }

    fn next(&mut self) -> Option<(u64, Planned<S::Item>)> {
        while !self.exhausted {
            let Some(planned) = self.source.next(self.call) else {
                self.exhausted = true;
                self.join.total(self.begun);
                break;
            };
            let branch = self.begun;
            self.begun += 1;
            if self.first.is_empty() || self.first.contains(&planned.key) {
                return Some((branch, planned));
            }
            self.passed_over.push_back((branch, planned));
        }
        // What decided it then does not decide it now, so the others have their turn.
        if self.running.is_empty() || self.first.is_empty() { self.passed_over.pop_front() } else { None }
    }

    fn begin(&mut self, branch: u64, planned: Planned<S::Item>) {
        let Planned { key, label, item } = planned;
        let cx = self.call.cx().in_branch(&key);
        let turn = cx.turn();
        if let Some(JournalResult::Branch(BranchRecord { value: Some(value), .. })) =
            turn.recorded(&key).map(|entry| entry.result)
            && let Some(value) = (self.judge.decode)(&value)
        {
            return self.ended(branch, key, label, Ok(value));
        }
        let spawner = turn.scope.services.spawner.clone();
        let place = match (self.source.start(cx, item), spawner) {
            (Work::Own(future), Some(spawner)) => {
                let task = Task::new(branch, future, &self.endings);
                Place::Elsewhere { _stop: spawner.spawn(Box::pin(task.in_current_span())) }
            }
            (Work::Own(future), None) => Place::Own(future),
            (Work::Borrowed(future), _) => Place::Borrowed(future),
        };
        self.running.insert(branch, Running { key, label, place });
    }

    /// Polls the branches that run within the handler.
    fn poll_here(&mut self, context: &mut Context<'_>) -> bool {
        let mut progress = false;
        let branches: Vec<u64> = self.running.keys().copied().collect();
        for branch in branches {
            let Some(Running { place, key, label }) = self.running.get_mut(&branch) else { continue };
            let polled = catch_unwind(AssertUnwindSafe(|| match place {
                Place::Own(future) => future.as_mut().poll(context),
                Place::Borrowed(future) => future.as_mut().poll(context),
                Place::Elsewhere { .. } | Place::Stopping => Poll::Pending,
            }));
            match polled {
                Ok(Poll::Pending) => continue,
                Ok(Poll::Ready(result)) => {
                    let (key, label) = (std::mem::take(key), label.take());
                    self.running.remove(&branch);
                    self.ended(branch, key, label, result);
                }
                Err(panic) => {
                    let name = label.take().map_or_else(|| key.clone(), Name::from);
                    self.running.remove(&branch);
                    self.panicked.get_or_insert_with(|| (name, panic_text(&*panic).to_owned()));
                }
            }
            progress = true;
            if self.is_decided() {
                break;
            }
        }
        progress
    }

    fn look_at_clock(&mut self, context: &mut Context<'_>) -> bool {
        let is_open = self.join.verdict() == Verdict::Open;
        let Some(over) = self.over.as_mut().filter(|_| is_open) else { return false };
        self.timed_out = Pin::new(over).poll(context).is_ready();
        self.timed_out
    }

    /// Stops what still runs. A branch on another thread goes on until it waits the next time.
    fn stop(&mut self) {
        self.running.retain(|_, running| matches!(running.place, Place::Elsewhere { .. } | Place::Stopping));
        for running in self.running.values_mut() {
            running.place = Place::Stopping;
        }
    }

    async fn leave(mut self, record: &ParallelRecord) -> Left<T, E> {
        if let Some((branch, message)) = self.panicked.take() {
            return self.call.panicked(&branch, &message).await;
        }
        let outcome = match self.join.verdict() {
            _ if self.timed_out => Outcome::TimedOut,
            Verdict::Failed => Outcome::Failed,
            Verdict::Succeeded | Verdict::Open => Outcome::Succeeded,
        };
        let rule = self.call.policy.join;
        let stops_others = match outcome {
            Outcome::Succeeded => matches!(rule, JoinRule::Any | JoinRule::Race | JoinRule::Quorum(_)),
            Outcome::Failed => matches!(rule, JoinRule::All | JoinRule::Race | JoinRule::AtLeast(_)),
            Outcome::TimedOut => false,
        };
        let decisive = |result: &Result<T, E>| stops_others && result.is_ok() == (outcome == Outcome::Succeeded);
        let decided = self.results.iter().filter(|(_, result)| decisive(result)).map(|(branch, _)| branch);
        let by = decided.filter_map(|branch| self.keys.remove(branch)).collect();
        let end = match outcome {
            Outcome::Succeeded => ParallelEnd::Succeeded { by },
            Outcome::Failed => ParallelEnd::Failed { by },
            Outcome::TimedOut => ParallelEnd::TimedOut,
        };
        let total = if self.exhausted { self.begun } else { self.source.len().unwrap_or(0) + self.begun };
        self.call.end(record, self.exhausted.then_some(self.begun), end);
        Left { outcome, results: self.results, total }
    }
}
