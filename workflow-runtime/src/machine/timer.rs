//! What an attribute may name as the time of an edge: a function of the state, or a field of it.

use std::time::Duration;

use super::Timer;
use crate::base::Timestamp;

/// What `#[after(…)]` may name: a function of the state, with or without the workflow. `M` tells the two apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`#[after(…)]` names a function of the state that returns a `Duration`",
    label = "not a function of `&{S}` that returns a `Duration`",
    note = "write `fn delay(state: &{S}) -> Duration`, or `fn delay(&self, state: &{S}) -> Duration`"
)]
pub trait DelayOf<W, S, M> {
    /// How long the state has to last.
    fn lasts(self, workflow: &W, state: &S) -> Duration;
}

#[diagnostic::do_not_recommend]
impl<W, S, F: Fn(&S) -> Duration> DelayOf<W, S, (S,)> for F {
    fn lasts(self, _: &W, state: &S) -> Duration {
        self(state)
    }
}

#[diagnostic::do_not_recommend]
impl<W, S, F: Fn(&W, &S) -> Duration> DelayOf<W, S, (W, S)> for F {
    fn lasts(self, workflow: &W, state: &S) -> Duration {
        self(workflow, state)
    }
}

/// The timer of an edge with `#[after(function)]`.
pub fn delay_of<W, S, M, F: DelayOf<W, S, M>>(function: F, workflow: &W, state: &S) -> Option<Timer> {
    Some(Timer::After(function.lasts(workflow, state)))
}

/// What `#[at(field)]` may name.
#[diagnostic::on_unimplemented(
    message = "`#[at(…)]` names a field that holds a `Timestamp`",
    label = "a `{Self}`, which is no point in time",
    note = "give the field the type `workflow_runtime::Timestamp`, or `Option<Timestamp>` where there may be none"
)]
pub trait DueAt {
    /// When it is due.
    fn due_at(&self) -> Option<Timestamp>;
}

impl DueAt for Timestamp {
    fn due_at(&self) -> Option<Timestamp> {
        Some(*self)
    }
}

impl DueAt for Option<Timestamp> {
    fn due_at(&self) -> Option<Timestamp> {
        *self
    }
}

/// The timer of an edge with `#[at(field)]`.
pub fn at_field<T: DueAt>(field: &T) -> Option<Timer> {
    field.due_at().map(Timer::At)
}
